package steps

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

func volume(n int) model.VolumeSpec {
	return model.VolumeSpec{ID: model.UUID("vol-" + string(rune('a'+n))), Number: n, Minor: 1000 + n, SizeKiB: 65536, BackingKiB: 65576,
		Pool: "swpool", Backing: model.BackingName("backups", n)}
}

func backups(volumes int) model.ResourceSpec {
	s := model.ResourceSpec{Definition: "def", Name: "backups", ID: "rep-1", Generation: 1,
		DRBD: &model.DRBDSpec{Generation: model.DRBD8, Secret: "s", PeerSlots: 7, NodeID: 0, Address: "10.77.0.1", Port: 7000,
			Peers: []model.PeerSpec{{Node: "bravo", ID: "rep-2", NodeID: 1, Address: "10.77.0.2", Port: 7000}}}}
	for n := range volumes {
		s.Volumes = append(s.Volumes, volume(n))
	}
	return s
}

func kinds(p Plan) (out []Kind) {
	for _, s := range p.Steps {
		out = append(out, s.Kind)
	}
	return out
}

func settled(t *testing.T, w *world) Plan {
	t.Helper()
	p, err := w.settle()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUpGoesBottomFirst(t *testing.T) {
	w := newWorld(backups(1))
	w.spec.Volumes[0].Seed = model.SeedSync
	for _, want := range [][]Kind{
		{CreateDevice},
		{CreateMetadata},
		nil, // the controller's turn
	} {
		p, _, err := w.round(-1)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, kinds(p)); d != "" {
			t.Fatal(d)
		}
	}
	if p := w.plan(); p.Phase != model.Working || !strings.Contains(p.Reason, "controller") {
		t.Errorf("waits for the controller: %+v", p)
	}
	w.controller()
	for _, want := range [][]Kind{
		{WriteRecord, Adjust, WriteRecord},
		{GuardSeed, WriteRecord, SeedSync, Demote, WriteRecord},
		nil,
	} {
		p, _, err := w.round(-1)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, kinds(p)); d != "" {
			t.Fatal(d)
		}
	}
	if p := w.plan(); p.Phase != model.Done || p.Reason != "" {
		t.Errorf("%+v", p)
	}
}

func TestMetadataOnlyInASession(t *testing.T) {
	w := newWorld(backups(1))
	w.node.Session = false
	settled(t, w)
	if len(w.writes) > 0 {
		t.Error("metadata made without a session")
	}
	w.node.Session = true
	settled(t, w)
	if w.kernel == nil {
		t.Error("not up")
	}
}

func TestInitialisedIsNeverMadeAnew(t *testing.T) {
	w := newWorld(backups(1))
	settled(t, w)
	w.restart(true)
	// A store rolled back says what was true once.
	w.spec.Volumes[0].Initialised = false
	w.writes = nil
	if p := settled(t, w); p.Phase != model.Done || len(w.writes) > 0 {
		t.Errorf("%+v, metadata made %v", p, w.writes)
	}
	clear(w.devices)
	w.kernel = nil
	if p := settled(t, w); p.Phase != model.Failed || !strings.Contains(p.Reason, "missing") || len(w.devices) > 0 {
		t.Errorf("a lost device: %+v", p)
	}
}

