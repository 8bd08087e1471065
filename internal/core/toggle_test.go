package core_test

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

func (w *world) replica(def, node string) *model.Resource {
	w.t.Helper()
	r := w.def(def).On(node)
	if r == nil {
		w.t.Fatalf("%s has no replica on %s", def, node)
	}
	return r
}

func (w *world) spec(def, node string) model.ResourceSpec {
	w.t.Helper()
	all := nodestate.Resources(w.tx.Snapshot(), w.def(def), node)
	if len(all) != 1 {
		w.t.Fatalf("%d specs", len(all))
	}
	return all[0]
}

// threeWithClient is "backups" with disks on alpha and bravo, UpToDate, and without on charlie.
func threeWithClient(t *testing.T) *world {
	w := tutorial(t, model.DRBD9)
	w.node("charlie", model.DRBD9, 4<<20)
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie", Diskless: true}}})
	for _, n := range []string{"alpha", "bravo"} {
		w.see(n, "backups", model.DiskInconsistent, nil)
		w.see(n, "backups", model.DiskUpToDate, nil)
	}
	w.see("charlie", "backups", model.DiskDiskless, nil)
	return w
}

func (w *world) toggle(def, node string, want model.Toggle, diskless bool) {
	w.t.Helper()
	if r := w.replica(def, node); r.Toggle != want || r.Diskless != diskless {
		w.t.Fatalf("toggle %q, diskless %v; want %q, %v", r.Toggle, r.Diskless, want, diskless)
	}
}

func TestToggleToDiskful(t *testing.T) {
	w := threeWithClient(t)
	old := w.replica("backups", "charlie").Volumes[0].UUID
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie", Pool: "swpool"})
	w.toggle("backups", "charlie", model.AddRequested, false)
	s := w.spec("backups", "charlie")
	if !s.Client || s.Volumes[0].ID == old || s.Volumes[0].Pool != "swpool" || s.Volumes[0].Initialised {
		t.Errorf("%+v", s)
	}
	if p := w.spec("backups", "alpha").DRBD.Peers; p[1].Diskless {
		t.Error("its peers make no room for its disk")
	}
	w.see("charlie", "backups", model.DiskDiskless, nil) // metadata made
	w.toggle("backups", "charlie", model.Adding, false)
	if s := w.spec("backups", "charlie"); s.Client || !s.Volumes[0].Initialised || s.Volumes[0].Seed != model.NoSeed {
		t.Errorf("%+v", s)
	}
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	w.toggle("backups", "charlie", model.Adding, false)
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	w.toggle("backups", "charlie", model.NoToggle, false)
	if r := w.do(core.ToggleDisk{Definition: "backups", Node: "charlie"}); r.Notes[0].Severity != fault.Warning {
		t.Errorf("again: %+v", r.Notes)
	}
}

func gone(st *model.ResourceStatus) {
	for i := range st.Volumes {
		st.Volumes[i].NoDisk = true
	}
}

func TestToggleToDiskless(t *testing.T) {
	w := threeWithClient(t)
	old := *w.replica("backups", "bravo")
	w.do(core.ToggleDisk{Definition: "backups", Node: "bravo", Diskless: true})
	w.toggle("backups", "bravo", model.Removing, false)
	s := w.spec("backups", "bravo")
	if !s.DropDisk || s.Hold || s.Want != model.Up || s.Volumes[0].ID != old.Volumes[0].UUID {
		t.Errorf("%+v", s)
	}
	// The other one may not go now, in no way.
	w.refused(fault.LastCopy, core.ToggleDisk{Definition: "backups", Node: "alpha", Diskless: true})
	w.refused(fault.LastCopy, core.ResourceDelete{Definition: "backups", Node: "alpha"})
	w.refused(fault.InUse, core.ToggleDisk{Definition: "backups", Node: "bravo"})
	w.see("alpha", "backups", model.DiskInconsistent, nil)
	if s := w.spec("backups", "bravo"); !s.DropDisk || !s.Hold {
		t.Error("isn't held though no other copy is good")
	}
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	w.see("bravo", "backups", model.DiskDiskless, nil)
	w.toggle("backups", "bravo", model.Removing, false)
	w.see("bravo", "backups", model.DiskDiskless, gone)
	w.toggle("backups", "bravo", model.NoToggle, true)
	r := w.replica("backups", "bravo")
	if r.NodeID != old.NodeID || r.Volumes[0].UUID == old.Volumes[0].UUID || r.Volumes[0].Pool != "" || r.Volumes[0].Initialised {
		t.Errorf("%+v", r)
	}
}

