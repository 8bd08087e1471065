package condition

import (
	"fmt"
	"strings"

	"holdfast/internal/model"
)

// replica lists what is wrong with one that its node reports.
func (l *look) replica(r *model.Resource) {
	st := l.seen(r)
	if st == nil {
		return
	}
	lost := false
	for _, v := range st.Volumes {
		if !v.HasQuorum && l.d.DRBD == model.DRBD9 && v.Disk != "" {
			lost = true
			l.lostQuorum(r, st, v.Number)
			break // a resource has quorum as a whole, but for disks that fail
		}
	}
	if st.Suspended {
		c := Condition{Kind: SuspendedIO, Node: r.Node, Volume: -1, SinceMS: st.SinceMS, Message: fmt.Sprintf("Reads and writes on %s wait.", r.Node)}
		if lost {
			c.Evidence = []string{"it has no quorum, and on-no-quorum is suspend-io"}
			c.Mends = []Mend{{What: "Bring back enough peers: it goes on by itself.", LosesNothing: true}}
		} else {
			c.Evidence = []string{"it has quorum: a snapshot that is being taken (10 s at most), a disk that is lost, or somebody's suspend-io"}
			c.Mends = []Mend{{What: "Let it go on, if it wasn't suspended on purpose.", Commands: []Command{{r.Node, "drbdadm resume-io " + l.d.Name}},
				Loses: "nothing by itself, but if the disk is lost, waiting writes fail"}}
		}
		l.add(c)
	}
	if r.Diskless {
		return
	}
	for _, n := range l.volumes() {
		l.volume(r, st, n)
		l.outOfSync(r, st, n)
	}
}

func (l *look) lostQuorum(r *model.Resource, st *model.ResourceStatus, number int) {
	c := Condition{Kind: LostQuorum, Node: r.Node, Volume: number, SinceMS: st.SinceMS,
		Message: fmt.Sprintf("%s may not write: it doesn't see enough of its peers, or too few of them are UpToDate.", r.Node)}
	var missing, behind []string
	for _, p := range st.Peers {
		what := word(p.State)
		for _, v := range p.Volumes {
			if p.State == model.Connected && v.Number == number && v.PeerDisk != model.DiskUpToDate && v.PeerDisk != model.DiskDiskless {
				what += ", " + word(v.PeerDisk)
				behind = append(behind, p.Node)
			}
		}
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s: %s", p.Node, what))
		if p.State != model.Connected {
			missing = append(missing, p.Node)
		}
	}
	if len(behind) > 0 {
		c.Mends = append(c.Mends, Mend{What: "Wait until " + strings.Join(behind, " and ") + " has synced: most replicas must be UpToDate.", LosesNothing: true})
	}
	if len(missing) > 0 {
		c.Mends = append(c.Mends, Mend{What: "Bring back " + strings.Join(missing, " or ") + ", or the network to it.", LosesNothing: true})
	}
	c.Mends = append(c.Mends, Mend{What: "Give a node up that never comes back: its vote goes with it.",
		Commands: []Command{{"", "linstor node lost NODE"}}, Loses: "what only that node has"})
	l.add(c)
}

func (l *look) volume(r *model.Resource, st *model.ResourceStatus, n int) {
	v := r.Volume(n)
	if v == nil || v.Deleting || !v.Initialised {
		return
	}
	switch w := disk(st, n); w {
	case model.DiskUpToDate, "":
	case model.DiskDiskless, "Failed", "Detaching":
		c := Condition{Kind: FailedDisk, Node: r.Node, Volume: n, SinceMS: st.SinceMS,
			Message:  fmt.Sprintf("%s runs volume %d without its disk.", r.Node, n),
			Evidence: []string{fmt.Sprintf("the disk is %s; the kernel's log of %s says what happened to it", w, r.Node)}}
		m := Mend{What: "If the disk is dead: remove the replica and make it anew.", Commands: []Command{
			{"", fmt.Sprintf("linstor resource delete %s %s", r.Node, l.d.Name)}, {"", fmt.Sprintf("linstor resource create %s %s", r.Node, l.d.Name)}}}
		if good := l.goodElsewhere(r, n); good != "" {
			m.LosesNothing = true
			c.Evidence = append(c.Evidence, good+" is UpToDate")
		} else {
			m.Loses = "what is on that disk: no other replica is seen UpToDate"
		}
		c.Mends = []Mend{{What: "If the disk is back: attach it again.", LosesNothing: true, Commands: []Command{{r.Node, "drbdadm adjust " + l.d.Name}}}, m}
		l.add(c)
	default:
		l.behind(r, st, n, w)
	}
}

// goodElsewhere names another replica that is UpToDate; "" if none is seen.
func (l *look) goodElsewhere(r *model.Resource, n int) string {
	for _, o := range l.live {
		if o != r && disk(l.seen(o), n) == model.DiskUpToDate {
			return o.Node
		}
	}
	return ""
}

