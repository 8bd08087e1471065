package steps

import (
	"fmt"

	"holdfast/internal/model"
)

// rollback takes the replica down, and once all of them are, gives its devices the content of their snapshots. The config
// file goes meanwhile, so that nobody else brings one up while another is rolled back already.
func (p *planner) rollback() Plan {
	if why := p.cantGoBack(); why != "" {
		return failed("%s", why)
	}
	if w := p.rest(); len(w.Steps) > 0 || w.Phase != model.Done {
		return w
	}
	rb := p.spec.Rollback
	if p.spec.DRBD != nil {
		switch {
		case !p.seen.KernelKnown && p.node.DRBD != model.Unpinned:
			return working("DRBD's state is being read")
		case p.seen.Kernel != nil:
			return failed("DRBD on this node runs a resource %s that isn't this one; it is left untouched: rename or stop it", p.spec.Name)
		case p.seen.ConfigThere && p.seen.ConfigID == p.spec.ID:
			return do(p.step(RemoveConfig))
		}
	}
	if p.seen.Rolled == rb.ID && rb.Anew && p.seen.Anew != rb.ID {
		return p.stopped(p.anew())
	}
	if rec := p.seen.Record; rb.Go && rb.Fill && rec.There && rec.Exchange.Synced != nil {
		rec.Exchange.Synced = nil
		return p.stopped(do(p.record(rec)))
	}
	if !rb.Go || p.seen.Rolled == rb.ID || len(rb.Copies) == 0 {
		w := working("it is down until all of its replicas are rolled back")
		w.Rolled = model.Stopped
		if rb.Go {
			w.Rolled = model.Rolled
		}
		return w
	}
	var steps []Step
	for _, c := range rb.Copies {
		if w := p.notThere(c); w != nil {
			return p.stopped(*w)
		}
		sv := p.seen.Volumes[c.Number]
		for _, v := range p.spec.Volumes {
			if v.Number == c.Number {
				if v.LUKS != nil && !sv.MappingsKnown {
					return p.stopped(working("this node's encrypted devices are being read"))
				}
				steps = append(steps, p.closes(v)...)
			}
		}
		s := p.step(RollbackDevice)
		s.Pool, s.Device, s.Label, s.Number, s.Of = c.Pool, c.Device, c.Of, c.Number, rb.ID
		s.From = &model.Source{Label: c.ID, Device: c.Name}
		steps = append(steps, s)
	}
	return p.stopped(do(steps...))
}

// notThere says why the device that goes back to a copy can't be worked on; nil if it can.
func (p *planner) notThere(c model.CopySpec) *Plan {
	var w Plan
	switch sv := p.seen.Volumes[c.Number]; {
	case sv.PoolReason != "":
		w = failed("storage pool %s can't be read: %s", c.Pool, sv.PoolReason)
	case !sv.PoolSeen:
		w = working("storage pool %s is being read", c.Pool)
	case sv.Device == nil || sv.Device.Label != c.Of || sv.Device.Leftover:
		w = failed("the backing device %s of volume %d is missing from storage pool %s", c.Device, c.Number, c.Pool)
	default:
		return nil
	}
	return &w
}

// anew makes the metadata of what was rolled back anew: DRBD fills it from the replica that keeps its content.
func (p *planner) anew() Plan {
	var steps []Step
	for _, c := range p.spec.Rollback.Copies {
		for _, v := range p.spec.Volumes {
			if v.Number != c.Number {
				continue
			}
			if w := p.notThere(c); w != nil {
				return *w
			}
			if p.seen.Volumes[v.Number].Device.Path == "" {
				return do(p.volumeStep(ActivateDevice, v))
			}
			steps = append(steps, p.newMetadata(v)...)
			steps[len(steps)-1].Of = p.spec.Rollback.ID
		}
	}
	return do(steps...)
}

// cantGoBack says why a device can't go back to that snapshot, before anything is taken down for it; "" if nothing is known against it.
func (p *planner) cantGoBack() string {
	rb := p.spec.Rollback
	if rb.Go {
		return "" // others may have gone back already
	}
	for _, c := range rb.Copies {
		d := p.seen.Volumes[c.Number].Device
		if d == nil || d.Label != c.Of || d.Newest == "" || d.NewestLabel == c.ID {
			continue
		}
		return fmt.Sprintf("the storage goes back only to the newest snapshot of %s, which is %s", c.Device, d.Newest)
	}
	return ""
}

func (p *planner) stopped(w Plan) Plan {
	w.Rolled = model.Stopped
	return w
}