// What isn't provably this incarnation's is left alone, with a reason.
func TestNotOurs(t *testing.T) {
	for name, c := range map[string]struct {
		with  func(w *world)
		phase model.Phase
		says  string
	}{
		"LV by hand": {func(w *world) {
			w.devices["swpool/backups_00000"] = &pool.Device{Name: "backups_00000", Path: "/dev/x"}
		}, model.Failed, "didn't make"},
		"LV of another incarnation": {func(w *world) {
			w.devices["swpool/backups_00000"] = &pool.Device{Name: "backups_00000", Label: "other", Path: "/dev/x"}
		}, model.Failed, "another incarnation"},
		"config by hand":          {func(w *world) { w.config = []byte("resource backups {}\n") }, model.Failed, "didn't make"},
		"config of another":       {func(w *world) { w.config = []byte("# holdfast incarnation rep-0\n") }, model.Failed, "rep-0"},
		"kernel resource by hand": {func(w *world) { w.kernel = &Kernel{Role: secondary} }, model.Failed, "isn't this one"},
		"DRBD 9 on the node":      {func(w *world) { w.node.DRBD = model.DRBD9 }, model.Blocked, "8.4 metadata, this node runs 9"},
		"no DRBD":                 {func(w *world) { w.node.DRBD = 0 }, model.Blocked, "no DRBD module"},
		"generation not decided":  {func(w *world) { w.spec.DRBD.Generation = 0 }, model.Blocked, "isn't decided"},
		"own record, foreign minors": {func(w *world) {
			w.record, w.boot = Record{There: true, Minors: []int{1000}}, true
			w.kernel = &Kernel{Volumes: map[int]KernelVolume{0: {Minor: 7}}}
		}, model.Failed, "isn't this one"},
		"diskless on 8.4": {func(w *world) { w.spec.Diskless = true }, model.Blocked, "diskless"},
		"address that nobody can use": {func(w *world) {
			w.spec.DRBD.Address = ""
			w.init["vol-a"] = true
			w.meta["vol-a"] = true
			w.devices["swpool/backups_00000"] = &pool.Device{Name: "backups_00000", Label: "vol-a", Path: "/dev/x"}
		}, model.Failed, "address"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(backups(1))
			c.with(w)
			before := w.clone()
			p := settled(t, w)
			if p.Phase != c.phase || !strings.Contains(p.Reason, c.says) {
				t.Errorf("phase %d, reason %q", p.Phase, p.Reason)
			}
			if d := cmp.Diff(before.kernel, w.kernel); d != "" || string(before.config) != string(w.config) || len(w.writes) > 0 {
				t.Errorf("touched: %s", d)
			}
			w.spec.Want, w.spec.WholeDefinition = model.Gone, true
			w.spec.Volumes[0].Want = model.Gone
			foreign := w.devices["swpool/backups_00000"]
			settled(t, w)
			if foreign != nil && foreign.Label != "vol-a" && w.devices["swpool/backups_00000"] == nil {
				t.Error("removed what isn't ours")
			}
			if string(before.config) != string(w.config) {
				t.Error("config touched")
			}
		})
	}
}

func TestNewWaitsForOld(t *testing.T) {
	w := newWorld(backups(1))
	seen := w.seen()
	seen.OldWaits = "rep-0"
	if p := Next(w.spec, seen, w.node); len(p.Steps) > 0 || p.Phase != model.Blocked {
		t.Errorf("%+v", p)
	}
	v := seen.Volumes[0]
	v.Device, v.LabelKnown = &pool.Device{Name: "backups_00000", Label: "vol-old", Path: "/dev/x"}, true
	seen.OldWaits, seen.Volumes[0] = "", v
	if p := Next(w.spec, seen, w.node); len(p.Steps) > 0 || p.Phase != model.Blocked {
		t.Errorf("%+v", p)
	}
}