func TestToggleTurnsBack(t *testing.T) {
	w := threeWithClient(t)
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie", Pool: "swpool"})
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie", Diskless: true})
	w.toggle("backups", "charlie", model.Removing, false)
	w.see("charlie", "backups", model.DiskDiskless, gone)
	w.toggle("backups", "charlie", model.NoToggle, true)
}

func TestToggleOn84(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	w.refused(fault.Unsupported, core.ToggleDisk{Definition: "backups", Node: "alpha", Diskless: true})
}

func TestMigrateDisk(t *testing.T) {
	w := threeWithClient(t)
	old := w.replica("backups", "alpha").UUID
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha", Pool: "swpool"})
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	if r := w.replica("backups", "alpha"); r.Deleting {
		t.Fatal("the old one goes before the new one is UpToDate")
	}
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.InUse = true })
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	if r := w.replica("backups", "alpha"); r.Deleting {
		t.Fatal("the old one goes while it is in use")
	}
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	if r := w.def("backups").Replica(old); !r.Deleting {
		t.Fatalf("the old one stays: %+v", r)
	}
}

// With 8.4 the old one steps aside: it isn't told to go before the new one is good, and comes back if that goes.
func TestMigrateDiskOn84(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	w.node("charlie", model.DRBD8, 4<<20)
	w.see("bravo", "backups", model.DiskInconsistent, nil)
	w.refused(fault.LastCopy, core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha"})
	for _, n := range []string{"alpha", "bravo"} {
		w.see(n, "backups", model.DiskInconsistent, nil)
		w.see(n, "backups", model.DiskUpToDate, nil)
	}
	w.off("alpha") // nobody knows whether it is in use there
	w.refused(fault.NotConnected, core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha"})
	w.online("alpha", model.DRBD8)
	w.refused(fault.NotConnected, core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha"})
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha"})
	if s := w.spec("backups", "alpha"); s.Want != model.Up {
		t.Fatalf("told to go at once: %+v", s)
	}
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	w.do(core.ResourceDelete{Definition: "backups", Node: "charlie"})
	if r := w.replica("backups", "alpha"); r.Deleting || r.Successor != "" {
		t.Fatalf("isn't back: %+v", r)
	}
	w.see("charlie", "backups", "", nil) // gone
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie", From: "alpha"})
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	if s := w.spec("backups", "alpha"); s.Want != model.Gone || s.LastUnused || s.Lose {
		t.Fatalf("isn't told to go: %+v", s)
	}
}

func TestDeactivate(t *testing.T) {
	w := threeWithClient(t)
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.InUse = true })
	w.refused(fault.InUse, core.ResourceActivate{Definition: "backups", Node: "alpha", Inactive: true})
	w.do(core.ResourceActivate{Definition: "backups", Node: "bravo", Inactive: true})
	if s := w.spec("backups", "bravo"); !s.Down || s.Want != model.Up {
		t.Errorf("%+v", s)
	}
	w.do(core.ResourceActivate{Definition: "backups", Node: "bravo"})
	if w.spec("backups", "bravo").Down {
		t.Error("isn't active again")
	}
	w.refused(fault.InUse, core.ResourceDeleteAll{Definition: "backups"})
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	w.do(core.ResourceDeleteAll{Definition: "backups"})
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		if s := w.spec("backups", n); s.Want != model.Gone {
			t.Errorf("%s: %+v", n, s)
		}
	}
}

// One that is deactivated, and whose removal is held back, is up again: it may have what the others wait for (seed 16179).
func TestHeldBackIsUp(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	for _, n := range []string{"alpha", "bravo"} {
		w.see(n, "backups", model.DiskInconsistent, nil)
		w.see(n, "backups", model.DiskUpToDate, nil)
	}
	w.do(core.ResourceActivate{Definition: "backups", Node: "alpha", Inactive: true})
	w.see("alpha", "backups", "", nil)
	if !w.spec("backups", "alpha").Down {
		t.Fatal("it isn't down")
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "alpha"})
	w.see("bravo", "backups", model.DiskInconsistent, nil)
	if s := w.spec("backups", "alpha"); s.Want != model.Up || s.Down {
		t.Errorf("held back: want %v, down %v", s.Want, s.Down)
	}
}
