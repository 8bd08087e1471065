package satellite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
)

// grow tells every node that volume 0 is to offer so much, and takes back who is to take the size over.
func (r *rig) grow(name string, kib int64) {
	for _, n := range r.nodes {
		n.change(name, func(s *model.ResourceSpec, v *model.VolumeSpec) {
			s.Generation++
			v.SizeKiB, v.GrowKiB, v.Resize = kib, kib, false
			v.BackingKiB = (model.BackingKiB(kib, s.DRBD.Generation, 7) + 4095) / 4096 * 4096
		})
	}
}

func (n *node) change(name string, f func(*model.ResourceSpec, *model.VolumeSpec)) {
	for i := range n.specs {
		if s := &n.specs[i]; s.Name == name {
			s.Volumes = slices.Clone(s.Volumes)
			f(s, &s.Volumes[0])
		}
	}
}

// decide is the controller's part: once every device has grown, one node takes the size over, where it is in use.
func (r *rig) decide(name string) {
	var at *node
	used := false
	for _, n := range r.nodes {
		v := n.volume(name, 0)
		if n.a == nil || v.Disk != model.DiskUpToDate || v.BackingKiB == 0 || model.UsableKiB(v.BackingKiB, model.DRBD9, 7) <= v.UsableKiB {
			at = nil
			break
		}
		if u := n.of(name).InUse; at == nil || u && !used {
			at, used = n, u
		}
	}
	for _, n := range r.nodes {
		n.change(name, func(_ *model.ResourceSpec, v *model.VolumeSpec) { v.Resize = n == at })
	}
}

// growFor lets time pass with a controller that decides.
func (r *rig) growFor(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.run(250 * time.Millisecond)
		r.decide("backups")
	}
}

func (r *rig) grown(kib int64) {
	r.t.Helper()
	r.upToDate("backups")
	for _, n := range r.nodes {
		v := n.volume("backups", 0)
		if v.UsableKiB < kib || v.UsableKiB >= kib+4096 {
			r.t.Fatalf("%s offers %d KiB, want %d\n%s", n.name, v.UsableKiB, kib, r.traces())
		}
		if d := n.m.KernelVolumeKiB("backups", 0); d != v.UsableKiB {
			r.t.Fatalf("%s says %d KiB, the kernel %d", n.name, v.UsableKiB, d)
		}
	}
}

func (n *node) use() {
	n.r.t.Helper()
	if res, err := n.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "primary", "backups")); err != nil || res.Exit != 0 {
		n.r.t.Fatal(res, err)
	}
	if err := n.m.Open("backups", 0); err != nil {
		n.r.t.Fatal(err)
	}
}

func TestGrow(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, used := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d used %v", gen, used), func(t *testing.T) {
				names := []string{"alpha", "bravo"}
				if gen == model.DRBD9 {
					names = append(names, "charlie")
				}
				r := newRig(t, gen, names...)
				r.deploy("backups", gen, model.SeedSync, 1)
				r.run(10 * time.Second)
				if used {
					r.nodes[1].use()
					if _, err := r.nodes[1].m.Write("backups", 0); err != nil {
						t.Fatal(err)
					}
				}
				for _, kib := range []int64{80 << 10, 81 << 10, 200 << 10} {
					r.grow("backups", kib)
					r.growFor(8 * time.Second)
					r.grown(kib)
				}
				v, _ := r.nodes[1].m.Volume("backups", 0)
				if want := map[bool]string{false: "Secondary", true: "Primary"}[used]; v.Role != want {
					t.Errorf("it is %s, and was %s", v.Role, want)
				}
			})
		}
	}
}

// Free space is told with the growth that took it: from its end on the controller goes by what was reported.
func TestGrowTellsFreeSpace(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(30 * time.Second)
	free := alpha.report.Pools[0].FreeKiB
	was, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000")
	for _, kib := range []int64{80 << 10, 128 << 10} {
		r.grow("backups", kib)
		for range 32 {
			if alpha.volume("backups", 0).UsableKiB < kib {
				r.growFor(250 * time.Millisecond)
			}
		}
		if now, want := alpha.report.Pools[0].FreeKiB, free-(alpha.specs[0].Volumes[0].BackingKiB-was); now != want || alpha.volume("backups", 0).UsableKiB < kib {
			t.Errorf("%d KiB: %d KiB are free, want %d; %+v", kib, now, want, alpha.volume("backups", 0))
		}
	}
}

