package core_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

// DRBD 8.4 may never answer what is under way when its I/O is held. So it isn't, where one volume is copied alone: each copy is of a
// moment of its own, and who goes back keeps one and fills the others.
func TestSnapshotThatHoldsNothing(t *testing.T) {
	unheld := func(r *model.NodeReport) { r.Snapshots, r.Unheld = []model.ProviderKind{model.LVM}, true }
	take := func(w *world, name string, more ...core.SnapshotOf) (*model.Snapshot, core.Reply) {
		out := w.do(core.SnapshotCreate{Of: append(more, core.SnapshotOf{Definition: "backups", Name: name})})
		return w.def("backups").Snapshot(name), out
	}
	w := able(t, unheld)
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
		st.InUse, st.Peers = true, []model.PeerStatus{{Node: "bravo", State: model.Connected}}
	})
	sn, out := take(w, "monday")
	for _, n := range out.Notes {
		if n.Severity == fault.Warning {
			t.Errorf("it warns: %+v", n)
		}
	}
	if !sn.Unheld || len(sn.Quiet) != 2 || !w.spec("backups", "alpha").Unheld {
		t.Fatalf("%+v, alpha is told %+v", sn, w.spec("backups", "alpha"))
	}
	w.obey("backups")
	if sn := w.def("backups").Snapshot("monday"); sn.State != model.SnapshotSuccessful {
		t.Fatalf("%+v", sn)
	}

	planned := w.do(core.Planned{Command: core.SnapshotRollback{Definition: "backups", Name: "monday"}})
	if !slices.ContainsFunc(planned.Notes, func(n fault.Note) bool {
		return strings.Contains(n.Message, "on node 'bravo' would be filled from node 'alpha': 524288 KiB")
	}) {
		t.Errorf("%+v", planned.Notes)
	}
	w.do(core.SnapshotRollback{Definition: "backups", Name: "monday"})
	rb := w.def("backups").RollingBack()
	a, b := replicaSpec(w, "alpha").Rollback, replicaSpec(w, "bravo").Rollback
	if rb.Keeps != w.replica("backups", "alpha").UUID || a.Anew || !a.Fill || !b.Fill || !b.Anew {
		t.Errorf("%+v; alpha %+v, bravo %+v", rb, a, b)
	}
	for _, is := range []model.RolledState{model.Stopped, model.Rolled} {
		for _, n := range []string{"alpha", "bravo"} {
			w.see(n, "backups", "", func(st *model.ResourceStatus) { st.Rollback = model.RollbackStatus{ID: rb.ID, State: is} })
		}
	}
	if w.def("backups").RollingBack() != nil || !w.replica("backups", "alpha").Filled() || w.replica("backups", "bravo").Filled() {
		t.Errorf("bravo is empty and is to be filled from alpha: %+v", w.def("backups").Resources)
	}

	// What needs one moment, or isn't understood by a satellite, or isn't good, is held.
	for what, change := range map[string]func(w *world) []core.SnapshotOf{
		"two volumes": func(w *world) []core.SnapshotOf {
			w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 4096})
			return nil
		},
		"two resources": func(w *world) []core.SnapshotOf {
			w.do(core.DefinitionCreate{Name: "mail"})
			w.do(core.VolumeCreate{Definition: "mail", SizeKiB: 4096})
			w.do(core.Autoplace{Definition: "mail", Filter: model.SelectFilter{PlaceCount: 2}})
			w.obey("mail")
			return []core.SnapshotOf{{Definition: "mail", Name: "tuesday"}}
		},
		"an older satellite": func(w *world) []core.SnapshotOf {
			w.older("bravo")
			return nil
		},
	} {
		w := able(t, unheld)
		more := change(w)
		w.obey("backups")
		if sn, _ := take(w, "tuesday", more...); sn.Unheld || replicaSpec(w, "alpha").Unheld || replicaSpec(w, "alpha").Quiet == "" {
			t.Errorf("%s: %+v", what, sn)
		}
	}
}

// A satellite that went back to an older release doesn't fill what goes back.
func TestRollbackNeedsTheSatellite(t *testing.T) {
	w := able(t, func(r *model.NodeReport) { r.Snapshots, r.Unheld = []model.ProviderKind{model.LVM}, true })
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}})
	w.obey("backups")
	w.older("bravo")
	w.refused(fault.Unsupported, core.SnapshotRollback{Definition: "backups", Name: "monday"})
}

// replicaSpec is what the node is told of its replica of "backups", copies of snapshots aside.
func replicaSpec(w *world, node string) model.ResourceSpec {
	for _, s := range nodestate.Resources(w.tx.Snapshot(), w.def("backups"), node) {
		if s.Snapshot == nil {
			return s
		}
	}
	return model.ResourceSpec{}
}

// older gives the node a satellite of a release that holds I/O for every snapshot.
func (w *world) older(node string) {
	seen := *w.tx.Snapshot().Node(node).Seen
	seen.Unheld = false
	w.tx.SeeNode(node, &seen)
}
