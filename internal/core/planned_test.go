package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

func TestPlanned(t *testing.T) {
	w := full(t, model.DRBD9)
	gen := w.def("backups").Generation
	plan := func(c core.Command, want ...string) {
		t.Helper()
		got := text(w.do(core.Planned{Command: c}))
		for _, part := range append(want, "nothing was changed") {
			if !strings.Contains(got, part) {
				t.Errorf("%+v: no %q in\n%s", c, part, got)
			}
		}
		if w.def("backups").Generation != gen || w.tx.Snapshot().Node("alpha").Evacuate {
			t.Fatalf("%+v: something was changed", c)
		}
	}
	plan(core.ResourceDelete{Definition: "backups", Node: "alpha"}, "removed from node 'alpha'", "2 good copies now, 1 meanwhile, 1 at the end; 0 KiB")
	plan(core.ToggleDisk{Definition: "backups", Node: "alpha", Diskless: true}, "disk of 'backups' on node 'alpha'", "1 at the end")
	plan(core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha"}, "get a disk on node 'charlie'", "524288 KiB would be copied", "2 good copies now, 2 meanwhile, 2 at the end")
	plan(core.NodeEvacuate{Name: "alpha"}, "leave node 'alpha' when it is UpToDate on node 'charlie'", "2 meanwhile")
	plan(core.DefinitionDelete{Name: "backups"}, "no copy would remain")
	w.refused(fault.InUse, core.Planned{Command: core.NodeEvict{Name: "alpha"}})

	w = full(t, model.DRBD8)
	gen = w.def("backups").Generation
	plan(core.NodeEvacuate{Name: "alpha"}, "get a disk on node 'charlie'", "2 good copies now, 1 meanwhile, 2 at the end")
}

// What a snapshot's removal and a rollback would do is said, and nothing of it done.
func TestPlannedSnapshots(t *testing.T) {
	w := snapping(t)
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}})
	w.obey("backups")
	plan := func(c core.Command, want string) {
		t.Helper()
		if got := text(w.do(core.Planned{Command: c})); !strings.Contains(got, want) || !strings.Contains(got, "nothing was changed") {
			t.Errorf("%+v: no %q in\n%s", c, want, got)
		}
		if d := w.def("backups"); d.Rollback != nil || d.Snapshots[0].State != model.SnapshotSuccessful || d.Snapshots[0].Copies[0].Deleting {
			t.Fatalf("%+v: something was changed", c)
		}
	}
	plan(core.SnapshotRollback{Definition: "backups", Name: "monday"}, "get the content of snapshot 'monday', which stays; what was written since would be lost")
	plan(core.SnapshotDelete{Definition: "backups", Name: "monday"}, "Snapshot 'monday' of 'backups' would be removed from node 'alpha'")
	w.refused(fault.NotFound, core.Planned{Command: core.SnapshotRollback{Definition: "backups", Name: "sunday"}})
}
