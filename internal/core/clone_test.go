package core_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
)

// snapping is the tutorial on pools that can have snapshots.
func snapping(t *testing.T) *world {
	return able(t, func(r *model.NodeReport) { r.Snapshots = []model.ProviderKind{model.LVM} })
}

// able is the tutorial on nodes that say they can do more.
func able(t *testing.T, more func(*model.NodeReport)) *world {
	w := tutorial(t, model.DRBD8)
	for _, n := range []string{"alpha", "bravo"} {
		seen := *w.tx.Snapshot().Node(n).Seen
		more(&seen.NodeReport)
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
	w.refused(fault.NotApplied, core.Verify{Definition: "copy"})
	w.do(core.DefinitionDelete{Name: "copy"})
}

// A verify of a clone that was asked for while it was made ends when that fails.
func TestCloneFailsWhileVerified(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.do(core.Verify{Definition: "copy"})
	w.off("alpha")
	w.tx.Touch(w.def("backups").UUID)
	w.do(core.DefinitionModify{Name: "backups"})
	if d := w.def("copy"); d.Cloning.State != model.CloneFailed || d.Verify.State != model.VerifyFailed || !strings.Contains(d.Verify.Reason, "clone that failed") {
		t.Errorf("%+v %+v", d.Cloning, d.Verify)
	}
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

// thick is the tutorial in volume groups without thin pools: a clone is copied there.
func thick(t *testing.T) *world {
	return able(t, func(r *model.NodeReport) { r.Copies = []model.ProviderKind{model.LVM} })
}

// One replica is copied, one that isn't in use; the other one of the clone is synced from it.
func TestCloneByCopy(t *testing.T) {
	w := thick(t)
	w.refused(fault.Unsupported, core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}})
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
		st.InUse = true
		st.Peers = []model.PeerStatus{{Node: "bravo", State: model.Connected}}
	})
	free := w.tx.Snapshot().Pending("bravo", "swpool")
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	d, sn := w.def("copy"), w.def("backups").Snapshots[0]
	if len(sn.Copies) != 1 || sn.Copies[0].Node != "bravo" || sn.Copies[0].Volumes[0].RoomKiB != d.Backing(&d.Volumes[0])/4 {
		t.Fatalf("%+v", sn)
	}
	if got, want := w.tx.Snapshot().Pending("bravo", "swpool")-free, d.Backing(&d.Volumes[0])+sn.Copies[0].Volumes[0].RoomKiB; got != want {
		t.Errorf("%d KiB are promised on bravo, not %d", got, want)
	}
	if a, b := d.On("alpha"), d.On("bravo"); a == nil || a.Volumes[0].From != nil || b == nil || b.Volumes[0].From == nil {
		t.Fatalf("%+v", d.Resources)
	}
	w.obey("backups")
	if d = w.def("copy"); d.Cloning.State != model.CloneCopying || d.Volumes[0].Source != d.On("bravo").UUID || d.Volumes[0].SkipSync {
		t.Fatalf("%+v %+v", d.Cloning, d.Volumes[0])
	}
	w.see("bravo", "copy", model.DiskUpToDate, nil)
	w.obey("copy")
	w.obey("backups")
	if d = w.def("copy"); d.Cloning != nil || len(w.def("backups").Snapshots) != 0 {
		t.Fatalf("%+v, left: %+v", d.Cloning, w.def("backups").Snapshots)
	}
}

