package steps

import "holdfast/internal/model"

// throttle limits the volumes' backing devices, which are there. What a limit fails at holds up nothing: the status says it.
func (p *planner) throttle(up []model.VolumeSpec) *Plan {
	var steps []Step
	for _, v := range up {
		sv := p.seen.Volumes[v.Number]
		if p.own(v) == nil || sv.Device.Path == "" {
			continue
		}
		var want model.Throttle
		if v.Throttle != nil {
			want = *v.Throttle
		}
		switch have := sv.Throttle; {
		case have != nil && *have == want:
		case have == nil && v.Throttle == nil && !p.node.Throttles:
		default:
			s := p.volumeStep(Throttle, v)
			s.Throttle = want
			steps = append(steps, s)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	w := do(steps...)
	return &w
}
