package satellite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/wire"
)

func pair(t *testing.T) (r *rig, alpha, bravo *node) {
	r = newRig(t, model.DRBD8, "alpha", "bravo")
	return r, r.nodes[0], r.nodes[1]
}

func TestRemoveOneReplica(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	r.upToDate("backups")
	bravo.remove("backups", nil)
	r.run(10 * time.Second)
	if st := bravo.of("backups"); !st.Gone {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	bravo.nothingLeft()
	// bravo is no peer any more, and a new incarnation comes under the same names.
	bravo.specs = nil
	id := model.UUID("backups-on-bravo-2")
	s := alpha.specs[0]
	s.ID, s.DRBD = id, &model.DRBDSpec{Generation: model.DRBD8, Secret: "secret", PeerSlots: 7, NodeID: 1, Address: address(1).String(), Port: 7000,
		Options: s.DRBD.Options, Peers: []model.PeerSpec{{Node: "alpha", ID: "backups-on-alpha", Address: address(0).String(), Port: 7000}}}
	s.Volumes = slices.Clone(s.Volumes)
	s.Volumes[0].ID, s.Volumes[0].Initialised, s.Volumes[0].Seed = "backups-0-on-bravo-2", false, model.NoSeed
	bravo.specs = []model.ResourceSpec{s}
	r.run(10 * time.Second)
	if st := bravo.status[id]; st.Phase != model.Done || !st.UpToDate() {
		t.Errorf("%+v\n%s", st, r.traces())
	}
}

func TestGuardHoldsTheLastGoodCopy(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	r.net.Cut("alpha", "bravo")
	r.run(2 * time.Second)
	alpha.remove("backups", nil)
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Blocked || !strings.Contains(st.Reason, "no connected peer is UpToDate") || len(alpha.m.LVs("sw_ssd")) != 1 {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	// The satellite dies, the power goes, the order stays: the guard looks again each time.
	alpha.kill()
	alpha.start()
	r.run(5 * time.Second)
	alpha.cut()
	alpha.boot()
	r.run(5 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Blocked || len(alpha.m.LVs("sw_ssd")) != 1 {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	r.net.Heal("alpha", "bravo")
	r.run(90 * time.Second) // a retry at most a minute away, and a sync
	if st := alpha.of("backups"); !st.Gone {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	alpha.nothingLeft()
	if st := bravo.of("backups"); !st.UpToDate() {
		t.Errorf("%+v", st)
	}
}

func TestInUseIsNotTakenDown(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	if res, err := alpha.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "primary", "backups")); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	if err := alpha.m.Open("backups", 0); err != nil {
		t.Fatal(err)
	}
	r.run(time.Second)
	if st := alpha.of("backups"); !st.InUse || st.Phase != model.Done {
		t.Errorf("%+v", st)
	}
	alpha.remove("backups", whole)
	r.run(5 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Blocked || !st.InUse || !strings.Contains(st.Reason, "in use") {
		t.Errorf("%+v", st)
	}
	alpha.m.Close("backups", 0)
	if res, err := alpha.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "secondary", "backups")); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	r.run(5 * time.Second)
	if st := alpha.of("backups"); !st.Gone {
		t.Errorf("%+v", st)
	}
	alpha.nothingLeft()
}

// A satellite with no controller in sight brings up what it was told last, after a boot.
func TestBootWithoutController(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	for _, n := range r.nodes {
		n.away = true
		n.cut()
	}
	r.run(time.Second)
	for _, n := range r.nodes {
		n.boot()
		n.session = 0
	}
	r.run(10 * time.Second)
	for _, n := range []*node{alpha, bravo} {
		if v, ok := n.m.Volume("backups", 0); !ok || v.Disk != model.DiskUpToDate {
			t.Errorf("%s: %+v\n%s", n.name, v, r.traces())
		}
		n.away = false
	}
	r.run(2 * time.Second)
	r.upToDate("backups")
	if !alpha.of("backups").MetPeer {
		t.Error("it has met its peer")
	}
}

// Without its peer since the boot, an 8.4 resource says so, also after the satellite was started again.
func TestMetPeer(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	alpha.kill()
	bravo.cut()
	alpha.start()
	r.run(20 * time.Second)
	if st := alpha.of("backups"); !st.MetPeer || st.Peers[0].State == model.Connected {
		t.Errorf("%+v", st)
	}
	alpha.cut()
	alpha.boot()
	r.run(20 * time.Second)
	if st := alpha.of("backups"); st.MetPeer || st.Phase != model.Done {
		t.Errorf("%+v\n%s", st, r.traces())
	}
}

func TestMissingModuleLeavesAllUntouched(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	for module, says := range map[string]string{"": "no DRBD module", "9.2.18": "8.4 metadata, this node runs 9"} {
		alpha.m.SetModule(module)
		alpha.cut()
		alpha.boot()
		before := alpha.m.Effects()
		r.run(5 * time.Second)
		if st := alpha.of("backups"); st.Phase != model.Blocked || !strings.Contains(st.Reason, says) {
			t.Errorf("module %q: %+v", module, st)
		}
		for _, l := range alpha.m.Log()[:] {
			if strings.Contains(l, "create-md") && !strings.HasPrefix(l, "$") && alpha.m.Effects() > before+5 {
				t.Errorf("module %q: %s", module, l)
			}
		}
		if alpha.report.DRBD == model.DRBD8 {
			t.Errorf("%+v", alpha.report)
		}
	}
	alpha.m.SetModule("8.4.11")
	alpha.cut()
	alpha.boot()
	r.run(10 * time.Second)
	r.upToDate("backups")
}

func TestHandMadeIsLeftAlone(t *testing.T) {
	r, alpha, bravo := pair(t)
	alpha.m.AddLV("sw_ssd", "backups_00000", 64<<10)
	alpha.m.AddLV("sw_ssd", "home", 64<<10)
	if err := bravo.m.MkdirAll(cfg.ConfigDir, 0o755); err != nil {
		t.Fatal(err)
	}
	byHand := []byte("resource backups { on bravo { address 10.77.0.2:7000; volume 0 { device minor 0; disk /dev/x; meta-disk internal; } } }\n")
	if err := bravo.m.WriteFile(cfg.configFile("backups"), byHand, 0o600); err != nil {
		t.Fatal(err)
	}
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "didn't make") {
		t.Errorf("%+v", st)
	}
	if st := bravo.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "didn't make") {
		t.Errorf("%+v", st)
	}
	alpha.remove("backups", whole)
	bravo.remove("backups", whole)
	r.run(10 * time.Second)
	if st := alpha.of("backups"); !st.Gone {
		t.Errorf("%+v", st)
	}
	if st := bravo.of("backups"); !st.Gone {
		t.Errorf("%+v", st)
	}
	if lvs := alpha.m.LVs("sw_ssd"); len(lvs) != 2 {
		t.Errorf("%v", lvs)
	}
	if b, err := bravo.m.ReadFile(cfg.configFile("backups")); string(b) != string(byHand) {
		t.Errorf("%s %v", b, err)
	}
}

