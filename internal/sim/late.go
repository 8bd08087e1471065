package sim

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"holdfast/internal/controller"
	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/store"
	"holdfast/internal/stored"
	"holdfast/internal/wire"
)

// The mistakes of the broken variants.

// breakDesired changes orders on their way to a node.
func (w *world) breakDesired(n *node, d wire.Desired) wire.Desired {
	switch w.cfg.Break {
	case GuardSkipped:
		// The node's planner believes that nothing needs to be good; the step that looks again is taken out in node.run.
		d.Resources = slices.Clone(d.Resources)
		for i := range d.Resources {
			if d.Resources[i].Want == model.Gone {
				d.Resources[i].Lose = true
			}
		}
	case NodeIDAgain: // see breakReport
		d.Resources = slices.Clone(d.Resources)
		for i := range d.Resources {
			if r := &d.Resources[i]; r.DRBD != nil && len(r.DRBD.Forget) > 0 {
				o := *r.DRBD
				o.Forget, r.DRBD = nil, &o
			}
		}
	case DropUnguarded:
		d.Resources = slices.Clone(d.Resources)
		for i := range d.Resources {
			d.Resources[i].Hold = false
		}
	case NoIncarnation:
		d.Resources = slices.Clone(d.Resources)
		for i := range d.Resources {
			if d.Resources[i].Want == model.Gone {
				w.strip(n, &d.Resources[i])
			}
		}
	}
	return d
}

// strip makes an order to remove fit whatever has the name on the node.
func (w *world) strip(n *node, r *model.ResourceSpec) {
	r.Volumes = slices.Clone(r.Volumes)
	for i := range r.Volumes {
		v := &r.Volumes[i]
		for _, d := range n.m.Disks() {
			if d.Label != "" && (d.Path == "/dev/"+vgName+"/"+v.Backing || d.Path == dirName+"/"+v.Backing+".img" || d.Path == zvolDir+v.Backing) {
				v.ID = model.UUID(d.Label)
			}
		}
	}
}

// skip takes the steps of a kind, the node's last look, out of a job.
func skip(kind steps.Kind, all []steps.Step) []steps.Step {
	return slices.DeleteFunc(slices.Clone(all), func(s steps.Step) bool { return s.Kind == kind })
}

// lateStore holds back what should be in the store already.
type lateStore struct {
	queue []*controller.CommitRequest // EarlyAnswer
	held  map[int64]store.Change      // LateMilestone: records with their milestones
}

func (l *lateStore) waiting() bool { return len(l.queue) > 0 }

// commitEarly tells the brain that all is well before the store has it.
func (c *ctl) commitEarly() {
	req := c.req
	c.req = nil
	c.late.queue = append(c.late.queue, req)
	c.brain.Committed(req.Base+1, nil, c.w.now)
	c.due = true
	c.settled(nil)
	c.hand()
	c.w.checkPublished(c)
}

// flush stores what was promised.
func (l *lateStore) flush(c *ctl) {
	req := l.queue[0]
	l.queue = l.queue[1:]
	if _, err := c.store.Commit(context.Background(), req.Epoch, req.Base, req.Changes); err != nil {
		c.w.logf("%s: late commit fails: %v", c.name, err)
		l.queue = nil
		c.crash()
	}
}

// hold stores definitions without the milestones that are new in them; those follow with a later commit.
func (l *lateStore) hold(c *ctl, changes []store.Change) []store.Change {
	out := slices.Clone(changes)
	for _, id := range slices.Sorted(maps.Keys(l.held)) {
		if slices.ContainsFunc(out, func(ch store.Change) bool { return ch.ID == id }) {
			delete(l.held, id)
		} else if c.w.chance(5) {
			out = append(out, l.held[id])
			delete(l.held, id)
		}
	}
	for i, ch := range out {
		if ch.Kind != store.KindResourceDefinition || ch.Delete() || i >= len(changes) {
			continue
		}
		o, err := stored.Decode(store.Record(ch))
		if err != nil {
			panic(err)
		}
		d, fresh := o.Definition, false
		for j := range d.Volumes {
			v := &d.Volumes[j]
			if v.Initialised || v.Source != "" {
				fresh = true
				v.Initialised, v.Source, v.SkipSync = false, "", false
			}
		}
		for j := range d.Resources {
			for k := range d.Resources[j].Volumes {
				v := &d.Resources[j].Volumes[k]
				fresh = fresh || v.Initialised
				v.Initialised = false
			}
		}
		if !fresh {
			continue
		}
		if l.held == nil {
			l.held = map[int64]store.Change{}
		}
		l.held[ch.ID] = ch
		out[i].Data = encodeDefinition(ch, d)
	}
	return out
}

func encodeDefinition(ch store.Change, d *model.ResourceDefinition) []byte {
	e, err := (&stored.Codec{}).Encode(change(d))
	if err != nil {
		panic(err)
	}
	if !json.Valid(e.Data) {
		panic("not JSON")
	}
	return e.Data
}
