package satellite

import (
	"slices"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
)

// withoutDisk is two nodes that are told of a resource, alpha of one without a disk.
func withoutDisk(t *testing.T) (r *rig, alpha *node) {
	r = newRig(t, model.DRBD9, "alpha", "bravo")
	r.run(5 * time.Second)
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	alpha = r.nodes[0]
	alpha.specs[0].Diskless = true
	alpha.specs[0].Volumes[0].Pool, alpha.specs[0].Volumes[0].Seed = "", model.NoSeed
	return r, alpha
}

// untilUp lets the node go on until something is in its kernel, and no further.
func (n *node) untilUp() {
	n.r.t.Helper()
	for range 100 {
		if n.step(); len(n.m.KernelResources()) > 0 {
			return
		}
	}
	n.r.t.Fatalf("it isn't up\n%s", n.r.traces())
}

// The first resource after a boot is brought up, which loads DRBD's module, and the looks at the kernel fail. That there is nothing
// in it, as before, isn't concluded: what is removed then is taken down.
func TestRemovedUnseen(t *testing.T) {
	for fails := 1; fails <= 4; fails++ {
		r, alpha := withoutDisk(t)
		alpha.m.Fail("drbdsetup events2", fails)
		alpha.holds = NodeJob // that the module is loaded is known later
		alpha.untilUp()       // not a moment later: then the events tell
		alpha.remove("backups", whole)
		for range 5 {
			alpha.step()
		}
		alpha.holds = 0
		for _, f := range alpha.letGo {
			f()
		}
		r.run(time.Minute)
		if !alpha.of("backups").Gone {
			t.Errorf("%d looks fail: it isn't gone: %+v", fails, alpha.of("backups"))
		}
		alpha.nothingLeft()
	}
}

// The events' first picture is of the moment when their program began, and may be read late: what a job has told since is newer. A
// resource that it brought up meanwhile is taken down when it is removed, not forgotten (seed 19671).
func TestRemovedWhileThePictureIsOld(t *testing.T) {
	r, alpha := withoutDisk(t)
	s, err := alpha.m.Stream(ctx, EventsArgv())
	if err != nil {
		t.Fatal(err)
	}
	alpha.stream, alpha.deaf = s.(*machine.Stream), true
	alpha.a.StreamStarted(r.now)
	alpha.untilUp()
	alpha.remove("backups", whole)
	lines, _ := alpha.stream.Lines()
	first := slices.Index(lines, "exists -")
	if first < 0 {
		t.Fatalf("no picture: %q", lines)
	}
	for i, l := range lines {
		if err := alpha.a.OnEvent(l, r.now); err != nil {
			t.Fatal(err)
		}
		if i == first { // the rest is late
			for range 5 {
				alpha.step()
			}
		}
	}
	alpha.deaf = false
	r.run(time.Minute)
	if !alpha.of("backups").Gone {
		t.Errorf("it isn't gone: %+v\n%s", alpha.of("backups"), r.traces())
	}
	alpha.nothingLeft()
}
