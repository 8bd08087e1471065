package steps

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

func TestQuiet(t *testing.T) {
	w := diskful(t)
	w.spec.Quiet = "lease"
	seen := w.seen()
	p := Next(w.spec, seen, w.node)
	if d := cmp.Diff([]Kind{WriteRecord, HoldIO}, kinds(p)); d != "" {
		t.Fatal(d)
	}
	if p.Steps[0].Record.Quiet != "lease" || !cmp.Equal(p.Steps[1].Minors, []int{w.spec.Volumes[0].Minor}) {
		t.Errorf("%v", p.Steps)
	}
	// Without a session nothing is held: the word may be an old one.
	away := w.node
	away.Session = false
	if p := Next(w.spec, seen, away); len(p.Steps) > 0 {
		t.Errorf("without a session: %v", p.Steps)
	}
	// While it is held nothing else is done, though there would be.
	seen.Quiet = model.QuietStatus{Lease: "lease", State: model.QuietHeld}
	seen.Record.Quiet = "lease"
	seen.Config = nil
	if p := Next(w.spec, seen, w.node); len(p.Steps) > 0 || p.Phase != model.Working {
		t.Errorf("held: %+v", p)
	}
	// It goes on: when told so, when the lease is over, and when a process before this one left it so.
	for _, c := range []struct {
		want model.UUID
		q    model.QuietStatus
	}{{"", seen.Quiet}, {"lease", model.QuietStatus{Lease: "lease", State: model.QuietLapsed}}, {"lease", model.QuietStatus{}}, {"other", seen.Quiet}} {
		s := seen
		s.Quiet = c.q
		w.spec.Quiet = c.want
		p := Next(w.spec, s, w.node)
		if d := cmp.Diff([]Kind{ResumeIO, WriteRecord}, kinds(p)); d != "" || p.Steps[1].Record.Quiet != "" {
			t.Errorf("%+v: %v", c, p.Steps)
		}
		gone := w.spec
		gone.Want = model.Gone
		if p := Next(gone, s, w.node); p.Steps[0].Kind != ResumeIO {
			t.Errorf("before it is removed: %v", p.Steps)
		}
	}
	// A lease that is over isn't begun again.
	seen.Record.Quiet, seen.Config = "", w.config
	seen.Quiet = model.QuietStatus{Lease: "lease", State: model.QuietOver}
	w.spec.Quiet = "lease"
	if p := Next(w.spec, seen, w.node); len(p.Steps) > 0 {
		t.Errorf("again: %v", p.Steps)
	}
}

// DRBD 8.4 hangs for ever where there is no disk; what something else suspended isn't ours to resume.
func TestQuietCant(t *testing.T) {
	w := diskful(t)
	w.spec.Quiet = "lease"
	seen := w.seen()
	k := *seen.Kernel
	k.Suspended = true
	seen.Kernel = &k
	if p := Next(w.spec, seen, w.node); p.Lapse == "" || len(p.Steps) > 0 {
		t.Errorf("suspended by others: %+v", p)
	}
	k = Kernel{Volumes: map[int]KernelVolume{0: {Disk: model.DiskDiskless}}}
	if CantHold(model.DRBD8, &k) == "" || CantHold(model.DRBD9, &k) != "" {
		t.Error("8.4 without a disk, and only that, can't be held")
	}
}

func TestCopy(t *testing.T) {
	spec := model.ResourceSpec{Name: "backups", ID: "copy", Snapshot: &model.SnapshotSpec{Take: true,
		Copies: []model.CopySpec{{ID: "c", Pool: "thin", Name: "backups_00000@monday", Of: "v", Device: "backups_00000"}}}}
	node := Node{Session: true}
	seen := func(d *pool.Device) Seen { return Seen{Volumes: map[int]Volume{0: {PoolSeen: true, Device: d}}} }
	mine, others := &pool.Device{Name: "backups_00000@monday", Label: "c"}, &pool.Device{Name: "backups_00000@monday", Label: "x"}
	want := func(take bool, w model.Want, d *pool.Device, phase model.Phase, steps ...Kind) {
		t.Helper()
		s := *spec.Snapshot
		s.Take = take
		r := spec
		r.Snapshot, r.Want = &s, w
		p := Next(r, seen(d), node)
		if diff := cmp.Diff(steps, kinds(p)); diff != "" || p.Phase != phase || p.Gone != (w == model.Gone && len(steps) == 0) {
			t.Errorf("take %v, %d: %+v %s", take, w, p, diff)
		}
	}
	want(true, model.Up, nil, model.Working, TakeSnapshot)
	want(true, model.Up, mine, model.Done)
	want(true, model.Up, others, model.Failed)
	want(false, model.Up, mine, model.Done)
	want(false, model.Up, nil, model.Failed) // lost; never taken anew
	want(false, model.Gone, mine, model.Working, RemoveSnapshot)
	want(false, model.Gone, others, model.Done)
	want(true, model.Gone, nil, model.Done)
	node.Session = false
	want(true, model.Up, nil, model.Working)
}
