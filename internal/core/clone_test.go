package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

// snapping is the tutorial on pools that can have snapshots.
func snapping(t *testing.T) *world {
	w := tutorial(t, model.DRBD8)
	for _, n := range []string{"alpha", "bravo"} {
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Snapshots = []model.ProviderKind{model.LVM}
		w.tx.SeeNode(n, &seen)
	}
	w.obey("backups")
	return w
}

// obey has both nodes do what they are told of a definition, until nothing changes any more.
func (w *world) obey(def string) {
	w.t.Helper()
	for range 8 {
		for _, n := range []string{"alpha", "bravo"} {
			other := map[string]string{"alpha": "bravo", "bravo": "alpha"}[n]
			d := w.def(def)
			if d == nil {
				return
			}
			specs := map[model.UUID]model.ResourceSpec{}
			for _, s := range nodestate.Resources(w.tx.Snapshot(), d, n) {
				specs[s.ID] = s
			}
			w.see(n, def, model.DiskUpToDate, func(st *model.ResourceStatus) {
				s, old := specs[st.ID], d.Seen[st.ID]
				st.Peers = []model.PeerStatus{{Node: other, State: model.Connected}}
				switch {
				case s.Quiet != "":
					st.Quiet = model.QuietStatus{Lease: s.Quiet, State: model.QuietHeld}
				case old != nil && old.Quiet.State == model.QuietHeld:
					st.Quiet = model.QuietStatus{Lease: old.Quiet.Lease, State: model.QuietOver}
				case old != nil:
					st.Quiet = old.Quiet
				}
			})
		}
	}
}

func TestClone(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"Aux/a": "1", "Aux/b": "2"}})
	w.obey("backups")
	w.do(core.DefinitionClone{Source: "backups", Name: "copy", Override: map[string]string{"Aux/a": "3"}, Delete: []string{"Aux/b"}})
	d := w.def("copy")
	if d.Cloning == nil || d.Cloning.State != model.CloneTaking || len(d.Resources) != 2 || d.Props["Aux/a"] != "3" || d.Props["Aux/b"] != "" ||
		d.Volumes[0].SizeKiB != 512<<10 || d.Volumes[0].Minor == w.def("backups").Volumes[0].Minor || d.Secret == w.def("backups").Secret {
		t.Fatalf("%+v", d.ResourceDefinition)
	}
	if got := nodestate.Resources(w.tx.Snapshot(), d, "alpha"); len(got) != 0 {
		t.Fatalf("a node is told of it before there are data: %+v", got)
	}
	if d.Volumes[0].Source != "" {
		t.Fatal("a source of the first sync is named before there are data")
	}
	w.refused(fault.InUse, core.VolumeCreate{Definition: "copy", SizeKiB: 8192})
	w.refused(fault.InUse, core.VolumeDelete{Definition: "copy"})
	w.refused(fault.InUse, core.VolumeModify{Definition: "copy", SizeKiB: 1 << 20})
	w.refused(fault.InUse, core.DefinitionClone{Source: "copy", Name: "copy2"})
	w.refused(fault.InUse, core.SnapshotDelete{Definition: "backups", Name: w.def("backups").Snapshots[0].Name})
	w.refused(fault.Exists, core.DefinitionDelete{Name: "backups"})
	w.obey("backups")
	if d = w.def("copy"); d.Cloning.State != model.CloneCopying {
		t.Fatalf("%+v", d.Cloning)
	}
	for _, c := range []core.Command{ // it goes by itself, under whoever uses it
		core.SnapshotRollback{Definition: "backups", Name: w.def("backups").Snapshots[0].Name},
		core.SnapshotRestoreVolumes{Definition: "backups", Name: w.def("backups").Snapshots[0].Name, To: "copy"},
		core.SnapshotRestoreResources{Definition: "backups", Name: w.def("backups").Snapshots[0].Name, To: "copy"},
	} {
		w.refused(fault.InUse, c)
	}
	spec := nodestate.Resources(w.tx.Snapshot(), d, "alpha")
	if len(spec) != 1 || spec[0].Volumes[0].From == nil || spec[0].Volumes[0].From.Snapshot != d.Cloning.Snapshot {
		t.Fatalf("%+v", spec)
	}
	w.see("alpha", "copy", "", nil)
	w.see("alpha", "copy", model.DiskUpToDate, nil)
	if d = w.def("copy"); d.Cloning == nil || d.Cloning.State != model.CloneDone || len(w.def("backups").Snapshots) != 1 {
		t.Fatalf("bravo still needs the snapshot: %+v", d.Cloning)
	}
	w.obey("copy")
	w.obey("backups")
	if d = w.def("copy"); d.Cloning != nil || len(w.def("backups").Snapshots) != 0 {
		t.Fatalf("%+v, left: %+v", d.Cloning, w.def("backups").Snapshots)
	}
}

// The clone is cancelled by deleting it, whatever its state; nothing is left at the source.
func TestCloneCancelled(t *testing.T) {
	for _, far := range []bool{false, true} {
		w := snapping(t)
		w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
		if far {
			w.obey("backups")
		}
		w.do(core.DefinitionDelete{Name: "copy"})
		for range 2 {
			w.obey("copy")
			w.obey("backups")
		}
		if w.def("copy") != nil || len(w.def("backups").Snapshots) != 0 {
			t.Fatalf("left: %+v, %+v", w.def("copy"), w.def("backups").Snapshots)
		}
	}
}

// A clone whose snapshot fails stays unusable, says why, and can only be deleted.
func TestCloneFails(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.off("alpha")
	w.tx.Touch(w.def("backups").UUID)
	w.do(core.DefinitionModify{Name: "backups"})
	d := w.def("copy")
	if d.Cloning == nil || d.Cloning.State != model.CloneFailed || !strings.Contains(d.Cloning.Reason, "alpha") {
		t.Fatalf("%+v", d.Cloning)
	}
	if got := nodestate.Resources(w.tx.Snapshot(), d, "bravo"); len(got) != 0 {
		t.Fatalf("a node is told of a clone that failed: %+v", got)
	}
	w.refused(fault.NotApplied, core.VolumeCreate{Definition: "copy", SizeKiB: 8192})
	w.do(core.DefinitionDelete{Name: "copy"})
}

// Without the replicas that have the data nothing empty is taken for the clone.
func TestCloneLosesItsReplicas(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.obey("backups")
	w.node("charlie", model.DRBD8, 4<<20)
	for _, n := range []string{"alpha", "bravo"} {
		w.do(core.ResourceDelete{Definition: "copy", Node: n})
	}
	if d := w.def("copy"); d.Cloning == nil || d.Cloning.State != model.CloneFailed {
		t.Fatalf("%+v", d.Cloning)
	}
	w.refused(fault.NotApplied, core.ResourceCreate{Definition: "copy", On: []core.ResourceOn{{Node: "charlie"}}})
}
