package controller

import (
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/wire"
)

// restart ends the satellite's process; the next one's first report says nothing of the machine.
func (r *rig) restart(s *sat) {
	s.looks = true
	r.b.Lost(s.name, s.id, "connection reset", r.now)
	r.forward(5 * time.Second)
}

// said is the late word of the node.
func (r *rig) said(s *sat) {
	r.b.Message(s.name, s.id, wire.Report{Node: &s.report}, r.now)
	r.run()
}

// A satellite that has just been restarted reports before it has looked at its machine: what it said before still holds.
func TestInventoryOutlivesSatellite(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.node("bravo")
	r.must(core.DefinitionCreate{Name: "db"})
	r.must(core.VolumeCreate{Definition: "db", SizeKiB: 65536})
	r.restart(a)
	n := r.b.Snapshot().Node("alpha")
	if !n.Online() || n.Seen.DRBD != model.DRBD9 || len(n.Seen.Pools) != 1 || n.Seen.Pools[0].FreeKiB == 0 {
		t.Fatalf("%+v", n.Seen)
	}
	r.must(core.ResourceCreate{Definition: "db", On: []core.ResourceOn{{Node: "alpha"}}})
	r.must(core.Autoplace{Definition: "db", Filter: model.SelectFilter{PlaceCount: 2, Nodes: []string{"alpha", "bravo"}}})

	// It has looked, but not at its pool yet.
	pools := a.report.Pools
	a.report.Pools, a.report.UtilsVersion = nil, "9.28.0"
	r.said(a)
	if n = r.b.Snapshot().Node("alpha"); len(n.Seen.Pools) != 1 || n.Seen.UtilsVersion != "9.28.0" {
		t.Fatalf("%+v", n.Seen)
	}
	a.report.Pools = pools
	a.report.Pools[0].FreeKiB = 77
	a.report.DRBD = model.Unpinned
	r.said(a)
	if n = r.b.Snapshot().Node("alpha"); len(n.Seen.Pools) != 1 || n.Seen.Pools[0].FreeKiB != 77 || n.Seen.DRBD != model.Unpinned || n.Seen.Last != nil {
		t.Fatalf("%+v", n.Seen)
	}
}

// After a boot, or a controller's start, nobody knows which kernel and which disks it has: it isn't online before it says so.
func TestNoInventoryNotOnline(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	waits := func(when string) {
		t.Helper()
		n := r.b.Snapshot().Node("alpha")
		if n.Seen.Status != model.StatusConnected || n.Seen.Reason != lookedAt || n.Seen.DRBD != model.Unpinned {
			t.Fatalf("%s: %+v", when, n.Seen)
		}
		r.said(a)
		if n = r.b.Snapshot().Node("alpha"); !n.Online() || n.Seen.DRBD != model.DRBD9 {
			t.Fatalf("%s: %+v", when, n.Seen)
		}
	}
	a.boot = "another"
	r.restart(a)
	waits("booted")
	r.crash()
	r.start()
	r.forward(5 * time.Second)
	waits("the controller is new")
}