// While a peer is away nobody's device grows; when it is back all do.
func TestGrowWaitsForThePeer(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	alpha.use()
	bravo.cut()
	r.growFor(15 * time.Second)
	before, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000")
	r.grow("backups", 128<<10)
	r.growFor(20 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Blocked || !strings.Contains(st.Reason, "waits until bravo is connected") {
		t.Errorf("%+v", st)
	}
	if now, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000"); now != before {
		t.Errorf("the device grew from %d to %d KiB", before, now)
	}
	bravo.boot()
	r.growFor(90 * time.Second)
	r.grown(128 << 10)
}

// A volume that isn't attached keeps its device as it is.
func TestDetachedDoesNotGrow(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	for _, n := range r.nodes {
		n.m.Fail("drbdadm adjust", 1000)
	}
	if res, err := alpha.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "detach", "backups")); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	before, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000")
	r.grow("backups", 128<<10)
	r.growFor(20 * time.Second)
	for _, n := range r.nodes {
		if now, _ := n.m.SizeOf("/dev/sw_ssd/backups_00000"); now != before {
			t.Errorf("%s: the device grew from %d to %d KiB", n.name, before, now)
		}
	}
	alpha.m.Fail("drbdadm adjust", 0)
	bravo.m.Fail("drbdadm adjust", 0)
	r.growFor(3 * time.Minute)
	r.grown(128 << 10)
}

// Without drbd-utils' note a power cut would lose the metadata: it is there before the device grows, and durable.
func TestPlaceIsNotedBeforeGrowing(t *testing.T) {
	r, alpha, _ := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	before, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000")
	if err := alpha.m.Remove(drbd.PlaceFile(1000)); err != nil {
		t.Fatal(err)
	}
	r.grow("backups", 128<<10)
	r.run(3 * time.Second) // nobody takes the size over
	now, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000")
	if now <= before {
		t.Fatalf("%d KiB\n%s", now, r.traces())
	}
	alpha.cut()
	alpha.boot()
	if b, err := alpha.m.ReadFile(drbd.PlaceFile(1000)); err != nil || string(b) != string(drbd.Place{SizeKiB: before, Device: "/dev/sw_ssd/backups_00000"}.Text()) {
		t.Errorf("%q %v", b, err)
	}
	r.growFor(90 * time.Second)
	r.grown(128 << 10)
}

// A second growth while the first isn't taken over: the device doesn't grow twice with the metadata at an unknown place.
func TestGrowTwice(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		r := newRig(t, gen, "alpha", "bravo")
		alpha := r.nodes[0]
		r.deploy("backups", gen, model.SeedSync, 1)
		r.run(10 * time.Second)
		r.grow("backups", 128<<10)
		r.run(3 * time.Second)
		first, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000")
		r.grow("backups", 256<<10)
		r.run(10 * time.Second)
		if now, _ := alpha.m.SizeOf("/dev/sw_ssd/backups_00000"); now != first {
			t.Errorf("the device grew from %d to %d KiB before DRBD took the first over", first, now)
		}
		if st := alpha.of("backups"); !strings.Contains(st.Reason, "taken over") {
			t.Errorf("%+v", st)
		}
		r.growFor(2 * time.Minute)
		r.grown(256 << 10)
	}
}

// leftovers has a removed volume's metadata lie where the next device grows.
func (n *node) leftovers() {
	n.r.t.Helper()
	n.m.AddLV("sw_ssd", "old", 64<<10)
	for _, line := range []string{"drbdmeta --force 7 v08 /dev/sw_ssd/old internal create-md", "lvremove -y sw_ssd/old"} {
		if res, err := n.m.Run(ctx, cmd(strings.Fields(line)...)); err != nil || res.Exit != 0 {
			n.r.t.Fatal(line, res, err)
		}
	}
}

// testGrowStops stops one node after its first, second, ... effect of growing, onto where another volume was, and lets it come
// back each time.
func testGrowStops(t *testing.T, gen model.DRBDGeneration, power, used bool, who int) {
	for n := 1; n < 100; n++ {
		r := newRig(t, gen, "alpha", "bravo")
		alpha, other := r.nodes[who], r.nodes[1-who]
		r.deploy("backups", gen, model.SeedSync, 1)
		r.run(10 * time.Second)
		id := 0
		if used {
			var err error
			other.use()
			if id, err = other.m.Write("backups", 0); err != nil {
				t.Fatal(err)
			}
		}
		alpha.leftovers()
		stop := alpha.m.CrashAfter
		if power {
			stop = alpha.m.CutAfter
		}
		stop(n)
		r.grow("backups", 128<<10)
		r.growFor(8 * time.Second)
		stopped := alpha.revive()
		r.growFor(3 * time.Minute)
		r.grown(128 << 10)
		if used {
			for _, x := range r.nodes {
				if !x.m.Readable("backups", 0, id) {
					t.Fatalf("after effect %d: %s lacks the write\n%s", n, x.name, r.traces())
				}
			}
		} else if v, _ := alpha.m.Volume("backups", 0); v.Role != "Secondary" {
			t.Fatalf("after effect %d: left %s", n, v.Role)
		}
		if !stopped {
			if n < 4 {
				t.Errorf("only %d effects", n-1)
			}
			return
		}
		alpha.cut() // nothing that was noted while it grew is believed any more
		r.run(time.Second)
		alpha.boot()
		r.growFor(time.Minute)
		r.grown(128 << 10)
	}
	t.Error("no end of effects")
}

