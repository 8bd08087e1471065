package steps

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/stack/drbd"
)

// nine is a resource on DRBD 9 with one peer.
func nine() *world {
	w := newWorld(backups(1))
	w.node.DRBD = model.DRBD9
	w.spec.DRBD.Generation = model.DRBD9
	w.peer = model.DiskUpToDate
	return w
}

func TestDiskComesWhileTheClientRuns(t *testing.T) {
	w := nine()
	w.spec.Client = true
	first, _, err := w.round(-1)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Kind{WriteRecord, Adjust, WriteRecord}, kinds(first)); d != "" {
		t.Fatalf("first the client: %s", d)
	}
	if !drbd.WithoutDisk(w.config, w.spec.ID, "alpha") {
		t.Errorf("config gives a disk:\n%s", w.config)
	}
	w.kernel.Role = primary // it is in use all the while
	if p := settled(t, w); p.Phase != model.Working || !strings.Contains(p.Reason, "controller") || len(w.writes) != 1 {
		t.Fatalf("%+v, metadata made %d times", p, len(w.writes))
	}
	if w.kernel == nil || w.kernel.Role != primary {
		t.Error("the client was disturbed")
	}
	w.spec.Client = false
	if p := settled(t, w); p.Phase != model.Done || drbd.WithoutDisk(w.config, w.spec.ID, "alpha") || w.kernel.Volumes[0].Disk != model.DiskInconsistent {
		t.Errorf("attached: %+v, %+v", p, w.kernel)
	}
	// A word of before doesn't detach what is attached.
	w.spec.Client = true
	if p := w.plan(); len(p.Steps) > 0 {
		t.Errorf("an older word: %v", p.Steps)
	}
}

// New options of a client that gets its disk are set together with attaching it, unless something else comes first: what it lacks,
// a disk that can't be made, a controller that doesn't note what was made.
func TestOptionsWithTheDisk(t *testing.T) {
	fresh := func() *world {
		w := nine()
		w.spec.Client = true
		if _, _, err := w.round(-1); err != nil { // the client
			t.Fatal(err)
		}
		w.spec.DRBD.Options = map[string]map[string]string{"Resource": {"quorum-minimum-redundancy": "majority"}}
		return w
	}
	w := fresh()
	for _, want := range []Kind{CreateDevice, CreateMetadata} {
		p, _, err := w.round(-1)
		if d := cmp.Diff([]Kind{want}, kinds(p)); d != "" || err != nil {
			t.Fatal(d, err)
		}
	}
	adjust := []Kind{Adjust, WriteRecord}
	if p := w.plan(); p.After == 0 || cmp.Diff(adjust, kinds(p)) != "" {
		t.Errorf("the controller is to note that they are made: %v after %v", kinds(p), p.After)
	}
	w.controller()
	w.spec.Client = false
	if p := w.plan(); p.After != 0 || cmp.Diff(adjust, kinds(p)) != "" || drbd.WithoutDisk(p.Steps[0].Config, w.spec.ID, "alpha") ||
		!strings.Contains(string(p.Steps[0].Config), "quorum-minimum-redundancy majority") {
		t.Errorf("attach: %+v", p)
	}
	if p := settled(t, w); p.Phase != model.Done || len(w.writes) != 1 {
		t.Errorf("%+v", p)
	}

	w = fresh()
	now := func(when string, seen Seen, node Node) {
		t.Helper()
		if p := Next(w.spec, seen, node); p.After != 0 || cmp.Diff(adjust, kinds(p)) != "" {
			t.Errorf("%s: %v after %v", when, kinds(p), p.After)
		}
	}
	seen := w.seen()
	seen.Failing = true
	now("making the disk fails", seen, w.node)
	seen = w.seen()
	seen.Volumes[0] = Volume{PoolSeen: true, PoolReason: "lvcreate hangs"}
	now("the pool hangs", seen, w.node)
	node := w.node
	node.Session = false
	now("no controller", w.seen(), node)
	w.peer, w.kernel.Peers = "", nil
	now("the connection is missing", w.seen(), w.node)
	w = fresh()
	w.spec.Volumes[0].From = &model.Source{}
	now("the disk is made of a snapshot", w.seen(), w.node)
}

func TestFullPoolLeavesTheClient(t *testing.T) {
	w := nine()
	w.spec.Client = true
	settledClient := func() {
		if _, _, err := w.round(-1); err != nil {
			t.Fatal(err)
		}
	}
	settledClient()
	seen := w.seen()
	v := seen.Volumes[0]
	v.PoolReason = "the volume group is gone"
	seen.Volumes[0] = v
	if p := Next(w.spec, seen, w.node); p.Phase != model.Failed || !strings.Contains(p.Reason, "volume group is gone") || len(p.Steps) > 0 {
		t.Errorf("%+v", p)
	}
}

// diskful is up with a good disk.
func diskful(t *testing.T) *world {
	w := nine()
	settled(t, w)
	w.good(Step{Number: 0})
	return w
}

