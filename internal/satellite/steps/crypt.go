package steps

import (
	"holdfast/internal/model"
)

// An encrypted volume stands on a mapping of its device: DRBD, or the user where there is no DRBD, sees only that. A device
// is formatted as DRBD's metadata are made: only in a session, on a device of this incarnation that isn't initialised, never
// on one that was made from a snapshot, and again after a restart that forgot how far it came. What stands on it is used
// only when the controller has noted that it is initialised.

// path is where what stands on the volume's device finds it; "" while that isn't there.
func (p *planner) path(v model.VolumeSpec) string {
	sv := p.seen.Volumes[v.Number]
	switch {
	case v.LUKS == nil && sv.Device != nil:
		return sv.Device.Path
	case v.LUKS != nil && sv.Mapped:
		return model.MappingPath(v.ID)
	}
	return ""
}

// crypt formats and opens the volumes' devices, which are there. It gives a Plan if there is something to do or to wait for,
// else nil.
func (p *planner) crypt(vols []model.VolumeSpec) *Plan {
	var steps []Step
	var wait *Plan
	for _, v := range vols {
		if v.LUKS == nil || v.Pool == "" {
			continue
		}
		sv := p.seen.Volumes[v.Number]
		var w Plan
		switch fresh := p.unformatted(v); {
		case !sv.MappingsKnown:
			w = working("this node's encrypted devices are being read")
		case !sv.KeyKnown && (fresh || !sv.Mapped):
			w = blocked("volume %d is encrypted and waits for its key: enter the passphrase on the controller, `encryption enter-passphrase`", v.Number)
		case fresh && !p.node.Session:
			w = working("the encryption of volume %d waits for a controller's session", v.Number)
		case fresh:
			if !sv.Made {
				steps = append(steps, p.volumeStep(VerifyDevice, v))
			}
			if sv.Mapped {
				steps = append(steps, p.volumeStep(CloseCrypt, v))
			}
			steps = append(steps, p.volumeStep(FormatCrypt, v), p.volumeStep(OpenCrypt, v))
			continue
		case !sv.Mapped, sv.KeyKnown && sv.KeyGen != v.LUKS.Gen:
			steps = append(steps, p.volumeStep(OpenCrypt, v))
			continue
		default:
			continue
		}
		if wait == nil {
			wait = &w
		}
	}
	if wait != nil {
		return wait
	}
	if len(steps) > 0 {
		w := do(steps...)
		return &w
	}
	return nil
}

// unformatted tells whether the volume's device is to be formatted: it holds nothing yet.
func (p *planner) unformatted(v model.VolumeSpec) bool {
	sv := p.seen.Volumes[v.Number]
	if p.initialised(v) || v.From != nil || sv.Formatted || sv.MDMade || sv.Data {
		return false
	}
	if k := p.seen.Kernel; k != nil && p.spec.DRBD != nil {
		if kv, there := k.Volumes[v.Number]; there && kv.Disk != model.DiskDiskless {
			return false // attached: it holds something, whatever the word says
		}
	}
	return true
}

// mapped tells whether a mapping of this incarnation is open, or that may be so.
func (p *planner) mapped(v model.VolumeSpec) bool {
	return v.LUKS != nil && v.Pool != "" && p.seen.Volumes[v.Number].Mapped
}

// closes are the steps that close the volume's mapping, if it is open.
func (p *planner) closes(v model.VolumeSpec) []Step {
	if !p.mapped(v) {
		return nil
	}
	return []Step{p.volumeStep(CloseCrypt, v)}
}

// remove is what removes the volume's device, from the top down.
func (p *planner) remove(v model.VolumeSpec) []Step {
	steps := p.closes(v)
	if p.own(v) != nil {
		steps = append(steps, p.volumeStep(RemoveDevice, v))
	}
	return steps
}

// luksAlone is for a volume without DRBD: nobody is to use it before it can't be formatted again.
func (p *planner) luksAlone(vols []model.VolumeSpec) *Plan {
	for _, v := range vols {
		if v.LUKS != nil && !p.initialised(v) {
			w := working("the controller is to note that volume %d is encrypted", v.Number)
			return &w
		}
	}
	return nil
}
