package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// A look at the node that began before a resource went, and ends when another of its name is up, tells nothing of that one's
// config: it would stay for ever when that one goes.
func TestSlowLookAtTheNode(t *testing.T) {
	r := newRig(t, model.DRBD8, "alpha", "bravo")
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	bravo := r.nodes[1]
	bravo.holds = NodeJob
	r.run(time.Minute)
	if len(bravo.letGo) == 0 {
		t.Fatal("nobody looks at the node")
	}
	bravo.remove("backups", whole)
	r.run(10 * time.Second)
	next := bravo.specs[0]
	next.ID, next.Want, next.Volumes = "another", model.Up, append([]model.VolumeSpec(nil), next.Volumes...)
	next.Volumes[0].ID, next.Volumes[0].Want, next.Volumes[0].Initialised = "another-0", model.Up, false
	bravo.specs = append(bravo.specs, next)
	r.run(10 * time.Second)
	if st := bravo.status["another"]; len(st.Volumes) != 1 || st.Volumes[0].Disk == "" {
		t.Fatalf("the next isn't up: %+v", st)
	}
	bravo.holds = 0
	for _, f := range bravo.letGo {
		f()
	}
	s := &bravo.specs[1]
	s.Want, s.WholeDefinition = model.Gone, true
	s.Generation++
	s.Volumes = append([]model.VolumeSpec(nil), s.Volumes...)
	s.Volumes[0].Want = model.Gone
	r.run(20 * time.Second)
	if st := bravo.status["another"]; !st.Gone {
		t.Fatalf("it isn't gone: %+v", st)
	}
	if names, _ := bravo.m.ReadDir(cfg.ConfigDir); len(names) > 0 {
		t.Errorf("%v are left over", names)
	}
}

// A look that began before DRBD's module was loaded, and ends when a resource is up, doesn't say that nothing is up: the
// resource would be said to be gone while the kernel still runs it.
func TestSlowLookBeforeTheModule(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha", "bravo")
	r.run(10 * time.Second)
	bravo := r.nodes[1]
	bravo.holds = NodeJob
	bravo.a.nodeDirty = true
	r.run(time.Second)
	if len(bravo.letGo) != 1 {
		t.Fatalf("%d looks at the node", len(bravo.letGo))
	}
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	r.run(10 * time.Second)
	if len(bravo.m.KernelResources()) != 1 {
		t.Fatal("isn't up")
	}
	bravo.letGo[0]() // the next look takes its time, too
	bravo.remove("backups", whole)
	r.run(30 * time.Second)
	if st := bravo.of("backups"); !st.Gone || len(bravo.m.KernelResources()) > 0 {
		t.Errorf("the kernel runs %v, and it is said: %+v", bravo.m.KernelResources(), st)
	}
}