// behind: the disk is there and not good. While a resync runs nothing is wrong.
func (l *look) behind(r *model.Resource, st *model.ResourceStatus, n int, w string) {
	var good, paused string
	for _, p := range st.Peers {
		for _, pv := range p.Volumes {
			if pv.Number != n || p.State != model.Connected {
				continue
			}
			switch {
			case pv.Replication == "PausedSyncT" || pv.Replication == "PausedSyncS":
				paused = p.Node
			case pv.Replication == "WFBitMapT" && l.otherSize(r, st, p.Node, n, w):
				return
			case pv.Replication != "" && pv.Replication != "Off" && pv.Replication != "Established":
				return // it is on its way
			}
			if pv.PeerDisk == model.DiskUpToDate {
				good = p.Node
			}
		}
	}
	c := Condition{Kind: Behind, Node: r.Node, Peer: good, Volume: n, SinceMS: st.SinceMS,
		Message:  fmt.Sprintf("Volume %d on %s is %s, and nobody good is connected to it.", n, r.Node, w),
		Evidence: []string{fmt.Sprintf("%s: %s", r.Node, w)}}
	for _, p := range st.Peers {
		c.Evidence = append(c.Evidence, fmt.Sprintf("connection to %s: %s", p.Node, word(p.State)))
	}
	if good != "" {
		c.Kind = StuckResync
		c.Message = fmt.Sprintf("Volume %d on %s is %s and doesn't sync, though %s is good and connected.", n, r.Node, w, good)
		if paused != "" {
			c.Message = fmt.Sprintf("The sync of volume %d on %s is paused.", n, r.Node)
			c.Evidence = append(c.Evidence, "resync-after, or somebody's pause-sync, holds it")
			c.Mends = []Mend{{What: "Let it go on.", LosesNothing: true, Commands: []Command{{r.Node, fmt.Sprintf("drbdadm resume-sync %s/%d", l.d.Name, n)}}}}
		} else {
			c.Mends = []Mend{{What: "Have the two meet again.", LosesNothing: true, Commands: []Command{
				{r.Node, l.disconnect(good) + "drbdadm adjust " + l.d.Name}}}}
		}
	}
	l.add(c)
}

// otherSize tells whether the two can't begin to sync since one offers more than the other. With DRBD 9 one that is new takes what its
// device and its peers' have room for, while a peer keeps the size that it agreed on with one that is away; then neither's bitmap fits the
// other (9.2.18, seen in the lab).
func (l *look) otherSize(r *model.Resource, st *model.ResourceStatus, peer string, n int, w string) bool {
	for _, o := range l.live {
		if o.Node != peer {
			continue
		}
		mine, its := usable(st, n), usable(l.seen(o), n)
		if mine == 0 || its == 0 || mine == its {
			return false
		}
		c := Condition{Kind: StuckResync, Node: r.Node, Peer: peer, Volume: n, SinceMS: st.SinceMS,
			Message:  fmt.Sprintf("Volume %d on %s is %s and can't sync from %s, which offers another size: they agree on one once all replicas are connected.", n, r.Node, w, peer),
			Evidence: []string{fmt.Sprintf("%s: %d KiB", r.Node, mine), fmt.Sprintf("%s: %d KiB", peer, its)}}
		for _, p := range l.seen(o).Peers {
			if p.State == model.Connected || p.Node == r.Node {
				continue
			}
			c.Evidence = append(c.Evidence, fmt.Sprintf("%s: connection to %s: %s", peer, p.Node, word(p.State)))
			c.Mends = append(c.Mends, Mend{What: fmt.Sprintf("Bring %s back.", p.Node), LosesNothing: true},
				Mend{What: "Or give it up, and have the two meet again.", Loses: "what only " + p.Node + " has", Commands: []Command{
					{"", fmt.Sprintf("linstor resource delete %s %s", p.Node, l.d.Name)}, {r.Node, l.disconnect(peer) + "drbdadm adjust " + l.d.Name}}})
		}
		l.add(c)
		return true
	}
	return false
}

// usable is what the volume offers by its node's word, in KiB; 0: not known.
func usable(st *model.ResourceStatus, number int) int64 {
	if st != nil {
		if v := st.Volume(number); v != nil {
			return v.UsableKiB
		}
	}
	return 0
}

func (l *look) unseen() {
	for _, r := range l.live {
		n := l.s.Node(r.Node)
		if n != nil && n.Online() {
			continue
		}
		c := Condition{Kind: Unseen, Node: r.Node, Volume: -1, Message: fmt.Sprintf("What %s has isn't known: the node isn't online.", r.Node)}
		if n != nil {
			c.SinceMS = n.Seen.SinceMS
			if n.Seen.Reason != "" {
				c.Evidence = []string{n.Seen.Reason}
			}
		}
		for _, o := range l.live {
			if s := peerState(l.seen(o), r.Node); s != "" {
				c.Evidence = append(c.Evidence, fmt.Sprintf("DRBD of %s is %s to it", o.Node, s))
			}
		}
		l.add(c)
	}
}

// held are replicas that their node leaves as they are, with its reason. Those that another condition explains are told too:
// the reason may be another one.
func (l *look) held() {
	for i := range l.d.Resources {
		r := &l.d.Resources[i]
		st := l.seen(r)
		if st == nil || st.Reason == "" || st.Phase != model.Failed && st.Phase != model.Blocked {
			continue
		}
		what := "waits"
		if st.Phase == model.Failed {
			what = "fails and is tried again"
		}
		l.add(Condition{Kind: Held, Node: r.Node, Volume: -1, SinceMS: st.SinceMS, Message: fmt.Sprintf("%s on %s %s.", l.d.Name, r.Node, what), Evidence: []string{st.Reason}})
	}
}