func TestGrowStoppedAnywhere(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, power := range []bool{false, true} {
			for _, used := range []bool{false, true} {
				for who := range 2 {
					t.Run(fmt.Sprintf("%d power %v used %v node %d", gen, power, used, who), func(t *testing.T) {
						testGrowStops(t, gen, power, used, who)
					})
				}
			}
		}
	}
}

// outgrow has alpha take a larger device while bravo is away, whom it refuses from then on.
func (r *rig) outgrow(kib int64) {
	r.t.Helper()
	alpha, bravo := r.nodes[0], r.nodes[1]
	r.net.Cut("alpha", "bravo")
	r.run(10 * time.Second)
	for _, line := range []string{fmt.Sprintf("lvextend sw_ssd/backups_00000 -L %dk", kib), "drbdsetup resize 1000 --assume-peer-has-space"} {
		if res, err := alpha.m.Run(ctx, cmd(strings.Fields(line)...)); err != nil || res.Exit != 0 {
			r.t.Fatal(line, res, err)
		}
	}
	r.net.Heal("alpha", "bravo")
	r.run(50 * time.Second)
	if st := bravo.of("backups"); st.Phase == model.Done || st.Peers[0].State == model.Connected {
		r.t.Fatalf("bravo isn't refused: %+v", st)
	}
}

// A replica that others have grown without is refused as too small, and grows by itself: with 9 one that never met them.
// Wherever that is stopped, nothing is lost.
func TestGrowAlone(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		t.Run(fmt.Sprint(gen), func(t *testing.T) { testGrowAlone(t, gen) })
	}
}

func testGrowAlone(t *testing.T, gen model.DRBDGeneration) {
	for _, power := range []bool{false, true} {
		for n := 0; n < 100; n++ {
			r := newRig(t, gen, "alpha", "bravo")
			alpha, bravo := r.nodes[0], r.nodes[1]
			if gen == model.DRBD9 {
				r.net.Cut("alpha", "bravo")
			}
			r.deploy("backups", gen, model.SeedSync, 1)
			r.run(10 * time.Second)
			alpha.use()
			r.outgrow(132 << 10)
			id, err := alpha.m.Write("backups", 0)
			if err != nil {
				t.Fatal(err)
			}
			stop := bravo.m.CrashAfter
			if power {
				stop = bravo.m.CutAfter
			}
			stop(n)
			r.grow("backups", 128<<10)
			bravo.change("backups", func(_ *model.ResourceSpec, v *model.VolumeSpec) { v.GrowAlone = true })
			r.growFor(70 * time.Second)
			stopped := bravo.revive()
			r.growFor(100 * time.Second)
			r.upToDate("backups")
			if kib := bravo.volume("backups", 0).UsableKiB; kib < 128<<10 || kib != alpha.volume("backups", 0).UsableKiB {
				t.Fatalf("power %v, after effect %d: bravo offers %d KiB, alpha %d", power, n, kib, alpha.volume("backups", 0).UsableKiB)
			}
			if !bravo.m.Readable("backups", 0, id) {
				t.Fatalf("power %v, after effect %d: bravo lacks the write\n%s", power, n, r.traces())
			}
			if n > 0 && !stopped {
				if n < 5 {
					t.Errorf("only %d effects", n-1)
				}
				break
			}
		}
	}
}

// One that is in use doesn't grow by itself.
func TestInUseDoesNotGrowAlone(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	before, _ := bravo.m.SizeOf("/dev/sw_ssd/backups_00000")
	bravo.use()
	alpha.cut()
	r.run(10 * time.Second)
	r.grow("backups", 128<<10)
	bravo.change("backups", func(_ *model.ResourceSpec, v *model.VolumeSpec) { v.GrowAlone = true })
	r.run(10 * time.Second)
	if now, _ := bravo.m.SizeOf("/dev/sw_ssd/backups_00000"); now != before {
		t.Errorf("the device grew from %d to %d KiB", before, now)
	}
}
