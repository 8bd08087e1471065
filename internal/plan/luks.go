package plan

import (
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// rekeyed forgets the older keys of a volume once every replica with a disk, of which there is one, has said that the first
// one opens it.
func rekeyed(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Volumes {
		vd := &c.Volumes[i]
		if vd.Keys == nil || len(vd.Keys.Keys) < 2 || c.RollingBack() != nil || !deployed(c, vd.Number) || slices.ContainsFunc(c.Resources, func(r model.Resource) bool {
			v := r.Volume(vd.Number)
			if v == nil || r.Diskless {
				return false
			}
			sv := status(d, &r, v)
			return sv == nil || sv.LUKS == nil || sv.LUKS.Gen != vd.Keys.Gen
		}) {
			continue
		}
		k := *vd.Keys
		k.Keys = k.Keys[:1:1]
		vd.Keys, moved = &k, true
	}
	return moved
}

func deployed(c *model.ResourceDefinition, number int) bool {
	return slices.ContainsFunc(c.Resources, func(r model.Resource) bool { return !r.Diskless && r.Volume(number) != nil })
}