// More was written to the source than its snapshot has room for: the clone fails, says why, and never comes up.
func TestCloneByCopyOverflows(t *testing.T) {
	w := thick(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.obey("backups")
	sn := w.def("backups").Snapshots[0]
	st := model.ResourceStatus{Definition: w.def("backups").UUID, Name: "backups", ID: sn.Copies[0].UUID, Generation: 2, Phase: model.Failed, Reason: "it ran out of room", Broken: true}
	w.tx.SeeResource(w.def("backups").UUID, sn.Copies[0].UUID, &st)
	w.do(core.DefinitionModify{Name: "backups"})
	d := w.def("copy")
	if d.Cloning == nil || d.Cloning.State != model.CloneFailed || !strings.Contains(d.Cloning.Reason, "out of room") {
		t.Fatalf("%+v", d.Cloning)
	}
	for _, n := range []string{"alpha", "bravo"} {
		if got := nodestate.Resources(w.tx.Snapshot(), d, n); len(got) != 0 {
			t.Errorf("%s is told of a clone that failed: %+v", n, got)
		}
	}
	if sn := w.def("backups").Snapshots[0]; sn.State != model.SnapshotDeleting {
		t.Errorf("%+v", sn)
	}
}

// The name of the clone's device is somebody else's: it fails where nobody can make it, and holds up nothing.
func TestCloneOfATakenName(t *testing.T) {
	for _, both := range []bool{false, true} {
		w := snapping(t)
		w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
		w.obey("backups")
		if d := w.def("copy"); d.Cloning.State != model.CloneCopying {
			t.Fatalf("%+v", d.Cloning)
		}
		for _, r := range w.def("copy").Resources {
			if r.Node == "alpha" || both {
				w.tx.SeeResource(w.def("copy").UUID, r.UUID, &model.ResourceStatus{Definition: w.def("copy").UUID, Name: "copy", ID: r.UUID, Phase: model.Failed, Reason: "the name is taken", Broken: true})
			}
		}
		if err := plan.After(w.tx, w.env.Rules()); err != nil {
			t.Fatal(err)
		}
		d, sn := w.def("copy"), w.def("backups").Snapshots[0]
		if failed := d.Cloning.State == model.CloneFailed; failed != both || failed != strings.Contains(d.Cloning.Reason, "the name is taken") || failed != (sn.State == model.SnapshotDeleting) {
			t.Errorf("both %v: %+v %+v", both, d.Cloning, sn)
		}
	}
}

// One disk of a clone was toggled away, or is about to go, and the name of the other's device is somebody else's: none is left that
// can be made, and it fails with that reason instead of waiting.
func TestCloneOfATakenNameOnOneDisk(t *testing.T) {
	for _, toggled := range []func(*model.Resource){
		func(r *model.Resource) { r.Diskless = true },
		func(r *model.Resource) { r.Toggle = model.Removing },
	} {
		w := snapping(t)
		w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
		w.obey("backups")
		d := w.def("copy").ResourceDefinition.Clone()
		toggled(d.On("alpha"))
		if err := w.tx.PutDefinition(d); err != nil {
			t.Fatal(err)
		}
		bravo := d.On("bravo").UUID
		w.tx.SeeResource(d.UUID, bravo, &model.ResourceStatus{Definition: d.UUID, Name: "copy", ID: bravo, Phase: model.Failed, Reason: "the name is taken", Broken: true})
		if err := plan.After(w.tx, w.env.Rules()); err != nil {
			t.Fatal(err)
		}
		if c := w.def("copy").Cloning; c.State != model.CloneFailed || !strings.Contains(c.Reason, "the name is taken") {
			t.Errorf("%+v", c)
		}
	}
}

// The disks that a clone is being made on are toggled away before it is whole.
func TestCloneWithoutDisks(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.obey("backups")
	d := w.def("copy").ResourceDefinition.Clone()
	for i := range d.Resources {
		d.Resources[i].Diskless = true
	}
	if err := w.tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	if err := plan.After(w.tx, w.env.Rules()); err != nil {
		t.Fatal(err)
	}
	if c := w.def("copy").Cloning; c.State != model.CloneFailed || !strings.Contains(c.Reason, "are gone") {
		t.Errorf("%+v", c)
	}
}

// One of a clone's disks is toggled away before it is made; the other is made. Nobody needs the snapshot any more, nor does the
// disk that comes back.
func TestCloneOnOneDisk(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.obey("backups")
	d := w.def("copy").ResourceDefinition.Clone()
	alpha := d.On("alpha")
	alpha.Diskless, alpha.Volumes[0].Pool = true, ""
	if err := w.tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		w.see("bravo", "copy", model.DiskUpToDate, nil)
	}
	if d := w.def("copy"); d.Cloning != nil || d.On("alpha").Volumes[0].From == nil {
		t.Fatalf("%+v", d.ResourceDefinition)
	}
	d = w.def("copy").ResourceDefinition.Clone()
	d.DRBD = model.DRBD9 // 8.4 has no diskless replicas to begin with
	if err := w.tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	w.online("alpha", model.DRBD9)
	w.do(core.ToggleDisk{Definition: "copy", Node: "alpha", Pool: "swpool"})
	if v := w.def("copy").On("alpha").Volumes[0]; v.From != nil || v.Pool != "swpool" {
		t.Errorf("%+v", v)
	}
}

// Without room for the copy and for what is written meanwhile nothing is begun, and the refusal says how much is missing.
func TestCloneByCopyNoRoom(t *testing.T) {
	w := thick(t)
	for _, n := range []string{"alpha", "bravo"} {
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Pools = slices.Clone(seen.Pools)
		for i := range seen.Pools {
			seen.Pools[i].FreeKiB = 600 << 10
		}
		w.tx.SeeNode(n, &seen)
	}
	w.refused(fault.NoSpace, core.DefinitionClone{Source: "backups", Name: "copy"})
	_, err := w.try(core.DefinitionClone{Source: "backups", Name: "copy"})
	if !strings.Contains(err.Error(), "KiB are free, ") || w.def("copy") != nil || len(w.def("backups").Snapshots) != 0 {
		t.Error(err)
	}
}