// What is no longer mentioned stays as it is, and is reported.
func TestOrphans(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	alpha.kill()
	alpha.start()
	alpha.specs = nil // a store rolled back
	r.order = model.Order{Epoch: 2, Instance: "i2"}
	r.run(10 * time.Second)
	if v, ok := alpha.m.Volume("backups", 0); !ok || v.Disk != model.DiskUpToDate || len(alpha.m.LVs("sw_ssd")) != 1 {
		t.Errorf("%+v", v)
	}
	want := []model.Orphan{{ID: "backups-0-on-alpha", Pool: "swpool", Name: "backups_00000"}, {ID: "backups-on-alpha", Name: "/var/lib/holdfast.d/backups.res"}}
	if !slices.Equal(alpha.report.Orphans, want) {
		t.Errorf("%+v", alpha.report.Orphans)
	}
	// Another incarnation of the same names doesn't touch it either.
	r2 := r.nodes[0].status
	if len(r2) != 0 {
		t.Errorf("%+v", r2)
	}
}

func TestRolledBackStoreInitialisesNothingAnew(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	bravo.cut() // alpha alone, as if bravo's data had been the newer
	alpha.cut()
	alpha.boot()
	r.order = model.Order{Epoch: 2, Instance: "i2"}
	alpha.specs[0].Volumes = slices.Clone(alpha.specs[0].Volumes)
	alpha.specs[0].Volumes[0].Initialised = false
	alpha.specs[0].Generation = 1
	n := len(alpha.m.Log())
	r.run(10 * time.Second)
	for _, l := range alpha.m.Log()[n:] {
		if strings.Contains(l, "create-md") || strings.Contains(l, "primary") {
			t.Errorf("%s", l)
		}
	}
	if st := alpha.of("backups"); st.Volume(0) == nil || !st.Volume(0).MDReady {
		t.Errorf("%+v", st)
	}
}

