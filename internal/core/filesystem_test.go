package core_test

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

func (w *world) fsTold(def, node string) *model.FileSystemSpec {
	w.t.Helper()
	specs := nodestate.Resources(w.tx.Snapshot(), w.def(def), node)
	if len(specs) != 1 || len(specs[0].Volumes) != 1 {
		w.t.Fatalf("%+v", specs)
	}
	return specs[0].Volumes[0].FileSystem
}

// made sees a node that has made the file system, or not yet.
func (w *world) made(node, def string, yes bool) {
	w.see(node, def, model.DiskUpToDate, func(st *model.ResourceStatus) { st.Volumes[0].FileSystem = yes })
}

func fresh(t *testing.T, props map[string]string) *world {
	w := newWorld(t)
	w.node("alpha", model.DRBD8, 4<<20)
	w.node("bravo", model.DRBD8, 4<<20)
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.DefinitionModify{Name: "backups", Override: props})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 512 << 10})
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 2}})
	return w
}

func TestFileSystemOnce(t *testing.T) {
	w := fresh(t, map[string]string{"FileSystem/Type": "ext4"})
	w.do(core.VolumeModify{Definition: "backups", Override: map[string]string{"FileSystem/MkfsParams": "-K"}})
	if f := w.fsTold("backups", "alpha"); f == nil || f.Now || f.Type != "ext4" || f.Params != "-K" {
		t.Fatalf("it isn't announced before: %+v", f)
	}
	if f := w.fsTold("backups", "bravo"); f != nil {
		t.Fatalf("two nodes are told: %+v", f)
	}
	w.made("alpha", "backups", false)
	w.made("bravo", "backups", false)
	if vd := w.def("backups").Volumes[0]; !vd.Initialised || vd.Making != model.MakingWanted {
		t.Fatalf("it isn't wanted in the commit in which the volume became good: %+v", vd)
	}
	if f := w.fsTold("backups", "alpha"); f == nil || !f.Now {
		t.Fatalf("%+v", f)
	}
	w.made("alpha", "backups", true)
	if vd := w.def("backups").Volumes[0]; vd.Making != model.MakingDone || w.fsTold("backups", "alpha") != nil {
		t.Fatalf("%+v", vd)
	}
	w.do(core.DefinitionModify{Name: "backups", Delete: []string{"FileSystem/Type"}})
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"FileSystem/Type": "xfs"}})
	w.made("alpha", "backups", false)
	if w.fsTold("backups", "alpha") != nil || w.def("backups").Volumes[0].Making != model.MakingDone {
		t.Fatal("it is to be made once more")
	}
}

// Set later it changes nothing; taken away in time it isn't made, and never after.
func TestFileSystemLateOrNever(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"FileSystem/Type": "ext4"}})
	w.made("alpha", "backups", false)
	if w.fsTold("backups", "alpha") != nil || w.def("backups").Volumes[0].Making != model.NoMaking {
		t.Fatal("a volume that was in use gets a file system")
	}
	w = fresh(t, map[string]string{"FileSystem/Type": "ext4"})
	w.made("alpha", "backups", false)
	w.made("alpha", "backups", false)
	w.do(core.DefinitionModify{Name: "backups", Delete: []string{"FileSystem/Type"}})
	if w.fsTold("backups", "alpha") != nil || w.def("backups").Volumes[0].Making != model.NoMaking {
		t.Fatalf("%+v", w.def("backups").Volumes[0])
	}
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"FileSystem/Type": "ext4"}})
	if w.fsTold("backups", "alpha") != nil {
		t.Fatal("a volume that may be in use by now gets a file system")
	}
}

// A clone, and what is restored, has the file system that it has.
func TestFileSystemNotOnClones(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"FileSystem/Type": "ext4"}})
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	for range 3 {
		w.obey("backups")
		w.obey("copy")
	}
	if vd := w.def("copy").Volumes[0]; !vd.Initialised || vd.Making != model.NoMaking || w.fsTold("copy", "alpha") != nil {
		t.Fatalf("a clone gets a new file system: %+v", vd)
	}
}

// Kubernetes restores to a group that asks for a file system, first on one node, then places more replicas.
func TestFileSystemNotOnWhatIsRestored(t *testing.T) {
	w := snapping(t)
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}})
	w.obey("backups")
	w.do(core.GroupModify{Name: "DfltRscGrp", Override: map[string]string{"FileSystem/Type": "ext4"}})
	w.do(core.DefinitionCreate{Name: "copy"})
	w.do(core.SnapshotRestoreVolumes{Definition: "backups", Name: "monday", To: "copy"})
	w.do(core.SnapshotRestoreResources{Definition: "backups", Name: "monday", To: "copy", Nodes: []string{"alpha"}})
	for range 3 {
		w.obey("copy")
	}
	vd := w.def("copy").Volumes[0]
	if !vd.Initialised || vd.Making != model.NoMaking || w.fsTold("copy", "alpha") != nil {
		t.Fatalf("what was restored gets a new file system: %+v", vd)
	}
	if v := w.def("copy").On("alpha").Volumes[0]; v.From != nil {
		t.Fatalf("not looked at in the moment that matters: %+v", v)
	}
}