// A clone is whole on bravo, and alpha's copy of the snapshot is lost before alpha's replica was made of it: that is filled from bravo
// instead, and nobody needs the snapshot any more (seed 3350).
func TestCloneLosesACopyWhenWhole(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionClone{Source: "backups", Name: "copy"})
	w.obey("backups")
	for range 4 {
		w.see("bravo", "copy", model.DiskUpToDate, nil)
	}
	if d := w.def("copy"); d.Cloning == nil || d.Cloning.State != model.CloneDone || d.On("alpha").Volumes[0].From == nil {
		t.Fatalf("%+v, alpha %+v", d.Cloning, d.On("alpha"))
	}
	d := w.def("backups")
	k := d.Snapshots[0].On("alpha").UUID
	w.tx.SeeResource(d.UUID, k, &model.ResourceStatus{Definition: d.UUID, Name: d.Name, ID: k, Phase: model.Failed, Reason: "it is missing", Broken: true})
	if err := plan.After(w.tx, w.env.Rules()); err != nil {
		t.Fatal(err)
	}
	if d := w.def("copy"); d.Cloning != nil || d.On("alpha").Volumes[0].From != nil {
		t.Errorf("%+v, alpha %+v", d.Cloning, d.On("alpha"))
	}
	if sn := w.def("backups").Snapshots; len(sn) > 0 && sn[0].State != model.SnapshotDeleting {
		t.Errorf("%+v", sn)
	}
}

// A disk that is being made of a snapshot is the only one with its data until the first sync begins: it isn't toggled away (seed 30752).
func TestRestoredDiskStays(t *testing.T) {
	w := snapping(t)
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}})
	w.obey("backups")
	w.do(core.DefinitionCreate{Name: "copy"})
	w.do(core.SnapshotRestoreVolumes{Definition: "backups", Name: "monday", To: "copy"})
	w.do(core.SnapshotRestoreResources{Definition: "backups", Name: "monday", To: "copy", Nodes: []string{"alpha"}})
	w.do(core.ResourceCreate{Definition: "copy", On: []core.ResourceOn{{Node: "bravo", Pool: "swpool"}}})
	d := w.def("copy").ResourceDefinition.Clone()
	d.DRBD = model.DRBD9 // 8.4 has no diskless replicas
	if err := w.tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	drop := core.ToggleDisk{Definition: "copy", Node: "alpha", Diskless: true}
	w.refused(fault.LastCopy, drop)
	for range 4 {
		w.see("alpha", "copy", model.DiskUpToDate, nil)
		w.see("bravo", "copy", model.DiskUpToDate, nil)
	}
	w.do(drop)
}

// A device may be larger than its definition says: large extents, or a controller that has forgotten that it grew. All replicas of what
// is made of its snapshot are as large, or DRBD refuses them (seed 13465).
func TestRestoredFromALargerDevice(t *testing.T) {
	w := snapping(t)
	for n, other := range map[string]string{"alpha": "bravo", "bravo": "alpha"} {
		w.see(n, "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
			st.Volumes[0].UsableKiB, st.Peers = 544<<10, []model.PeerStatus{{Node: other, State: model.Connected}}
		})
	}
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}})
	sn := w.def("backups").Snapshot("monday").Volumes[0]
	if sn.SizeKiB != 512<<10 || sn.BackingKiB < 544<<10 {
		t.Errorf("%+v", sn)
	}
	w.obey("backups")
	w.do(core.DefinitionCreate{Name: "copy"})
	w.do(core.SnapshotRestoreVolumes{Definition: "backups", Name: "monday", To: "copy"})
	w.do(core.SnapshotRestoreResources{Definition: "backups", Name: "monday", To: "copy", Nodes: []string{"alpha"}})
	w.do(core.ResourceCreate{Definition: "copy", On: []core.ResourceOn{{Node: "bravo", Pool: "swpool"}}})
	for _, n := range []string{"alpha", "bravo"} {
		if v := nodestate.Resources(w.tx.Snapshot(), w.def("copy"), n)[0].Volumes[0]; v.BackingKiB != sn.BackingKiB || v.SizeKiB != 512<<10 {
			t.Errorf("%s: %+v, not %d KiB", n, v, sn.BackingKiB)
		}
	}
	w.do(core.SnapshotRollback{Definition: "backups", Name: "monday"})
}
