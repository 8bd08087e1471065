package plan

import (
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Votes are who votes in DRBD 9's quorum for a definition.
type Votes struct {
	Full    int  // have a disk, or are to get one
	Less    int  // have none: witnesses
	Leaving int  // are being removed, and vote until they are gone, since they had data
	Filled  bool // those of Full were all UpToDate once, with every volume
}

// With counts those with a disk.
func (v Votes) With() int { return v.Full + v.Leaving }

// CountVotes of a definition.
func CountVotes(c *model.ResourceDefinition) Votes {
	n := Votes{Filled: true}
	for i := range c.Resources {
		r := &c.Resources[i]
		switch {
		case r.Deleting:
			if leaves(r) {
				n.Leaving++
			}
		case r.Diskless:
			n.Less++
		default:
			n.Full++
			n.Filled = n.Filled && r.Filled()
		}
	}
	return n
}

func leaves(r *model.Resource) bool {
	return r.Deleting && !r.Diskless && slices.ContainsFunc(r.Volumes, func(v model.Volume) bool { return v.Filled })
}

// GoesSoon tells whether a replica that votes is being removed by a node that tells of it, while those that stay are UpToDate.
func GoesSoon(s *state.Snapshot, d *state.Definition) (soon bool) {
	for i := range d.Resources {
		r := &d.Resources[i]
		n := s.Node(r.Node)
		switch {
		case leaves(r):
			soon = soon || n != nil && n.Online() && d.Seen[r.UUID] != nil
		case !r.Deleting && !r.Diskless && !UpToDate(d, r):
			return false
		}
	}
	return soon
}

// MostMustBeGood tells whether a majority of those that vote has to be UpToDate for anybody to write. DRBD counts a disk that
// is empty still, or isn't there yet, and that one remembers nothing: two that see only it would each have quorum with it.
// So most have to be good as soon as they can be: where each was good once, or where most were good and connected to each
// other at a time since so many vote.
func MostMustBeGood(c *model.ResourceDefinition) bool {
	v := CountVotes(c)
	n := v.With()
	if n < 3 || v.Filled {
		return n >= 3
	}
	return c.GoodAmong >= n && !slices.ContainsFunc(c.Volumes, func(vd model.VolumeDefinition) bool {
		return !vd.Deleting && filled(c, vd.Number) <= n/2
	})
}

// MajorityThere tells whether a majority may be asked of three or more that are to have a disk. Where two had none to ask for, and
// one of them is away, the other one has none with a third that joins: it would lose its quorum while it is in use, and 9.2.18
// refuses to connect it then (-25, seen in the lab), so that the third never joined. A witness that is there, or gets a disk, means
// that a majority was asked for before.
func MajorityThere(c *model.ResourceDefinition) bool {
	v := CountVotes(c)
	return v.Less > 0 || v.Filled || c.GoodAmong >= v.With() ||
		slices.ContainsFunc(c.Resources, func(r model.Resource) bool { return r.Toggle == model.AddRequested || r.Toggle == model.Adding })
}

// filled counts the voters on which that volume was good once.
func filled(c *model.ResourceDefinition, number int) (n int) {
	for i := range c.Resources {
		r := &c.Resources[i]
		if v := r.Volume(number); v != nil && v.Filled && !r.Diskless && (!r.Deleting || leaves(r)) {
			n++
		}
	}
	return n
}

// goodAmong remembers among how many voters most were UpToDate at once and connected to each other, so that nobody has to
// wait for them who begins to ask for it.
func goodAmong(d *state.Definition, c *model.ResourceDefinition) bool {
	n := CountVotes(c).With()
	if c.DRBD != model.DRBD9 || n < 3 {
		n = 0
	}
	if n <= c.GoodAmong {
		moved := n != c.GoodAmong
		c.GoodAmong = n
		return moved
	}
	var good []*model.Resource
	for i := range c.Resources {
		if r := &c.Resources[i]; UpToDate(d, r) {
			good = append(good, r)
		}
	}
	for _, r := range good {
		together := 1
		for _, p := range d.Seen[r.UUID].Peers {
			if p.State == model.Connected && slices.ContainsFunc(good, func(o *model.Resource) bool { return o != r && o.NodeID == p.NodeID }) {
				together++
			}
		}
		if together > n/2 {
			c.GoodAmong = n
			return true
		}
	}
	return false
}
