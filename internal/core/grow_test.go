package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/plan/place"
)

// told is what the node is told of volume 0.
func (w *world) told(node, def string) model.VolumeSpec {
	w.t.Helper()
	specs := nodestate.Resources(w.tx.Snapshot(), w.def(def), node)
	if len(specs) != 1 || len(specs[0].Volumes) != 1 {
		w.t.Fatalf("%s is told %+v", node, specs)
	}
	return specs[0].Volumes[0]
}

// offer reports sizes of volume 0.
func (w *world) offer(node string, usable, backing int64, primary bool) {
	w.t.Helper()
	w.see(node, "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
		st.InUse = primary
		st.Volumes[0].UsableKiB, st.Volumes[0].BackingKiB = usable, backing
	})
}

func deployed(t *testing.T, gen model.DRBDGeneration) *world {
	w := newWorld(t)
	w.node("alpha", gen, 1<<20)
	w.node("bravo", gen, 1<<20)
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 100 << 10})
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}, {Node: "bravo", Pool: "swpool"}}})
	for _, n := range []string{"alpha", "bravo"} {
		w.offer(n, 100<<10, 0, false)
		w.offer(n, 100<<10, 0, false)
	}
	return w
}

func size(kib int64) core.VolumeModify { return core.VolumeModify{Definition: "backups", SizeKiB: kib} }

func TestGrow(t *testing.T) {
	w := deployed(t, model.DRBD8)
	r := w.do(size(200 << 10))
	if len(r.Wait) != 2 {
		t.Errorf("waits for %+v", r.Wait)
	}
	for _, n := range []string{"alpha", "bravo"} {
		if v := w.told(n, "backups"); v.GrowKiB != 200<<10 || v.Resize || v.BackingKiB < 200<<10+40 || v.BackingKiB%4096 != 0 {
			t.Errorf("%s is told %+v", n, v)
		}
	}
	big := w.told("alpha", "backups").BackingKiB
	// Only when both have grown, one takes the size over: where it is in use.
	w.offer("bravo", 100<<10, big, true)
	w.offer("alpha", 100<<10, 0, false)
	if w.told("alpha", "backups").Resize || w.told("bravo", "backups").Resize {
		t.Error("one is to resize before alpha's device has grown")
	}
	w.offer("alpha", 100<<10, big, false)
	if w.told("alpha", "backups").Resize || !w.told("bravo", "backups").Resize {
		t.Error("bravo, where it is in use, isn't the one to resize")
	}
	w.offer("bravo", 200<<10, big, true)
	if w.def("backups").Volumes[0].GrowsFromKiB != 100<<10 {
		t.Error("it has grown before alpha says so")
	}
	w.offer("alpha", 200<<10, big, false)
	if vd := w.def("backups").Volumes[0]; vd.GrowsFromKiB != 0 || vd.SizeKiB != 200<<10 {
		t.Errorf("%+v", vd)
	}
	if v := w.told("bravo", "backups"); v.GrowKiB != 0 || v.Resize || v.SizeKiB != 200<<10 {
		t.Errorf("bravo is told %+v", v)
	}
}