func TestWhoMaySpeak(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	hello := func(o model.Order, name string, features ...string) wire.RefusedWhy {
		m, ok := alpha.a.Hello(99, wire.Hello{Order: o, NodeName: name, Features: features}, r.now)
		if ok {
			return ""
		}
		ref := m.(wire.Refused)
		if ref.Text == "" || ref.HighestEpoch == 0 {
			t.Errorf("%+v", ref)
		}
		return ref.Why
	}
	base := wire.Features[0]
	for _, c := range []struct {
		o    model.Order
		name string
		feat string
		want wire.RefusedWhy
	}{
		{model.Order{Epoch: 0, Instance: "i0"}, "alpha", base, wire.RefusedEpoch},
		{model.Order{Epoch: 1, Instance: "copy"}, "alpha", base, wire.RefusedInstance},
		{model.Order{Epoch: 2, Instance: "i2"}, "alfa", base, wire.RefusedName},
		{model.Order{Epoch: 2, Instance: "i2"}, "alpha", "base9", wire.RefusedVersion},
	} {
		if got := hello(c.o, c.name, c.feat); got != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
	if alpha.a.Session() != alpha.session {
		t.Error("a refused controller ended the session of the right one")
	}
	// An older generation of the same epoch changes nothing, whatever it says.
	s := alpha.specs[0]
	s.Generation, s.Want, s.WholeDefinition = s.Generation-1, model.Gone, true
	if _, err := alpha.a.Message(alpha.session, wire.Desired{Order: r.order, Seq: alpha.seq + 1, Resources: []model.ResourceSpec{s}}, r.now); err != nil {
		t.Fatal(err)
	}
	// Nor does a late word of an incarnation that is gone.
	late := alpha.specs[0]
	late.Name, late.ID, late.Generation, late.Volumes = "late", "late", 5, nil
	for i, d := range []wire.Desired{
		{Resources: []model.ResourceSpec{late}},
		{Dropped: []model.UUID{"late"}},
		{Resources: []model.ResourceSpec{late}},
	} {
		d.Order, d.Seq = r.order, alpha.seq+2+uint64(i)
		if _, err := alpha.a.Message(alpha.session, d, r.now); err != nil {
			t.Fatal(err)
		}
	}
	if alpha.a.replicas["late"] != nil {
		t.Error("a late word is taken")
	}
	alpha.seq += 4
	// A word of another epoch inside the session ends it.
	if _, err := alpha.a.Message(alpha.session, wire.Desired{Order: model.Order{Epoch: 0, Instance: "i0"}, Seq: alpha.seq + 2, Full: true}, r.now); err == nil {
		t.Error("taken")
	}
	r.run(5 * time.Second)
	r.upToDate("backups")
	// Who was newer once is remembered over a restart.
	alpha.kill()
	alpha.start()
	if got := hello(model.Order{Epoch: 1, Instance: "copy"}, "alpha", base); got != wire.RefusedInstance {
		t.Errorf("after a restart: %q", got)
	}
	if got := hello(model.Order{Epoch: 2, Instance: "i2"}, "ALPHA", base); got != "" {
		t.Errorf("a newer one: %q", got)
	}
	if got := hello(model.Order{Epoch: 1, Instance: "i1"}, "alpha", base); got != wire.RefusedEpoch {
		t.Errorf("the old one: %q", got)
	}
}

// Another cluster that owns the satellite now has epochs of its own; what the old one made are orphans to it.
func TestMovesToAnotherCluster(t *testing.T) {
	r, alpha, _ := pair(t)
	r.order.Epoch = 7
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	alpha.away = true
	r.run(time.Second)
	if m, ok := alpha.a.Hello(50, wire.Hello{ClusterID: "other", Order: model.Order{Epoch: 1, Instance: "j1"}, Features: wire.Features}, r.now); !ok {
		t.Fatalf("%+v", m)
	}
	if _, err := alpha.a.Message(50, wire.Desired{Order: model.Order{Epoch: 1, Instance: "j1"}, Seq: 1, Full: true, Pools: alpha.pools}, r.now); err != nil {
		t.Fatal(err)
	}
	alpha.away, alpha.session, alpha.told = false, 50, "x"
	for range 10 {
		for _, j := range alpha.a.Due(r.now) {
			alpha.a.Finish(j, alpha.a.RunJob(ctx, j), r.now)
		}
	}
	alpha.hear()
	if v, ok := alpha.m.Volume("backups", 0); !ok || v.Disk != model.DiskUpToDate || len(alpha.report.Orphans) != 2 {
		t.Errorf("%+v %+v", v, alpha.report.Orphans)
	}
}

// A connection that is StandAlone is brought back.
func TestStandAloneIsHealed(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	if res, err := alpha.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "disconnect", "backups")); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	r.run(5 * time.Second)
	if p := alpha.of("backups").Peers[0]; p.State != model.StandAlone {
		t.Errorf("whoever disconnected it has no time to go on: %+v\n%s", p, r.traces())
	}
	r.run(15 * time.Second)
	r.upToDate("backups")
	if p := alpha.of("backups").Peers[0]; p.State != model.Connected {
		t.Errorf("%+v\n%s", p, r.traces())
	}
}

