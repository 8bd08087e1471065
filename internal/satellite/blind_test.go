package satellite

import (
	"slices"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
)

// The first resource after a boot is brought up, which loads DRBD's module, and the looks at the kernel fail. That there is nothing
// in it, as before, isn't concluded: what is removed then is taken down.
func TestRemovedUnseen(t *testing.T) {
	for fails := 1; fails <= 4; fails++ {
		r := newRig(t, model.DRBD9, "alpha", "bravo")
		r.run(5 * time.Second)
		r.deploy("backups", model.DRBD9, model.SeedSync, 1)
		alpha := r.nodes[0]
		alpha.specs[0].Diskless = true
		alpha.specs[0].Volumes[0].Pool, alpha.specs[0].Volumes[0].Seed = "", model.NoSeed
		alpha.m.Fail("drbdsetup events2", fails)
		alpha.holds = NodeJob // that the module is loaded is known later
		for range 100 {       // not a moment later: then the events tell
			if alpha.step(); len(alpha.m.KernelResources()) > 0 {
				break
			}
		}
		if len(alpha.m.KernelResources()) == 0 {
			t.Fatalf("it isn't up\n%s", r.traces())
		}
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
	r := newRig(t, model.DRBD9, "alpha", "bravo")
	r.run(5 * time.Second)
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	alpha := r.nodes[0]
	alpha.specs[0].Diskless = true
	alpha.specs[0].Volumes[0].Pool, alpha.specs[0].Volumes[0].Seed = "", model.NoSeed
	s, err := alpha.m.Stream(ctx, EventsArgv())
	if err != nil {
		t.Fatal(err)
	}
	alpha.stream, alpha.deaf = s.(*machine.Stream), true
	alpha.a.StreamStarted(r.now)
	for range 100 {
		if alpha.step(); len(alpha.m.KernelResources()) > 0 {
			break
		}
	}
	if len(alpha.m.KernelResources()) == 0 {
		t.Fatalf("it isn't up\n%s", r.traces())
	}
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