// A replica that isn't good, or that nobody hears of, holds the resize back; one that is being removed doesn't.
func TestGrowNeedsAll(t *testing.T) {
	w := deployed(t, model.DRBD9)
	w.do(size(200 << 10))
	big := w.told("alpha", "backups").BackingKiB
	w.offer("alpha", 100<<10, big, false)
	w.see("bravo", "backups", model.DiskInconsistent, func(st *model.ResourceStatus) {
		st.Volumes[0].UsableKiB, st.Volumes[0].BackingKiB = 100<<10, big
	})
	if w.told("alpha", "backups").Resize {
		t.Error("bravo is Inconsistent")
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	if !w.told("alpha", "backups").Resize {
		t.Error("bravo goes, and still holds the growth back")
	}
}

// With 9 some may offer the new size already: at a handshake only a node grows that sees all its peers. The resize is for one that
// doesn't, wherever it is in use.
func TestTheSmallerResizes(t *testing.T) {
	w := deployed(t, model.DRBD9)
	w.do(size(200 << 10))
	big := w.told("alpha", "backups").BackingKiB
	half := big - 50<<10 // bravo's device grew so far, when the volume was to have that size
	w.offer("alpha", w.def("backups").Usable(half), big, true)
	w.offer("bravo", 100<<10, half, false)
	if w.told("alpha", "backups").Resize || !w.told("bravo", "backups").Resize {
		t.Error("alpha offers all that bravo's device has room for, and bravo less: it's bravo's turn")
	}
}

// One that others have grown without is told to grow by itself; one that is as large isn't, and with 9 no good one is.
func TestGrowsAlone(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := deployed(t, gen)
		w.do(size(200 << 10))
		if w.told("bravo", "backups").GrowAlone {
			t.Error("nobody has grown yet")
		}
		big := w.told("alpha", "backups").BackingKiB
		w.offer("alpha", 200<<10, big, true)
		if v := w.told("bravo", "backups"); v.GrowAlone != (gen == model.DRBD8) || v.GrowKiB == 0 {
			t.Errorf("generation %d: bravo is told %+v", gen, v)
		}
		if w.told("alpha", "backups").GrowAlone {
			t.Error("alpha, the larger, is to grow alone")
		}
		w.see("bravo", "backups", model.DiskInconsistent, func(st *model.ResourceStatus) { st.Volumes[0].UsableKiB = 100 << 10 })
		if !w.told("bravo", "backups").GrowAlone {
			t.Errorf("generation %d: bravo, Inconsistent and refused, isn't to grow", gen)
		}
	}
}

// With 9, one that is removed before it ever met those that have outgrown it grows first, for its node asks them before it goes.
func TestGrowsBeforeItGoes(t *testing.T) {
	w := deployed(t, model.DRBD9)
	w.node("charlie", model.DRBD9, 1<<20)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/auto-add-quorum-tiebreaker": "false"}})
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie", Pool: "swpool"}}})
	w.see("charlie", "backups", model.DiskInconsistent, func(st *model.ResourceStatus) { st.Volumes[0].UsableKiB, st.Volumes[0].MDReady = 100<<10, true })
	w.do(size(200 << 10))
	big := w.told("alpha", "backups").BackingKiB
	w.offer("alpha", 200<<10, big, true)
	w.offer("bravo", 200<<10, big, true)
	w.do(core.ResourceDelete{Definition: "backups", Node: "charlie"})
	if v := w.told("charlie", "backups"); v.Want != model.Up || !v.GrowAlone || v.GrowKiB != 200<<10 || v.BackingKiB < big {
		t.Errorf("it is told %+v", v)
	}
	w.see("charlie", "backups", model.DiskInconsistent, func(st *model.ResourceStatus) { st.Volumes[0].UsableKiB, st.Volumes[0].MDReady = 200<<10, true })
	if v := w.told("charlie", "backups"); v.Want != model.Gone {
		t.Errorf("once it is as large, it is told %+v", v)
	}
}

func TestShrinkIsRefused(t *testing.T) {
	w := deployed(t, model.DRBD8)
	w.refused(fault.Invalid, size(50<<10))
	_, err := w.try(size(50 << 10))
	if e := fault.Of(err); e.Field != "size_kib" || !strings.Contains(e.Cause, "can only grow, not shrink") {
		t.Errorf("%+v", e)
	}
	w.do(size(200 << 10))
	w.refused(fault.Invalid, size(150<<10)) // while it grows: some device may have grown
	yes := true
	w.refused(fault.Unsupported, core.VolumeModify{Definition: "backups", Gross: &yes})
	if vd := w.def("backups").Volumes[0]; vd.SizeKiB != 200<<10 || vd.GrowsFromKiB != 100<<10 || vd.Gross {
		t.Errorf("%+v", vd)
	}
	// What has no replica may have any size.
	w.do(core.DefinitionCreate{Name: "mail"})
	w.do(core.VolumeCreate{Definition: "mail", SizeKiB: 100 << 10})
	w.do(core.VolumeModify{Definition: "mail", SizeKiB: 50 << 10, Gross: &yes})
	if vd := w.def("mail").Volumes[0]; vd.SizeKiB != 50<<10 || vd.GrowsFromKiB != 0 || !vd.Gross {
		t.Errorf("%+v", vd)
	}
}

