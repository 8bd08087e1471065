package sim

import (
	"holdfast/internal/core"
	"holdfast/internal/sim/machine"
	"holdfast/internal/state"
)

// grow asks for more of some volume, now and then twice, or for less, which is refused.
func (w *world) grow() {
	s := w.snapshot()
	var all []core.VolumeModify
	s.Definitions(func(d *state.Definition) bool {
		for _, vd := range d.Volumes {
			all = append(all, core.VolumeModify{Definition: d.Name, Number: vd.Number, SizeKiB: vd.SizeKiB})
		}
		return true
	})
	if len(all) == 0 {
		return
	}
	c := pick(w, all)
	switch k := w.rng.IntN(10); {
	case k == 0:
		c.SizeKiB /= 2
	case k < 4:
		c.SizeKiB += 1 + w.rng.Int64N(8192)
	default:
		c.SizeKiB = min(c.SizeKiB*2, 256<<10)
	}
	w.type_(c)
	if w.chance(20) {
		for range w.rng.IntN(40) {
			w.next()
		}
		c.SizeKiB += 4096
		w.type_(c)
	}
}

// size: a volume is never smaller than it was once to somebody who used it. A disk whose data were given up may be another
// by now.
func (o *oracle) size(w *world, a attached, v machine.VolumeView, x *vol) {
	if a.r.Role != "Primary" || v.State != "UpToDate" || x.forgiven || x.rolled {
		return
	}
	if v.SizeKiB < x.sizeKiB {
		w.broken("I1", "volume %d of %s on %s has %d KiB, and had %d once", v.Number, a.r.Name, a.n.name, v.SizeKiB, x.sizeKiB)
	}
	x.sizeKiB = v.SizeKiB
}