// A pool that hangs holds up nothing but itself.
func TestHungPool(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	alpha.m.Hang("lvm", true)
	alpha.m.Hang("lvcreate", true)
	r.run(40 * time.Second)
	if len(alpha.report.Hung) == 0 || alpha.report.Hung[0].Pool != "swpool" || alpha.report.Hung[0].Pid == 0 || alpha.report.Hung[0].Argv[0] != "lvm" {
		t.Fatalf("%+v", alpha.report.Hung)
	}
	if p := alpha.report.Pools[0]; p.Reason == "" || p.TotalKiB == 0 || len(p.Volumes) != 1 {
		t.Errorf("it keeps its last figures: %+v", p)
	}
	// DRBD of a resource on that pool is still looked after.
	d := *alpha.specs[0].DRBD
	alpha.specs[0].DRBD = &d
	alpha.specs[0].DRBD.Options = map[string]map[string]string{"Net": {"protocol": "C", "ping-int": "1"}}
	alpha.specs[0].Generation++
	r.run(2 * time.Second)
	b, _ := alpha.m.ReadFile(cfg.configFile("backups"))
	if st := alpha.of("backups"); st.Phase != model.Done || st.Generation != alpha.specs[0].Generation || !strings.Contains(string(b), "ping-int") {
		t.Errorf("%+v\n%s", st, r.traces())
	}
	alpha.remove("backups", whole)
	r.run(20 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "killed") {
		t.Errorf("%+v", st)
	}
	alpha.m.Hang("lvm", false)
	alpha.m.Hang("lvcreate", false)
	r.run(70 * time.Second)
	if st := alpha.of("backups"); !st.Gone || len(alpha.report.Hung) > 0 {
		t.Errorf("%+v %+v\n%s", st, alpha.report.Hung, r.traces())
	}
}

// Nothing changes, nothing is said and nothing but looks is done.
func TestQuietWhenNothingChanges(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	effects, acked := alpha.m.Effects(), *alpha.a.session
	alpha.status = nil // a report would panic
	r.run(2 * time.Minute)
	if alpha.m.Effects() != effects || alpha.a.session.acked != acked.acked {
		t.Errorf("%v", alpha.m.Log()[effects:])
	}
}

// A store rolled back to before a volume was added says nothing of it: it stays up, and is reported.
func TestUnmentionedVolumeStays(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 2)
	r.run(10 * time.Second)
	r.upToDate("backups")
	r.order = model.Order{Epoch: 2, Instance: "i2"}
	for _, n := range r.nodes {
		n.kill()
		n.start()
		s := &n.specs[0]
		s.Generation, s.Volumes = 2, s.Volumes[:1]
	}
	check := func(when string) {
		t.Helper()
		for _, n := range r.nodes {
			if v, ok := n.m.Volume("backups", 1); !ok || v.Disk != model.DiskUpToDate {
				t.Errorf("%s: %s: %+v", when, n.name, v)
			}
			if st := n.of("backups"); st.Phase != model.Done || len(st.Volumes) != 1 {
				t.Errorf("%s: %s: %+v", when, n.name, st)
			}
			if o := n.report.Orphans; len(o) != 1 || o[0].Name != "backups_00001" {
				t.Errorf("%s: %s: %+v", when, n.name, o)
			}
		}
	}
	r.run(10 * time.Second)
	check("rolled back")
	alpha.cut()
	bravo.kill()
	alpha.boot()
	bravo.start()
	r.run(10 * time.Second)
	check("after a boot")
	// Another volume under the same number is refused; the old one stays.
	s := &alpha.specs[0]
	s.Generation++
	s.Volumes = append(slices.Clone(s.Volumes), s.Volumes[0])
	s.Volumes[1].ID, s.Volumes[1].Number, s.Volumes[1].Minor, s.Volumes[1].Backing, s.Volumes[1].Initialised = "new", 1, 1001, "backups_00001", false
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "doesn't know") || st.Volume(1).Disk != "" {
		t.Errorf("%+v", st)
	}
	// The whole definition goes: what isn't named isn't destroyed.
	for _, n := range r.nodes {
		n.remove("backups", whole)
	}
	r.run(10 * time.Second)
	for _, n := range r.nodes {
		if lvs := n.m.LVs("sw_ssd"); !slices.Equal(lvs, []string{"backups_00001"}) {
			t.Errorf("%s: %v", n.name, lvs)
		}
		if st := n.of("backups"); !st.Gone {
			t.Errorf("%s: %+v\n%s", n.name, st, r.traces())
		}
		if v, ok := n.m.Volume("backups", 1); !ok || v.Disk != model.DiskUpToDate {
			t.Errorf("%s: %+v", n.name, v)
		}
		if _, ok := n.m.Volume("backups", 0); ok {
			t.Errorf("%s: volume 0 is still up", n.name)
		}
	}
}

