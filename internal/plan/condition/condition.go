package condition

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Kind of a condition. The words are stable: programs match them.
type Kind string

const (
	// SplitBrain: two replicas that don't speak to each other both hold data that count as good.
	SplitBrain Kind = "split-brain"
	// StandAlone: DRBD gave a connection up, and not both sides are good.
	StandAlone Kind = "standalone"
	// StuckResync: a replica is behind, connected to a good one, and no resync runs.
	StuckResync Kind = "stuck-resync"
	// LostQuorum: the node may not write.
	LostQuorum Kind = "lost-quorum"
	// SuspendedIO: writes wait.
	SuspendedIO Kind = "suspended-io"
	// FailedDisk: DRBD runs without the disk that the replica should have.
	FailedDisk Kind = "failed-disk"
	// NoGoodCopy: no replica that is seen has good data.
	NoGoodCopy Kind = "no-good-copy"
	// Behind: a replica isn't good, and nobody good is connected to it.
	Behind Kind = "behind"
	// Unmet: with DRBD 8.4 a replica came up alone; nobody knows whether it has all that was written.
	Unmet Kind = "unmet"
	// Unseen: the replica's node is offline; what it has isn't known.
	Unseen Kind = "unseen"
	// AutoSnapshot: the snapshot that was due by the property AutoSnapshot/RunEvery wasn't taken.
	AutoSnapshot Kind = "auto-snapshot-failed"
	// NoDisk: a replica in use without a disk got none when it was due by the property DrbdOptions/auto-diskful.
	NoDisk Kind = "auto-diskful-failed"
	// CloneFailed: it was to be a clone, and is nothing.
	CloneFailed Kind = "clone-failed"
	// OutOfSync: two replicas that count as good and are connected differ; a verify found it.
	OutOfSync Kind = "out-of-sync"
	// NotThrottled: a limit that its properties ask for isn't kept on a node.
	NotThrottled Kind = "not-throttled"
	// NoFileSystem: the file system that its properties ask for isn't made, and its node doesn't try.
	NoFileSystem Kind = "no-file-system"
	// Held: the node leaves the replica as it is, and says why.
	Held Kind = "held"
)

// Condition of one resource.
type Condition struct {
	Kind     Kind
	Resource string
	Node     string // where it shows; the first by name where it is between two
	Peer     string // the other one, if there is one
	Volume   int    // -1: of the whole replica
	SinceMS  int64  // 0: not known
	Message  string
	Evidence []string
	Mends    []Mend
}

// Mend is a way out.
type Mend struct {
	What     string
	Commands []Command // in this order
	// LosesNothing is proven by the evidence; else Loses says what is given up.
	LosesNothing bool
	Loses        string
}

// Command to be typed.
type Command struct {
	Node string // on which; "": wherever the command line reaches the controller
	Line string
}

// Of lists the conditions of a definition, those of its data first.
func Of(s *state.Snapshot, d *state.Definition) []Condition {
	l := &look{s: s, d: d}
	for i := range d.Resources {
		if r := &d.Resources[i]; !r.Deleting {
			l.live = append(l.live, r)
		}
	}
	if d.Deleting {
		l.held()
		return l.out
	}
	if d.HasDRBD() {
		l.noGoodCopy()
		l.connections()
		for _, r := range l.live {
			l.replica(r)
			l.unmet(r)
		}
	}
	l.unseen()
	l.held()
	l.snapshots()
	l.fileSystems()
	l.throttles()
	l.noDisks()
	return l.out
}

type look struct {
	s    *state.Snapshot
	d    *state.Definition
	live []*model.Resource
	out  []Condition
}

func (l *look) add(c Condition) {
	c.Resource = l.d.Name
	l.out = append(l.out, c)
}

func (l *look) seen(r *model.Resource) *model.ResourceStatus {
	if n := l.s.Node(r.Node); n == nil || !n.Online() {
		return nil
	}
	return l.d.Seen[r.UUID]
}

// disk is DRBD's word for the volume; "" if nobody says.
func disk(st *model.ResourceStatus, number int) string {
	if st != nil {
		if v := st.Volume(number); v != nil {
			return v.Disk
		}
	}
	return ""
}

// volumes that hold data already, and stay.
func (l *look) volumes() (out []int) {
	for _, v := range l.d.Volumes {
		if v.Initialised && !v.Deleting {
			out = append(out, v.Number)
		}
	}
	return out
}

func (l *look) noGoodCopy() {
	for _, n := range l.volumes() {
		var evidence, offline []string
		good, found := false, false
		for _, r := range l.live {
			if r.Diskless || r.Volume(n) == nil {
				continue
			}
			found = true
			st := l.seen(r)
			switch w := disk(st, n); {
			case st == nil:
				offline = append(offline, r.Node)
				evidence = append(evidence, fmt.Sprintf("%s is offline, or hasn't reported: unknown", r.Node))
			case w == "":
				evidence = append(evidence, fmt.Sprintf("%s: no disk is attached", r.Node))
			default:
				good = good || w == model.DiskUpToDate
				evidence = append(evidence, fmt.Sprintf("%s: %s", r.Node, w))
			}
		}
		if good || !found {
			continue
		}
		c := Condition{Kind: NoGoodCopy, Volume: n, Message: fmt.Sprintf("No replica that is seen has good data of volume %d.", n), Evidence: evidence}
		if len(offline) > 0 {
			c.Node = offline[0]
			c.Mends = append(c.Mends, Mend{What: "Bring " + strings.Join(offline, ", ") + " back: the good copy may be there.", LosesNothing: true})
		}
		for _, r := range l.live {
			if st := l.seen(r); !r.Diskless && st != nil && disk(st, n) != "" && disk(st, n) != model.DiskDiskless {
				c.Mends = append(c.Mends, Mend{What: fmt.Sprintf("Declare what %s has to be good.", r.Node),
					Commands: []Command{{r.Node, "drbdadm primary --force " + l.d.Name}, {r.Node, "drbdadm secondary " + l.d.Name}},
					Loses:    fmt.Sprintf("every write that %s didn't get (its disk is %s)", r.Node, disk(st, n))})
			}
		}
		l.add(c)
	}
}

