package steps

import (
	"testing"

	"holdfast/internal/model"
)

// A satellite that died in the midst of bringing a diskless replica up leaves a resource in the kernel, and neither config file nor
// disk. Right after its start it doesn't know the kernel: then the record, the last trace of it, stays.
func TestGoneBeforeTheKernelIsKnown(t *testing.T) {
	w := newWorld(backups(1))
	w.spec.Want, w.spec.Diskless = model.Gone, true
	for i := range w.spec.Volumes {
		w.spec.Volumes[i].Want, w.spec.Volumes[i].Pool = model.Gone, ""
	}
	w.record, w.boot = Record{There: true}, true
	seen := w.seen()
	seen.KernelKnown = false
	if p := Next(w.spec, seen, Node{Name: "alpha"}); p.Gone || len(p.Steps) > 0 || p.Phase != model.Working || p.Reason == "" {
		t.Errorf("nothing is known: %+v", p)
	}
	w.kernel = &Kernel{Role: secondary, Volumes: map[int]KernelVolume{}}
	if p := w.plan(); len(p.Steps) == 0 || p.Steps[len(p.Steps)-1].Kind != Down {
		t.Errorf("it is in the kernel: %+v", p)
	}
}

// With 8.4, one that goes beside a volume that nobody asked to remove looks for the peer that its order names by now (seed 16985).
func TestGoneBesideMeetsItsNewPeer(t *testing.T) {
	w := newWorld(backups(2))
	w.peer = model.DiskUpToDate
	settled(t, w)
	seen := w.seen()
	stays := w.spec.Volumes[1]
	seen.Extra = []model.VolumeSpec{stays}
	seen.Kernel.Peers = []KernelPeer{{State: "Connecting"}}
	goes := w.spec
	goes.Want, goes.Volumes = model.Gone, goes.Volumes[:1:1]
	goes.Volumes[0].Want = model.Gone
	if p := Next(goes, seen, w.node); len(p.Steps) != 0 || p.Phase != model.Blocked {
		t.Errorf("the peer is away: %+v", p)
	}
	d := *goes.DRBD
	d.Peers = []model.PeerSpec{{Node: "charlie", ID: "rep-3", NodeID: 2, Address: "10.77.0.3", Port: 7000}}
	goes.DRBD = &d
	p := Next(goes, seen, w.node)
	if len(p.Steps) == 0 {
		t.Fatalf("it has another peer: %+v", p)
	}
	for _, s := range p.Steps {
		if s.Kind == Down || s.Kind == RemoveDevice {
			t.Errorf("nobody has said that another copy is good: %v", kinds(p))
		}
	}
}

// A volume that DRBD knows without a disk, and of which nothing was ever made, keeps nobody from going who waits for a good copy of it:
// the others may wait for just that before they fill theirs (seed 8068).
func TestGoesWithAVolumeThatNeverWas(t *testing.T) {
	for name, there := range map[string]bool{"nothing is there": false, "its device is": true} {
		w := newWorld(backups(2))
		w.peer = model.DiskUpToDate
		settled(t, w)
		seen := w.seen()
		seen.Kernel.Volumes[1] = KernelVolume{Minor: seen.Kernel.Volumes[1].Minor, Disk: model.DiskDiskless}
		seen.Kernel.Peers[0].Volumes[1] = KernelPeerVolume{Disk: model.DiskInconsistent}
		if !there {
			seen.Volumes[1] = Volume{PoolSeen: true}
		}
		goes := w.spec
		goes.Want = model.Gone
		for i := range goes.Volumes {
			goes.Volumes[i].Want, goes.Volumes[i].Initialised = model.Gone, i == 0 || there
		}
		p := Next(goes, seen, w.node)
		if down := len(p.Steps) > 0 && p.Steps[len(p.Steps)-1].Kind == Down; down == there {
			t.Errorf("%s: %v %q", name, kinds(p), p.Reason)
		}
	}
}

// One that goes beside a volume that stays, and made room for another, goes by what its node knows, as where nothing stays (seed 34820).
func TestGoesBesideByWhatItsNodeKnows(t *testing.T) {
	w := newWorld(backups(2))
	w.peer = model.DiskUpToDate
	w.spec.DRBD.Generation, w.node.DRBD = model.DRBD8, model.DRBD8
	settled(t, w)
	seen := w.seen()
	seen.Extra = []model.VolumeSpec{w.spec.Volumes[1]}
	peer := w.spec.DRBD.Peers[0].ID
	goes := w.spec
	d := *goes.DRBD
	d.Peers, d.Others = nil, []model.UUID{"rep-3"}
	goes.DRBD = &d
	goes.Want, goes.Volumes, goes.HeldBy = model.Gone, goes.Volumes[:1:1], peer
	goes.Volumes[0].Want = model.Gone
	seen.Record.Exchange = Exchange{Peer: peer, Synced: map[model.UUID]model.UUID{goes.Volumes[0].ID: peer, seen.Extra[0].ID: peer}}
	seen.Kernel.Peers[0].State = "Connecting"
	for n, kv := range seen.Kernel.Volumes {
		kv.Disk = model.DiskUpToDate
		seen.Kernel.Volumes[n] = kv
	}
	p := Next(goes, seen, w.node)
	if len(p.Steps) == 0 || p.Steps[0].Kind != GuardGone || !p.Steps[0].Held {
		t.Errorf("%v %q", kinds(p), p.Reason)
	}
	delete(seen.Record.Exchange.Synced, goes.Volumes[0].ID)
	if p := Next(goes, seen, w.node); len(p.Steps) > 0 && p.Steps[0].Kind == GuardGone {
		t.Errorf("nobody knows who has it: %v", kinds(p))
	}
}