func TestGuardBeforeRemoval(t *testing.T) {
	up := func(peer string) *world {
		w := newWorld(backups(1))
		w.peer = peer
		settled(t, w)
		w.good(Step{Number: 0})
		w.spec.Want, w.spec.Volumes[0].Want = model.Gone, model.Gone
		return w
	}
	t.Run("no good peer", func(t *testing.T) {
		w := up("")
		if p := settled(t, w); p.Phase != model.Blocked || !strings.Contains(p.Reason, "no connected peer is UpToDate") || w.kernel == nil {
			t.Errorf("%+v", p)
		}
		w.restart(true) // down, the guard must look again
		if p := settled(t, w); p.Phase != model.Blocked || len(w.devices) == 0 {
			t.Errorf("%+v", p)
		}
		w.spec.Lose = true
		if p := settled(t, w); !p.Gone || len(w.devices) > 0 {
			t.Errorf("%+v", p)
		}
	})
	t.Run("peer Inconsistent", func(t *testing.T) {
		w := up(model.DiskInconsistent)
		if p := settled(t, w); p.Phase != model.Blocked || w.kernel == nil {
			t.Errorf("%+v", p)
		}
	})
	t.Run("peer good", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		if p := settled(t, w); !p.Gone || len(w.devices) > 0 || w.config != nil || w.kernel != nil || w.record.There {
			t.Errorf("%+v", p)
		}
	})
	t.Run("goes bad just before", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		p := w.plan()
		w.peer = model.DiskInconsistent
		w.kernel.Peers = w.peers()
		if err := w.do(p.Steps[0]); p.Steps[0].Kind != GuardGone || err == nil {
			t.Errorf("%v %v", p.Steps, err)
		}
	})
	t.Run("goes bad after down", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		w.round(-1) // guard, down
		w.passed = false
		w.peer = ""
		if p := settled(t, w); p.Phase != model.Blocked || len(w.devices) == 0 {
			t.Errorf("%+v", p)
		}
	})
	t.Run("half taken down", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		kv := w.kernel.Volumes[0]
		kv.Disk = model.DiskDiskless
		w.kernel.Volumes[0] = kv
		w.kernel.Peers[0].State, w.kernel.Peers[0].Volumes = model.StandAlone, nil
		if p := settled(t, w); !p.Gone || len(w.devices) > 0 {
			t.Errorf("%+v", p)
		}
	})
	t.Run("a crash left only what never was attached", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		w.restart(true)
		w.peer = ""
		v := volume(1) // its device was made, its metadata were not
		v.Want = model.Gone
		w.spec.Volumes = append(w.spec.Volumes, v)
		clear(w.devices)
		at := v.Pool + "/" + v.Backing
		w.devices[at] = &pool.Device{Name: v.Backing, Label: v.ID, Path: "/dev/" + at}
		if p := settled(t, w); !p.Gone || len(w.devices) > 0 {
			t.Errorf("%+v", p)
		}
	})
	t.Run("something holds the device", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		for _, d := range w.devices {
			d.Held = "it has the snapshot tank/x@y"
		}
		if p := settled(t, w); p.Phase != model.Blocked || !strings.Contains(p.Reason, "it has the snapshot") || w.kernel == nil {
			t.Errorf("%+v", p)
		}
	})
	t.Run("in use", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		w.spec.WholeDefinition = true
		w.kernel.Role = primary
		if p := settled(t, w); p.Phase != model.Blocked || !strings.Contains(p.Reason, "in use") || w.kernel == nil {
			t.Errorf("%+v", p)
		}
	})
	t.Run("module absent", func(t *testing.T) {
		w := up(model.DiskUpToDate)
		w.restart(true)
		w.node.DRBD = model.Unpinned
		if p := settled(t, w); p.Phase != model.Blocked || len(w.devices) == 0 {
			t.Errorf("%+v", p)
		}
	})
}

func TestGoneOfWhatNeverWas(t *testing.T) {
	w := newWorld(backups(2))
	w.spec.Want = model.Gone
	w.node.DRBD = model.Unpinned
	if p := w.plan(); !p.Gone || p.Phase != model.Done {
		t.Errorf("%+v", p)
	}
	seen := w.seen()
	seen.Volumes[1] = Volume{PoolReason: "volume group not found"}
	if p := Next(w.spec, seen, w.node); p.Gone || p.Phase != model.Failed {
		t.Errorf("a pool that can't be read confirms nothing: %+v", p)
	}
}

func TestSkipOnlyWhenAllAreThere(t *testing.T) {
	w := newWorld(backups(1))
	w.spec.Volumes[0].Seed = model.SeedSkip
	if p := settled(t, w); p.Phase != model.Working || !strings.Contains(p.Reason, "peer") {
		t.Errorf("%+v", p)
	}
	w.peer = model.DiskInconsistent
	w.kernel.Peers = w.peers()
	if p := settled(t, w); p.Phase != model.Done || w.disk["vol-a"] != model.DiskUpToDate {
		t.Errorf("%+v", p)
	}
}

func TestSkipWithNobody(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := newWorld(backups(2))
		w.spec.DRBD.Generation, w.node.DRBD = gen, gen
		w.spec.DRBD.Peers = nil
		w.spec.Volumes[0].Seed, w.spec.Volumes[1].Seed = model.SeedSkip, model.SeedSkip
		if p := settled(t, w); p.Phase != model.Done || w.disk["vol-a"] != model.DiskUpToDate || w.disk["vol-b"] != model.DiskUpToDate {
			t.Errorf("%+v", p)
		}
	}
}

func TestSyncNeverStartsFromLostData(t *testing.T) {
	w := newWorld(backups(1))
	settled(t, w)
	w.spec.Volumes[0].Seed = model.SeedSync
	seen := w.seen()
	v := seen.Volumes[0]
	v.Data = true
	seen.Volumes[0] = v
	if p := Next(w.spec, seen, w.node); len(p.Steps) > 0 {
		t.Errorf("%v", p.Steps)
	}
	if p := w.plan(); len(p.Steps) == 0 || p.Steps[0].Kind != GuardSeed {
		t.Errorf("%v", p.Steps)
	}
	w.peer = model.DiskUpToDate
	w.kernel.Peers = w.peers()
	if settled(t, w); w.disk["vol-a"] != model.DiskInconsistent {
		t.Error("seeded though a peer is good")
	}
}