// connections that DRBD gave up, each pair once.
func (l *look) connections() {
	for i, a := range l.live {
		for _, b := range l.live[i+1:] {
			sa, sb := l.seen(a), l.seen(b)
			pa, pb := peerState(sa, b.Node), peerState(sb, a.Node)
			if pa != model.StandAlone && pb != model.StandAlone {
				continue
			}
			l.standAlone(a, b, sa, sb, pa, pb)
		}
	}
}

func peerState(st *model.ResourceStatus, node string) string {
	if st != nil {
		if p := st.Peer(node); p != nil {
			return p.State
		}
	}
	return ""
}

func (l *look) standAlone(a, b *model.Resource, sa, sb *model.ResourceStatus, pa, pb string) {
	c := Condition{Kind: StandAlone, Node: a.Node, Peer: b.Node, Volume: -1}
	both, known := false, sa != nil && sb != nil
	// worse: the side none of whose disks is good and that is not in use.
	worse := map[*model.Resource]bool{a: known && !a.Diskless, b: known && !b.Diskless}
	for _, side := range []struct {
		r    *model.Resource
		st   *model.ResourceStatus
		peer string
	}{{a, sa, pa}, {b, sb, pb}} {
		if side.st == nil {
			c.Evidence = append(c.Evidence, fmt.Sprintf("%s is offline, or hasn't reported", side.r.Node))
			continue
		}
		use := "not in use"
		if side.st.InUse {
			use, worse[side.r] = "in use (Primary)", false
		}
		var disks []string
		for _, v := range side.st.Volumes {
			disks = append(disks, fmt.Sprintf("volume %d %s", v.Number, word(v.Disk)))
			if v.Disk != model.DiskInconsistent {
				worse[side.r] = false // also Outdated: it may hold writes that the other never got
			}
		}
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s: %s, connection %s, %s", side.r.Node, strings.Join(disks, ", "), word(side.peer), use))
		c.SinceMS = max(c.SinceMS, side.st.SinceMS)
	}
	for _, n := range l.volumes() {
		both = both || disk(sa, n) == model.DiskUpToDate && disk(sb, n) == model.DiskUpToDate
	}
	if both {
		c.Kind = SplitBrain
		c.Message = fmt.Sprintf("%s and %s don't replicate to each other, and both count as good: each may have writes that the other lacks.", a.Node, b.Node)
	} else {
		c.Message = fmt.Sprintf("DRBD gave the connection between %s and %s up.", a.Node, b.Node)
	}
	c.Evidence = append(c.Evidence, "the kernel's log of both nodes says why: look for \"Split-Brain\" or \"refus\"")
	if !both && known {
		c.Mends = append(c.Mends, Mend{What: "Let them try again.", LosesNothing: true,
			Commands: []Command{{a.Node, "drbdadm adjust " + l.d.Name}, {b.Node, "drbdadm adjust " + l.d.Name}}})
	}
	for _, side := range [][2]*model.Resource{{a, b}, {b, a}} {
		victim, other := side[0], side[1]
		if !known || victim.Diskless || other.Diskless || l.seen(victim).InUse {
			continue
		}
		m := Mend{What: fmt.Sprintf("Take %s's data for good, and give up what only %s has.", other.Node, victim.Node),
			Commands: []Command{
				{victim.Node, l.disconnect(other.Node) + "drbdadm connect --discard-my-data " + l.link(other.Node)},
				{other.Node, "drbdadm adjust " + l.d.Name},
			}}
		if worse[victim] && !worse[other] {
			m.LosesNothing, m.What = true, fmt.Sprintf("Sync %s from %s: its disk is Inconsistent, nobody can read it.", victim.Node, other.Node)
		} else {
			m.Loses = fmt.Sprintf("what was written on %s since the two parted", victim.Node)
		}
		c.Mends = append(c.Mends, m)
	}
	slices.SortStableFunc(c.Mends, func(x, y Mend) int {
		switch {
		case x.LosesNothing == y.LosesNothing:
			return 0
		case x.LosesNothing:
			return -1
		}
		return 1
	})
	l.add(c)
}

// link is what drbdadm calls the connection to a node: 8.4 has one, without a name.
func (l *look) link(node string) string {
	if l.d.DRBD == model.DRBD9 {
		return l.d.Name + ":" + node
	}
	return l.d.Name
}

// disconnect goes before a command of the same line: 8.4 fails where there is no connection any more, which is as good.
func (l *look) disconnect(node string) string { return "drbdadm disconnect " + l.link(node) + "; " }

func word(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