func TestGrowSameSize(t *testing.T) {
	w := deployed(t, model.DRBD8)
	r := w.do(size(100 << 10))
	if len(r.Notes) != 2 || r.Notes[1].Severity != fault.Warning || r.Notes[1].Kind != fault.AlreadyDeployed {
		t.Errorf("%+v", r.Notes)
	}
	if w.def("backups").Volumes[0].GrowsFromKiB != 0 {
		t.Error("it grows")
	}
}

func TestExactSizeKeepsTheSize(t *testing.T) {
	w := deployed(t, model.DRBD8)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/ExactSize": "True"}})
	w.refused(fault.Refused, size(200<<10))
	w.do(core.DefinitionModify{Name: "backups", Delete: []string{"DrbdOptions/ExactSize"}})
	w.do(size(200 << 10))
}

// The free space is looked at before anything changes, and what grows is taken from it at once.
func TestGrowTakesSpace(t *testing.T) {
	w := deployed(t, model.DRBD8)
	s := w.tx.Snapshot()
	seen := *s.Node("bravo").Seen
	d := w.def("backups")
	seen.Pools = []model.PoolStatus{{UUID: s.Node("bravo").Pool("swpool").UUID, Name: "swpool", FreeKiB: 300 << 10, TotalKiB: 1 << 20,
		Volumes: []model.UUID{d.On("bravo").Volumes[0].UUID}}}
	w.tx.SeeNode("bravo", &seen)
	w.refused(fault.NoSpace, size(500<<10))
	if _, err := w.try(size(500 << 10)); !strings.Contains(fault.Of(err).Cause, "'bravo' is too small: 409600 KiB more are needed, 307200 KiB are free") {
		t.Error(err)
	}
	if vd := w.def("backups").Volumes[0]; vd.SizeKiB != 100<<10 || vd.GrowsFromKiB != 0 {
		t.Errorf("%+v", vd)
	}
	w.do(size(200 << 10))
	n := w.tx.Snapshot().Node("bravo")
	if free, why := place.Free(w.tx.Snapshot(), n, n.Pool("swpool")); free != 200<<10 || why != "" {
		t.Errorf("%d KiB are free %s", free, why)
	}
	w.refused(fault.NoSpace, size(450<<10))
	big := w.told("bravo", "backups").BackingKiB
	w.offer("alpha", 200<<10, big, false)
	w.offer("bravo", 200<<10, big, false)
	n = w.tx.Snapshot().Node("bravo")
	if free, _ := place.Free(w.tx.Snapshot(), n, n.Pool("swpool")); free != 300<<10 {
		t.Errorf("%d KiB are free by the last report", free)
	}
}

// Before any replica was good, devices are made of one size: a later one that is smaller would be refused by DRBD for ever.
func TestGrowBeforeTheFirstSync(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD9, 1<<20)
	w.node("bravo", model.DRBD9, 1<<20)
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 100 << 10})
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}, {Node: "bravo", Pool: "swpool"}}})
	before := w.told("alpha", "backups").BackingKiB
	w.do(size(200 << 10))
	if v := w.told("bravo", "backups"); v.BackingKiB != before || v.GrowKiB != 0 || v.SizeKiB != 100<<10 {
		t.Errorf("bravo is told %+v", v)
	}
	w.offer("alpha", 100<<10, 0, false)
	if v := w.told("bravo", "backups"); v.BackingKiB <= before || v.GrowKiB != 200<<10 {
		t.Errorf("bravo is told %+v", v)
	}
}

// Without DRBD the backing device is the volume.
func TestGrowStorageOnly(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.Unpinned, 1<<20)
	w.do(core.DefinitionCreate{Name: "backups", Layers: []model.LayerKind{model.LayerStorage}})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 100 << 10})
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}}})
	w.see("alpha", "backups", model.DiskCreated, nil)
	w.do(size(200 << 10))
	if v := w.told("alpha", "backups"); v.GrowKiB != 200<<10 || v.BackingKiB != 200<<10 || v.Resize {
		t.Errorf("alpha is told %+v", v)
	}
	w.see("alpha", "backups", model.DiskCreated, nil)
	if w.def("backups").Volumes[0].GrowsFromKiB == 0 {
		t.Error("it has grown before alpha says so")
	}
	w.see("alpha", "backups", model.DiskCreated, func(st *model.ResourceStatus) { st.Volumes[0].BackingKiB = 200 << 10 })
	if w.def("backups").Volumes[0].GrowsFromKiB != 0 {
		t.Error("it grows still")
	}
}