// The first sync of one volume leaves the resource's others alone, whatever they wait for.
func TestSyncLeavesOtherVolumes(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := newWorld(backups(2))
		w.spec.DRBD.Generation, w.node.DRBD = gen, gen
		settled(t, w)
		w.spec.Volumes[0].Seed = model.SeedSync
		if settled(t, w); w.disk["vol-a"] != model.DiskUpToDate || w.disk["vol-b"] != model.DiskInconsistent {
			t.Errorf("%d: %v", gen, w.disk)
		}
	}
}

func TestStandAloneIsMendedAFewTimes(t *testing.T) {
	w := newWorld(backups(1))
	settled(t, w)
	w.kernel.Peers[0].State = model.StandAlone
	n := 0
	for range 10 {
		p, _, err := w.round(-1)
		if err != nil {
			t.Fatal(err)
		}
		w.kernel.Peers[0].State = model.StandAlone
		if len(p.Steps) == 0 {
			if p.Phase != model.Blocked || !strings.Contains(p.Reason, "StandAlone") {
				t.Errorf("%+v", p)
			}
			break
		}
		if d := cmp.Diff([]Kind{Adjust}, kinds(p)); d != "" {
			t.Fatal(d)
		}
		n++
	}
	if n != MaxHeals {
		t.Errorf("adjusted %d times", n)
	}
}

func TestOneVolumeGoes(t *testing.T) {
	w := newWorld(backups(2))
	settled(t, w)
	w.spec.Volumes[1].Want = model.Gone
	p, _, err := w.round(-1)
	if err != nil || len(p.Steps) == 0 || p.Steps[0].Kind != WriteConfig {
		t.Fatal(p.Steps, err)
	}
	w.do(Step{Kind: Down}) // the world's devices are free only without a kernel resource
	kernel := &Kernel{Role: secondary, Volumes: map[int]KernelVolume{0: {Minor: 1000, Disk: model.DiskInconsistent}}, Peers: []KernelPeer{{Name: "bravo", State: "Connecting"}}}
	seen := w.seen()
	seen.Kernel = kernel
	if p := Next(w.spec, seen, w.node); len(p.Steps) != 1 || p.Steps[0].Kind != RemoveDevice || p.Steps[0].Label != "vol-b" {
		t.Errorf("%v", p.Steps)
	}
}

func TestStorageOnly(t *testing.T) {
	w := newWorld(backups(1))
	w.spec.DRBD = nil
	w.node.DRBD = model.Unpinned
	if p := settled(t, w); p.Phase != model.Done || len(w.devices) != 1 || len(w.writes) > 0 {
		t.Errorf("%+v", p)
	}
	w.restart(true)
	if p := settled(t, w); p.Phase != model.Done || w.devices["swpool/backups_00000"].Path == "" {
		t.Errorf("%+v", p)
	}
	w.spec.Want, w.spec.WholeDefinition, w.spec.Volumes[0].Want = model.Gone, true, model.Gone
	if p := settled(t, w); !p.Gone || len(w.devices) > 0 {
		t.Errorf("%+v", p)
	}
}

func TestForgetPeers(t *testing.T) {
	w := newWorld(backups(1))
	w.spec.DRBD.Forget = []int{3}
	p := settled(t, w)
	if d := cmp.Diff([]int{3}, Forgotten(w.spec, w.seen(), p)); d != "" {
		t.Errorf("8.4 knows no node-ids: %s", d)
	}
	w = newWorld(backups(1))
	w.spec.DRBD.Generation, w.node.DRBD = model.DRBD9, model.DRBD9
	settled(t, w)
	w.spec.DRBD.Forget = []int{3}
	if got := Forgotten(w.spec, w.seen(), w.plan()); len(got) > 0 {
		t.Errorf("forgotten before it is: %v", got)
	}
	if p, _, _ := w.round(-1); len(p.Steps) != 1 || p.Steps[0].Kind != ForgetPeer || p.Steps[0].NodeID != 3 {
		t.Errorf("%v", p.Steps)
	}
	if d := cmp.Diff([]int{3}, Forgotten(w.spec, w.seen(), settled(t, w))); d != "" {
		t.Error(d)
	}
}

