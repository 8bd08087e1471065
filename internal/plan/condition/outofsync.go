package condition

import (
	"fmt"
	"time"

	"holdfast/internal/model"
)

// outOfSync: a verify marked blocks in which two good replicas differ. DRBD copies nothing by itself, since it can't know
// which of the two is right.
func (l *look) outOfSync(r *model.Resource, st *model.ResourceStatus, n int) {
	for i := range st.Peers {
		p := &st.Peers[i]
		o := l.d.On(p.Node)
		if o == nil || o.Deleting || p.State != model.Connected || disk(st, n) != model.DiskUpToDate {
			continue
		}
		ost := l.seen(o)
		if model.Key(o.Node) < model.Key(r.Node) && ost != nil && differs(ost.Peer(r.Node), n) > 0 {
			continue // said from the other side
		}
		kib := differs(p, n)
		if kib == 0 {
			continue
		}
		c := Condition{Kind: OutOfSync, Node: r.Node, Peer: o.Node, Volume: n, SinceMS: st.SinceMS,
			Message:  fmt.Sprintf("Volume %d differs in %d KiB between %s and %s, and both count as good.", n, kib, r.Node, o.Node),
			Evidence: []string{fmt.Sprintf("%s is connected to %s, both disks are UpToDate, and %d KiB are marked as differing", r.Node, o.Node, kib)}}
		if v := l.d.Verify; v != nil && v.EndedMS > 0 {
			c.SinceMS = v.EndedMS
			c.Evidence = append(c.Evidence, "the last verify ended at "+time.UnixMilli(v.EndedMS).UTC().Format(time.RFC3339))
		}
		switch {
		case st.InUse:
			c.Mends = []Mend{l.reconnect(r, o)}
		case ost != nil && ost.InUse:
			c.Mends = []Mend{l.reconnect(o, r)}
		default:
			c.Mends = []Mend{l.overwrite(r, o, n), l.overwrite(o, r, n)}
		}
		l.add(c)
	}
}

// differs is what is marked between two good disks while nothing is on its way, in KiB.
func differs(p *model.PeerStatus, n int) int64 {
	if p == nil || p.State != model.Connected {
		return 0
	}
	for _, pv := range p.Volumes {
		if pv.Number == n && pv.Replication == "Established" && pv.PeerDisk == model.DiskUpToDate {
			return pv.OutOfSyncKiB
		}
	}
	return 0
}

// reconnect: the one in use is the source of the sync that follows, as soon as something was written meanwhile.
func (l *look) reconnect(used, other *model.Resource) Mend {
	peer := l.d.Name
	if l.d.DRBD == model.DRBD9 {
		peer += ":" + used.Node
	}
	return Mend{What: fmt.Sprintf("%s is in use: keep what it has. The two part and meet again, and the marked blocks are copied to %s.", used.Node, other.Node),
		Commands: []Command{{other.Node, fmt.Sprintf("drbdadm disconnect %s; drbdadm connect %s", peer, peer)}},
		Loses:    fmt.Sprintf("what %s has in those blocks", other.Node)}
}

func (l *look) overwrite(keep, drop *model.Resource, n int) Mend {
	return Mend{What: fmt.Sprintf("Keep what %s has: %s is copied anew, as a whole.", keep.Node, drop.Node),
		Commands: []Command{{drop.Node, fmt.Sprintf("drbdadm invalidate %s/%d", l.d.Name, n)}},
		Loses:    fmt.Sprintf("what %s has in those blocks", drop.Node)}
}
