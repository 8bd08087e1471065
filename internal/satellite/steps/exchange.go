package steps

import (
	"iter"
	"maps"
	"slices"

	"holdfast/internal/model"
)

// DRBD 8.4 has one peer and one bitmap. What is written while one replica is connected is marked for nobody, and makes no new
// data generation: another that was exchanged for that one meanwhile would pass for good when it returns, and lack it. So it
// is noted how much had been written when a peer was left. When it returns, and more has been written, this replica's data
// get a new name before the two meet, so that it gets all of them.

// Exchange is what is known of peers that were exchanged for others. Peers are named by their replicas' ids.
type Exchange struct {
	// Peer is the one that the config in place has; "": not known.
	Peer model.UUID
	// For: what was written up to now is noted, to exchange Peer for that one; the config in place may have either.
	For model.UUID
	// Left says how much had been written to each volume when a peer was left, in KiB; nil: not known.
	Left map[model.UUID]map[int]int64
	// Renamed says how often volumes' data got a new name, for certain, for the peer that is about to return. 8.4 remembers two older
	// names: after three new ones the peer is known still, after four it isn't.
	Renamed map[model.UUID]map[int]int
	// Synced names, by the volume's id, the peer with which it was seen in sync since that is the one in the config.
	Synced map[model.UUID]model.UUID
}

func (e Exchange) equal(o Exchange) bool {
	return e.Peer == o.Peer && e.For == o.For && maps.Equal(e.Synced, o.Synced) && maps.EqualFunc(e.Renamed, o.Renamed, maps.Equal[map[int]int, map[int]int]) && maps.EqualFunc(e.Left, o.Left, func(a, b map[int]int64) bool { return (a == nil) == (b == nil) && maps.Equal(a, b) })
}

// Restarted is what is left of it when the kernel's counters begin anew.
func (e Exchange) Restarted() Exchange {
	left := e.Left
	e.Left = nil
	for id := range left {
		e = e.With(id, nil)
	}
	return e
}

// With notes how much had been written when a peer was left.
func (e Exchange) With(peer model.UUID, written map[int]int64) Exchange {
	left := maps.Clone(e.Left)
	if left == nil {
		left = map[model.UUID]map[int]int64{}
	}
	left[peer] = written
	e.Left = left
	return e
}

// WithRenamed notes that a volume's data got a new name for a peer that is about to return.
func (e Exchange) WithRenamed(peer model.UUID, number int) Exchange {
	all, one := maps.Clone(e.Renamed), maps.Clone(e.Renamed[peer])
	if all == nil {
		all = map[model.UUID]map[int]int{}
	}
	if one == nil {
		one = map[int]int{}
	}
	one[number]++
	all[peer] = one
	e.Renamed = all
	return e
}

// RenamedFor keeps what was noted for that peer, and of no other; "": nothing.
func (e Exchange) RenamedFor(peer model.UUID) Exchange {
	one := e.Renamed[peer]
	e.Renamed = nil
	if one != nil {
		e.Renamed = map[model.UUID]map[int]int{peer: one}
	}
	return e
}

// done: peer is the one that the config in place has.
func (e Exchange) done(peer model.UUID) Exchange {
	left := maps.Clone(e.Left)
	delete(left, peer)
	if len(left) == 0 {
		left = nil
	}
	out := Exchange{Peer: peer, Left: left}
	if e.Peer == peer {
		out.Synced = e.Synced
	}
	return out
}

// Written is how much was written to each volume, in KiB.
func Written(k *Kernel) map[int]int64 {
	if k == nil {
		return nil
	}
	out := map[int]int64{}
	for n, v := range k.Volumes {
		out[n] = v.WrittenKiB
	}
	return out
}

// Rename gives, in order, the volumes whose data get a new name before a peer returns that was left, and how many times.
//
// Twice where that peer may lack what was written since: so the bitmap doesn't count, and it gets all of them. Once where nothing was
// written, and the bitmap has what the peer lacks that goes, one that was in the midst of its sync: as long as 8.4 has that in
// its bitmap, what is written makes no new data generation, so that it would be lost should the peer that returns have
// renamed its own data meanwhile. Then that one gets what is in the bitmap.
func Rename(k *Kernel, left map[int]int64) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for _, n := range slices.Sorted(maps.Keys(k.Volumes)) {
			v, times := k.Volumes[n], 0
			switch w, known := left[n]; {
			case !attached(v.Disk):
			case !known || w != v.WrittenKiB:
				times = 2
			case v.Disk == model.DiskUpToDate && slices.ContainsFunc(k.Peers, func(p KernelPeer) bool { return p.Volumes[n].OutOfSyncKiB > 0 }):
				times = 1
			}
			if times > 0 && !yield(n, times) {
				return
			}
		}
	}
}

// exchange notes what was written before the one peer that 8.4 has is exchanged for another, and sees to it that one that
// returns gets what it missed. nil: there is nothing to note. A replica that goes and doesn't know whether anything was written
// to it since gives its peer nothing: what it had when it was told to go the others had too, and what they wrote since,
// connected to each other, made no new data generation either.
func (p *planner) exchange() *Plan {
	e := p.seen.Record.Exchange
	if p.spec.DRBD.Generation != model.DRBD8 || len(p.spec.DRBD.Peers) != 1 || e.Peer == "" || !p.seen.ConfigThere {
		return nil
	}
	next := p.spec.DRBD.Peers[0]
	if e.For == next.ID || e.For == "" && e.Peer == next.ID {
		return nil
	}
	left, returns := e.Left[next.ID]
	if p.seen.Kernel == nil && returns && next.Stays {
		// Data are renamed while they are attached and unconnected: first all comes up as it was.
		s := p.step(Adjust)
		s.Config = p.seen.Config
		rec := p.seen.Record
		rec.There = true
		for _, v := range p.spec.Volumes {
			rec.Minors = append(rec.Minors[:len(rec.Minors):len(rec.Minors)], v.Minor)
		}
		w := do(p.record(rec), s)
		return &w
	}
	s := p.step(LeavePeer)
	s.Record, s.Label, s.Returns = p.seen.Record, next.ID, returns && next.Stays && !(p.goes && left == nil)
	w := do(s)
	return &w
}
