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
