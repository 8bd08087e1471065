package steps

import "holdfast/internal/model"

// snapshot takes a copy of the volumes, or removes it. A copy that isn't to be taken now and isn't there is lost.
func (p *planner) snapshot() Plan {
	var steps []Step
	var wait *Plan
	for _, c := range p.spec.Snapshot.Copies {
		sv := p.seen.Volumes[c.Number]
		d := sv.Device
		own := d != nil && d.Label == c.ID
		s := p.step(TakeSnapshot)
		s.Pool, s.Device, s.Path, s.Label, s.Of, s.Number, s.SizeKiB = c.Pool, c.Device, c.Name, c.ID, c.Of, c.Number, c.RoomKiB
		var w Plan
		switch {
		case sv.PoolReason != "":
			w = failed("storage pool %s can't be read: %s", c.Pool, sv.PoolReason)
		case !sv.PoolSeen:
			w = working("storage pool %s is being read", c.Pool)
		case p.spec.Want == model.Gone:
			if own {
				s.Kind, s.Device, s.Path = RemoveSnapshot, c.Name, ""
				steps = append(steps, s)
			}
			continue
		case own && !d.Leftover && d.Broken != "":
			w = failed("the snapshot %s has lost its content: %s", c.Name, d.Broken)
			w.Broken = true
		case own && !d.Leftover:
			continue
		case !p.spec.Snapshot.Take:
			w = failed("the snapshot %s is missing from storage pool %s", c.Name, c.Pool)
			w.Broken = d == nil
		case d != nil && !own && !d.Leftover:
			w = failed("storage pool %s already has a device %s that isn't this snapshot (label %q)", c.Pool, c.Name, d.Label)
		case !p.node.Session:
			w = working("it waits for a controller's session")
		default:
			steps = append(steps, s)
			continue
		}
		if wait == nil || w.Phase == model.Failed && wait.Phase != model.Failed {
			wait = &w
		}
	}
	if len(steps) > 0 && (wait == nil || p.spec.Want == model.Gone) {
		return do(steps...)
	}
	if wait != nil {
		return *wait
	}
	return Plan{Phase: model.Done, Gone: p.spec.Want == model.Gone}
}
