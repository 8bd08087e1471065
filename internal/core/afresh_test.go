package core_test

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

// A volume whose last copy was given up or deleted begins anew with its next replica, and not while anybody has a copy.
func TestBeginsAfresh(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, lost := range []bool{false, true} {
			w := tutorial(t, gen)
			w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
			w.see("bravo", "backups", "", nil)
			if lost {
				seen := *w.tx.Snapshot().Node("alpha").Seen
				seen.Status = model.StatusOffline
				w.tx.SeeNode("alpha", &seen)
				d := w.def("backups")
				w.tx.SeeResource(d.UUID, d.On("alpha").UUID, nil)
				w.do(core.NodeLost{Name: "alpha", Lose: []string{"backups"}})
			} else {
				w.do(core.ResourceDelete{Definition: "backups", Node: "alpha"})
				if vd := w.def("backups").Volumes[0]; !vd.Initialised {
					t.Fatalf("DRBD %d: alpha's copy isn't gone yet: %+v", gen, vd)
				}
				w.see("alpha", "backups", "", nil)
			}
			w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "bravo"}}})
			w.see("bravo", "backups", "Inconsistent", nil)
			d := w.def("backups")
			spec := nodestate.Resources(w.tx.Snapshot(), d, "bravo")[0]
			if d.Volumes[0].Initialised || !d.On("bravo").First || spec.Volumes[0].Seed != model.SeedSync {
				t.Errorf("DRBD %d, lost %v: nobody is to be the source of the first sync: %+v, %+v", gen, lost, d.Volumes[0], spec.Volumes[0])
			}
			w.see("bravo", "backups", model.DiskUpToDate, nil)
			if !w.def("backups").Volumes[0].Initialised {
				t.Errorf("DRBD %d, lost %v: it isn't initialised", gen, lost)
			}
		}
	}
}
