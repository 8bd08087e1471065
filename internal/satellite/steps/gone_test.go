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
