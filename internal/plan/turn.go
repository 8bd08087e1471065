package plan

import (
	"cmp"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Snapshots take turns. I/O may stand still for 8 s, and a node makes copies one after the other: of fifty that all held their I/O
// at once most would lapse. So on each node two standstills are under way, one that copies and one that gets ready, or four snapshots
// that hold nothing and have 30 s, or one and two. The others wait, none of them longer than those that were asked for before it on
// one of its nodes. Users' come before those that are taken by themselves, of which there may be many at the same minute.
const (
	room     = 4 // of a node
	ofHeld   = 2 // what one takes up that holds I/O
	ofUnheld = 1
	// turnMS is how long one that has begun keeps others waiting: its lease, its guard, and as much again. One that hangs for
	// longer, on a node that doesn't do what it's told, is no reason for others not to be taken.
	turnMS = 20_000
)

// turn is a standstill, or a snapshot that needs none: the snapshots of one lease.
type turn struct {
	size      int // what it takes up of each node's room
	lease     model.UUID
	createdMS int64
	auto      bool
	begunMS   int64 // the latest
	begun     bool  // one of them at least
	holds     bool  // one of them at least isn't over
	nodes     []string
	waiting   []model.UUID // definitions
}

// turns lets those snapshots begin whose turn it is.
func turns(tx *state.Tx, env Env) (begun bool, err error) {
	for _, t := range come(tx.Snapshot(), env.NowMS) {
		for _, id := range t.waiting {
			c := tx.Snapshot().DefinitionByID(id).ResourceDefinition.Clone()
			sn := c.Taking()
			sn.Waits, sn.BegunMS = false, env.NowMS
			if err := tx.PutDefinition(c); err != nil {
				return false, err
			}
			begun = true
		}
	}
	return begun, nil
}

// TurnCame tells whether a snapshot may begin only because time has passed.
func TurnCame(s *state.Snapshot, nowMS int64) bool { return len(come(s, nowMS)) > 0 }

// come are the standstills that may begin, or of which a part has begun.
func come(s *state.Snapshot, nowMS int64) (out []*turn) {
	all := standstills(s)
	if !slices.ContainsFunc(all, func(t *turn) bool { return len(t.waiting) > 0 }) {
		return nil
	}
	busy := map[string]int{}
	count := func(t *turn) {
		for _, n := range t.nodes {
			busy[n] += t.size
		}
	}
	for _, t := range all {
		if ago := nowMS - t.begunMS; t.begun && t.holds && ago >= 0 && ago < turnMS {
			count(t)
		}
	}
	for _, t := range all {
		switch {
		case len(t.waiting) == 0:
			continue
		case t.begun:
			out = append(out, t)
			continue
		case !slices.ContainsFunc(t.nodes, func(n string) bool { return busy[n]+t.size > room }):
			out = append(out, t)
		}
		count(t) // one that must wait keeps its place before those that came later
	}
	return out
}

// standstills that are under way or waited for, in the order in which their turns come.
func standstills(s *state.Snapshot) (out []*turn) {
	by := map[model.UUID]*turn{}
	s.Taking(func(d *state.Definition) bool {
		sn := d.Taking()
		t := by[sn.Lease]
		if t == nil {
			t = &turn{lease: sn.Lease, createdMS: sn.CreatedMS, auto: sn.Auto, size: ofUnheld}
			by[sn.Lease] = t
			out = append(out, t)
		}
		if !sn.Unheld && len(sn.Quiet) > 0 {
			t.size = ofHeld
		}
		if sn.Waits {
			t.waiting = append(t.waiting, d.UUID)
		} else {
			t.begun, t.begunMS = true, max(t.begunMS, sn.BegunMS)
		}
		t.holds = t.holds || sn.State != model.SnapshotResuming
		for _, id := range sn.Quiet {
			if r := d.Replica(id); r != nil {
				t.on(r.Node)
			}
		}
		for _, k := range sn.Copies {
			t.on(k.Node)
		}
		return true
	})
	slices.SortFunc(out, func(a, b *turn) int {
		if a.auto != b.auto {
			return map[bool]int{true: 1, false: -1}[a.auto]
		}
		return cmp.Or(cmp.Compare(a.createdMS, b.createdMS), cmp.Compare(a.lease, b.lease))
	})
	return out
}

func (t *turn) on(node string) {
	if key := model.Key(node); !slices.Contains(t.nodes, key) {
		t.nodes = append(t.nodes, key)
	}
}
