package plan

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Succession says what a replica that is to be replaced waits for.
func Succession(s *state.Snapshot, d *state.Definition, r *model.Resource) string {
	next := d.Replica(r.Successor)
	if next == nil {
		return "its replacement is being chosen anew"
	}
	if UpToDate(d, next) {
		switch st := d.Seen[r.UUID]; {
		case st == nil:
			return fmt.Sprintf("its replacement on %s is UpToDate; it goes when %s returns", next.Node, r.Node)
		case st.InUse:
			return fmt.Sprintf("its replacement on %s is UpToDate; it goes when it isn't in use on %s any more", next.Node, r.Node)
		}
		return fmt.Sprintf("its replacement on %s is UpToDate; it goes now", next.Node)
	}
	return fmt.Sprintf("it goes when its replacement on %s is UpToDate, which is %s", next.Node, diskWord(s, next, d.Seen[next.UUID]))
}

// Evicted tells whether the replica's node is: it was away for too long.
func Evicted(s *state.Snapshot, r *model.Resource) bool {
	n := s.Node(r.Node)
	return n != nil && n.Evicted
}

// successions lets a replica go when the one that takes its place is proven good, and keeps it when that one went itself.
// On an evicted node it stays, down: it goes or comes back by `node restore` or `node lost`.
func successions(s *state.Snapshot, env Env, d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	if c.Deleting {
		return false
	}
	for i := range c.Resources {
		r := &c.Resources[i]
		if r.Successor == "" {
			continue
		}
		next := c.Replica(r.Successor)
		if next == nil || !next.Diskful() {
			Stay(s, env, c, r)
			moved = true
			continue
		}
		if Evicted(s, r) || !UpToDate(d, next) || c.RollingBack() != nil {
			continue
		}
		if st := d.Seen[r.UUID]; st == nil || st.InUse {
			continue // nobody knows whether it is in use while its node is away
		}
		free := *r
		free.Successor = ""
		if m := MayRemove(s, d, &free); m.OK && !m.LastUnused {
			r.Successor, r.Deleting, moved = "", true, true
		}
	}
	return moved
}

// Stay takes it back that a replica is to be replaced. With DRBD 8.4 it may have made room already: it returns to its
// place unless that is taken, and gets the volumes that were made meanwhile, in the pool of its others. Nothing of it was ordered
// to go yet.
func Stay(s *state.Snapshot, env Env, c *model.ResourceDefinition, r *model.Resource) {
	held := r.Deleting
	r.Successor = ""
	if !held {
		return
	}
	live := 0
	for i := range c.Resources {
		if o := &c.Resources[i]; !o.Deleting && (model.Key(o.Node) == model.Key(r.Node) || !Evicted(s, o)) {
			if model.Key(o.Node) == model.Key(r.Node) {
				return
			}
			live++
		}
	}
	if r.Deleting = live >= 2; r.Deleting || len(r.Volumes) == 0 {
		return
	}
	for i := range c.Volumes {
		if vd := &c.Volumes[i]; !vd.Deleting && r.Volume(vd.Number) == nil {
			r.Volumes = append(r.Volumes, model.Volume{UUID: env.UUID(), Number: vd.Number, Pool: r.Volumes[0].Pool})
		}
	}
	slices.SortFunc(r.Volumes, func(a, b model.Volume) int { return a.Number - b.Number })
}