// Whatever happens on the way, it converges, and a second run plans nothing.
func TestConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(backups(rapid.IntRange(1, 3).Draw(t, "volumes")))
		w.node.DRBD = rapid.SampledFrom([]model.DRBDGeneration{model.DRBD8, model.DRBD9}).Draw(t, "DRBD")
		w.spec.DRBD.Generation = w.node.DRBD
		w.peer = rapid.SampledFrom([]string{"", model.DiskInconsistent, model.DiskUpToDate}).Draw(t, "peer")
		if rapid.Bool().Draw(t, "seed") {
			for i := range w.spec.Volumes {
				w.spec.Volumes[i].Seed = model.SeedSync
			}
		}
		disturb := func() {
			for range rapid.IntRange(0, 8).Draw(t, "rounds") {
				n := rapid.IntRange(0, 5).Draw(t, "steps")
				if _, _, err := w.round(n); err != nil {
					t.Log(err)
				}
				switch rapid.IntRange(0, 3).Draw(t, "then") {
				case 0:
					w.restart(false)
				case 1:
					w.restart(true)
				case 2:
					w.controller()
				}
			}
		}
		disturb()
		p, err := w.settle()
		if err != nil {
			t.Fatal(err)
		}
		if p.Phase != model.Done || w.kernel == nil || len(w.kernel.Volumes) != len(w.spec.Volumes) || w.kernel.Role != secondary || w.record.Seeding {
			t.Fatalf("up: %+v, kernel %+v", p, w.kernel)
		}
		if p := w.plan(); len(p.Steps) > 0 {
			t.Fatalf("a second run plans %v", p.Steps)
		}
		w.spec.Want = model.Gone
		for i := range w.spec.Volumes {
			w.spec.Volumes[i].Want = model.Gone
		}
		w.peer = rapid.SampledFrom([]string{"", model.DiskInconsistent, model.DiskUpToDate}).Draw(t, "peer at the end")
		w.kernel.Peers = w.peers()
		w.spec.WholeDefinition = rapid.Bool().Draw(t, "whole")
		must := w.spec.WholeDefinition || w.peer == model.DiskUpToDate
		disturb()
		p, err = w.settle()
		if err != nil {
			t.Fatal(err)
		}
		if p.Gone != must {
			t.Fatalf("gone %v, must be %v: %+v", p.Gone, must, p)
		}
		if p.Gone && (len(w.devices) > 0 || w.config != nil || w.kernel != nil || w.record.There) {
			t.Fatal("something is left")
		}
		if !p.Gone && len(w.devices) != len(w.spec.Volumes) {
			t.Fatal("a device went though no other copy is good")
		}
	})
}

// The volume of 8.4 has a role of its own, and 9 needs none: nobody is demoted.
func TestFirstSyncOfWhatIsInUse(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := newWorld(backups(1))
		w.spec.DRBD.Generation, w.node.DRBD = gen, gen
		settled(t, w)
		w.kernel.Role = primary
		w.spec.Volumes[0].Seed = model.SeedSync
		if d := cmp.Diff([]Kind{GuardSeed, SeedSync}, kinds(w.plan())); d != "" {
			t.Errorf("%d: %s", gen, d)
		}
	}
}

// 8.4 has to promote for the first sync, and can't beside a Primary.
func TestFirstSyncBesideAPrimary(t *testing.T) {
	for gen, want := range map[model.DRBDGeneration][]Kind{model.DRBD8: nil, model.DRBD9: {GuardSeed, SeedSync}} {
		w := newWorld(backups(1))
		w.spec.DRBD.Generation, w.node.DRBD = gen, gen
		w.peer = model.DiskInconsistent
		settled(t, w)
		w.kernel.Peers[0].Role = primary
		w.spec.Volumes[0].Seed = model.SeedSync
		if d := cmp.Diff(want, kinds(w.plan())); d != "" {
			t.Errorf("%d: %s", gen, d)
		}
	}
}

func TestDiskfulIsNotMadeDiskless(t *testing.T) {
	w := newWorld(backups(1))
	w.spec.DRBD.Generation, w.node.DRBD = model.DRBD9, model.DRBD9
	settled(t, w)
	w.spec.Diskless = true
	w.spec.Volumes[0].Pool, w.spec.Volumes[0].Backing = "", ""
	if p := w.plan(); len(p.Steps) > 0 || p.Phase != model.Blocked {
		t.Errorf("%+v", p)
	}
}