// The first sync of a volume that is added while the peer is away leaves the data generation of the others alone: there
// is no split brain when it returns.
func TestFirstSyncWhilePeerIsAway(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		r := newRig(t, gen, "alpha", "bravo")
		r.deploy("backups", gen, model.SeedSync, 1)
		r.run(10 * time.Second)
		r.upToDate("backups")
		r.net.Cut("alpha", "bravo")
		r.run(2 * time.Second)
		for _, n := range r.nodes {
			s := &n.specs[0]
			v := s.Volumes[0]
			s.Generation++
			v.ID, v.Number, v.Minor, v.Backing, v.Initialised, v.Seed = v.ID+"-1", 1, 1001, "backups_00001", false, model.NoSeed
			if n == r.nodes[0] {
				v.Seed = model.SeedSync
			}
			s.Volumes = []model.VolumeSpec{s.Volumes[0], v}
			s.Volumes[0].Seed = model.NoSeed
		}
		r.run(5 * time.Second)
		if v, _ := r.nodes[0].m.Volume("backups", 1); v.Disk != model.DiskUpToDate {
			t.Fatalf("DRBD %d: %+v\n%s", gen, v, r.traces())
		}
		bravo := r.nodes[1]
		if res, err := bravo.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "primary", "backups")); err != nil || res.Exit == 0 {
			t.Errorf("DRBD %d: bravo is Primary with a volume that isn't good: %+v", gen, res)
		}
		r.net.Heal("alpha", "bravo")
		r.run(20 * time.Second)
		r.upToDate("backups")
		if st := bravo.of("backups"); st.Peers[0].State != model.Connected {
			t.Errorf("DRBD %d: %+v", gen, st)
		}
	}
}

// Two pools on one volume group share its names: what one of them removes is gone for the other too, at once.
func TestPoolsOnOneVolumeGroup(t *testing.T) {
	r, alpha, bravo := pair(t)
	for _, n := range r.nodes {
		n.m.AddThin("sw_ssd", "thin", 512<<10, true)
		n.pools = append(n.pools, model.PoolSpec{UUID: "p2", Name: "thin", Kind: model.LVMThin, Backing: "sw_ssd/thin"})
	}
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	for _, n := range r.nodes {
		n.specs[0].Volumes[0].Pool = "thin"
	}
	r.run(poolEvery + 10*time.Second) // the other pool has seen the volume, too
	r.upToDate("backups")
	alpha.remove("backups", whole)
	bravo.remove("backups", whole)
	for range 1000 {
		if r.run(250 * time.Millisecond); alpha.of("backups").Gone && bravo.of("backups").Gone {
			break
		}
	}
	for _, n := range r.nodes {
		n.specs, n.trace = nil, nil
	}
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	for _, n := range r.nodes {
		s := &n.specs[0]
		s.ID, s.Volumes[0].ID = s.ID+"-2", s.Volumes[0].ID+"-2"
		s.DRBD.Peers[0].ID += "-2"
	}
	for range 40 {
		r.run(250 * time.Millisecond)
		for _, n := range r.nodes {
			if st := n.status[n.specs[0].ID]; st.Phase == model.Failed {
				t.Fatalf("%+v\n%s", st, r.traces())
			}
		}
	}
	for _, n := range r.nodes {
		if st := n.status[n.specs[0].ID]; st.Phase != model.Done || !st.UpToDate() {
			t.Errorf("%+v\n%s", st, r.traces())
		}
	}
}
