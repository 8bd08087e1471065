package satellite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
)

// second is a second resource of that name, with a minor and a port of its own.
func (r *rig) second(name string, gen model.DRBDGeneration) {
	r.deploy(name, gen, model.SeedSync, 1)
	for _, n := range r.nodes {
		s := &n.specs[len(n.specs)-1]
		s.Volumes[0].Minor, s.DRBD.Port = 1100, 7100
		for i := range s.DRBD.Peers {
			s.DRBD.Peers[i].Port = 7100
		}
	}
}

// ran counts the programs since the log had so many lines whose command line has the words.
func (n *node) ran(since int, words ...string) (count int) {
	for _, l := range n.m.LogSince(since) {
		if strings.HasPrefix(l, "$ ") && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(l, w) }) {
			count++
		}
	}
	return count
}

// Where DRBD's events show what a job did, nobody asks the kernel; where they don't arrive, it is asked instead, and what is
// stale makes nobody do a thing twice.
func TestEventsShowWhatWasDone(t *testing.T) {
	const asks = "events2 --now"
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, deaf := range []bool{false, true} {
			r := newRig(t, gen, "alpha")
			alpha := r.nodes[0]
			r.deploy("backups", gen, model.SeedSync, 1)
			r.run(10 * time.Second)
			r.upToDate("backups")
			logged := alpha.m.Logged()
			alpha.deaf = deaf
			r.second("mail", gen)
			r.run(10 * time.Second)
			r.upToDate("mail")
			if n := alpha.ran(logged, asks); deaf != (n > 1) || n == 0 { // the guard of the first sync
				t.Errorf("DRBD %d, deaf %v: asked %d times to bring it up\n%s", gen, deaf, n, r.traces())
			}
			if n := alpha.ran(logged, "adjust mail"); n != 1 {
				t.Errorf("DRBD %d, deaf %v: %d adjusts", gen, deaf, n)
			}
			logged = alpha.m.Logged()
			alpha.remove("mail", whole)
			r.run(10 * time.Second)
			if st := alpha.of("mail"); !st.Gone {
				t.Fatalf("%+v\n%s", st, r.traces())
			}
			if n := alpha.ran(logged, asks); deaf != (n > 1) || n == 0 { // the guard before it goes
				t.Errorf("DRBD %d, deaf %v: asked %d times to remove it", gen, deaf, n)
			}
			if n := alpha.ran(logged, "down mail"); n != 1 {
				t.Errorf("DRBD %d, deaf %v: %d times taken down", gen, deaf, n)
			}
		}
	}
}

// A file that drbdadm doesn't understand is put in nobody's place, and the kernel is left as it is; one that is understood
// replaces the old also where the kernel refuses what it says.
func TestNewConfigMustParse(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha")
	alpha := r.nodes[0]
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	r.run(10 * time.Second)
	r.upToDate("backups")
	file := cfg.configFile("backups")
	read := func() string {
		b, err := alpha.m.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	change := func(value string) {
		s := &alpha.specs[0]
		d := *s.DRBD
		d.Options = map[string]map[string]string{"Net": {"max-buffers": value}}
		s.DRBD, s.Generation = &d, s.Generation+1
	}
	old := read()
	change("4000")
	alpha.m.Fail("drbdadm adjust", 1)
	alpha.m.Fail("drbdadm sh-nop", 1) // it isn't known whether it was read
	r.run(500 * time.Millisecond)
	if st := alpha.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "old one stays") || read() != old {
		t.Fatalf("%+v\n%s", st, read())
	}
	if files, _ := alpha.m.ReadDir(cfg.ConfigDir); len(files) != 1 {
		t.Errorf("%v", files)
	}
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Done || !strings.Contains(read(), "4000") {
		t.Fatalf("%+v\n%s", st, read())
	}
	change("5000")
	logged := alpha.m.Logged()
	alpha.m.Fail("drbdadm adjust", 1)
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Done || !strings.Contains(read(), "5000") {
		t.Fatalf("%+v\n%s", st, read())
	}
	// The second time it is there already.
	if n, again := alpha.ran(logged, "adjust"), alpha.ran(logged, file, "adjust"); n != 2 || again != 1 {
		t.Errorf("%d adjusts, %d of them to the file in place", n, again)
	}

	// The first of a resource.
	r = newRig(t, model.DRBD8, "alpha")
	alpha = r.nodes[0]
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	alpha.specs[0].DRBD.Options = map[string]map[string]string{"Net": {"connection-mesh": "x"}} // 8.4 doesn't know it
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "doesn't parse") {
		t.Fatalf("%+v", st)
	}
	if files, _ := alpha.m.ReadDir(cfg.ConfigDir); len(files) != 0 {
		t.Errorf("%v", files)
	}
	if k := alpha.m.KernelResources(); len(k) != 0 {
		t.Errorf("%v", k)
	}
}

// What a config gives is told from what the kernel has, whatever differs.
func TestConfigured(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha", "bravo")
	alpha := r.nodes[0]
	r.deploy("backups", model.DRBD9, model.SeedSync, 2)
	r.run(10 * time.Second)
	r.upToDate("backups")
	step := alpha.a.replicas["backups-on-alpha"].plan
	if len(step.Steps) != 0 {
		t.Fatalf("%+v", step)
	}
	s := steps.Step{Kind: steps.Adjust, DRBD: model.DRBD9, Config: alpha.a.configs["backups"].Text}
	view := alpha.a.view["backups"]
	if !configured(view, s, "alpha") {
		t.Fatalf("%+v\n%s", view, s.Config)
	}
	if configured(nil, s, "alpha") || configured(view, s, "charlie") {
		t.Error("nothing is taken for it")
	}
	for what, change := range map[string]func(*drbd.ResourceState){
		"no volume":           func(k *drbd.ResourceState) { delete(k.Devices, 1) },
		"another minor":       func(k *drbd.ResourceState) { k.Devices[1].Minor++ },
		"another volume":      func(k *drbd.ResourceState) { k.Devices[2] = k.Devices[1] },
		"no disk":             func(k *drbd.ResourceState) { k.Devices[0].Disk = model.DiskDiskless },
		"a disk on its way":   func(k *drbd.ResourceState) { k.Devices[0].Disk = "Attaching" },
		"no connection":       func(k *drbd.ResourceState) { clear(k.Connections) },
		"one given up":        func(k *drbd.ResourceState) { k.Connections[1].Connection = model.StandAlone },
		"one to another node": func(k *drbd.ResourceState) { k.Connections[1].NodeID = 5 },
	} {
		k := view.Clone()
		if change(k); configured(k, s, "alpha") {
			t.Errorf("%s: taken for what the config says", what)
		}
	}
}