func TestDiskGoesBehindTheGuard(t *testing.T) {
	w := diskful(t)
	w.spec.DropDisk = true
	w.peer, w.kernel.Peers = "", nil
	w.kernel.Peers = w.peers()
	if p := settled(t, w); p.Phase != model.Blocked || !strings.Contains(p.Reason, "no connected peer is UpToDate") || len(w.devices) == 0 {
		t.Fatalf("no good peer: %+v", p)
	}
	w.peer = model.DiskUpToDate
	w.kernel.Peers = w.peers()
	w.spec.Hold = true
	if p := settled(t, w); p.Phase != model.Blocked || len(w.devices) == 0 {
		t.Fatalf("held: %+v", p)
	}
	w.spec.Hold = false
	w.kernel.Role = primary // in use, and stays so
	p, _, err := w.round(-1)
	if d := cmp.Diff([]Kind{GuardDrop, WriteConfig, Adjust, WriteRecord}, kinds(p)); d != "" || err != nil {
		t.Fatal(d, err)
	}
	p, _, err = w.round(-1)
	if d := cmp.Diff([]Kind{GuardDrop, RemoveDevice}, kinds(p)); d != "" || err != nil {
		t.Fatal(d, err)
	}
	if p := settled(t, w); p.Phase != model.Done || len(w.devices) > 0 || w.kernel == nil || w.kernel.Role != primary {
		t.Errorf("%+v", p)
	}
	if !WithoutDisk(w.spec, w.seen(), w.spec.Volumes[0]) {
		t.Error("isn't reported")
	}
}

// Whatever step it dies at, and whether the machine goes down: the disk isn't attached again once the guard let it go, and
// isn't removed while no peer is good.
func TestDiskGoesAcrossCrashes(t *testing.T) {
	for n := range 7 {
		for _, reboot := range []bool{false, true} {
			w := diskful(t)
			w.spec.DropDisk = true
			for left := n; left > 0; {
				_, did, err := w.round(left)
				if err != nil {
					t.Fatal(err)
				}
				if did == 0 {
					break
				}
				left -= did
			}
			detached := drbd.WithoutDisk(w.config, w.spec.ID, "alpha")
			w.restart(reboot)
			w.peer = ""
			if w.kernel != nil {
				w.kernel.Peers = w.peers()
			}
			had := len(w.devices)
			settled(t, w)
			if had > 0 && len(w.devices) == 0 {
				t.Errorf("%d, reboot %v: removed while no peer is good", n, reboot)
			}
			if detached && w.kernel != nil && w.kernel.Volumes[0].Disk != model.DiskDiskless {
				t.Errorf("%d, reboot %v: attached again", n, reboot)
			}
			w.peer = model.DiskUpToDate
			w.kernel.Peers = w.peers()
			if p := settled(t, w); p.Phase != model.Done || len(w.devices) > 0 {
				t.Errorf("%d, reboot %v: %+v", n, reboot, p)
			}
		}
	}
}

func TestDroppedDiskIsNotMade(t *testing.T) {
	w := nine()
	w.spec.DropDisk = true
	settled(t, w)
	if len(w.devices) > 0 || len(w.writes) > 0 {
		t.Error("made a disk that is to go")
	}
	w.devices["swpool/backups_00000"] = &pool.Device{Name: "backups_00000", Label: "other", Path: "/dev/x"}
	settled(t, w)
	if len(w.devices) == 0 {
		t.Error("removed what isn't named")
	}
}

func TestRest(t *testing.T) {
	w := diskful(t)
	w.spec.Down = true
	w.kernel.Role = primary
	if p := settled(t, w); p.Phase != model.Blocked || w.kernel == nil {
		t.Fatalf("in use: %+v", p)
	}
	w.kernel.Role = secondary
	if p := settled(t, w); p.Phase != model.Done || w.kernel != nil || len(w.devices) == 0 || w.config == nil {
		t.Fatalf("%+v", p)
	}
	w.spec.Down = false
	if p := settled(t, w); p.Phase != model.Done || w.kernel == nil {
		t.Errorf("back: %+v", p)
	}
}

// A replica isn't taken down while a peer that is in use reads a volume from it alone.
func TestPeerNeeds(t *testing.T) {
	k := func(role, mine, theirs string) *Kernel {
		return &Kernel{Volumes: map[int]KernelVolume{0: {Disk: "UpToDate"}, 1: {Disk: mine}},
			Peers: []KernelPeer{{Name: "bravo", State: "Connected", Role: role, Volumes: map[int]KernelPeerVolume{0: {Disk: "UpToDate"}, 1: {Disk: theirs}}}}}
	}
	for _, c := range []struct {
		k     *Kernel
		needs bool
	}{
		{k("Primary", "UpToDate", "UpToDate"), false},
		{k("Primary", "UpToDate", "Inconsistent"), true},
		{k("Primary", "UpToDate", "Diskless"), true},
		{k("Primary", "Inconsistent", "Diskless"), false},
		{k("Secondary", "UpToDate", "Inconsistent"), false},
	} {
		if got := PeerNeeds(c.k); (got != "") != c.needs {
			t.Errorf("%+v: %q", c.k, got)
		}
	}
}
