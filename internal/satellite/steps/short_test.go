package steps

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
)

// A controller whose store was rolled back learns how large the others are when they report: a device that was made too small meanwhile
// grows before anything is put on it (seeds 6674, 8152), and never afterwards.
func TestShortDeviceGrows(t *testing.T) {
	w := newWorld(backups(1))
	v := &w.spec.Volumes[0]
	if p := w.plan(); len(p.Steps) != 1 || p.Steps[0].Kind != CreateDevice {
		t.Fatalf("%v", kinds(p))
	} else if err := w.do(p.Steps[0]); err != nil {
		t.Fatal(err)
	}
	w.devices[v.Pool+"/"+v.Backing].SizeKiB = v.BackingKiB
	if p := w.plan(); len(p.Steps) == 0 || p.Steps[0].Kind == GrowDevice {
		t.Errorf("it is large enough: %v", kinds(p))
	}
	v.BackingKiB += 4096
	p := w.plan()
	if d := cmp.Diff([]Kind{GrowDevice}, kinds(p)); d != "" || p.Steps[0].SizeKiB != v.BackingKiB || p.Steps[0].DRBD != model.Unpinned {
		t.Errorf("%+v %s", p.Steps, d)
	}
	for what, change := range map[string]func(*Seen){
		"metadata were made": func(s *Seen) { sv := s.Volumes[v.Number]; sv.MDMade = true; s.Volumes[v.Number] = sv },
		"it holds data":      func(s *Seen) { sv := s.Volumes[v.Number]; sv.Initialised = true; s.Volumes[v.Number] = sv },
		"it is attached": func(s *Seen) {
			s.Kernel = &Kernel{Volumes: map[int]KernelVolume{v.Number: {Disk: model.DiskInconsistent}}}
		},
		"the pool can't be read": func(s *Seen) { sv := s.Volumes[v.Number]; sv.PoolReason = "it is gone"; s.Volumes[v.Number] = sv },
	} {
		seen := w.seen()
		change(&seen)
		for _, k := range kinds(Next(w.spec, seen, w.node)) {
			if k == GrowDevice {
				t.Errorf("%s, and it grows", what)
			}
		}
	}
}

// A volume that nobody knows any more, whose minor another resource has by now, stays down, and keeps the others from nothing (seed 14574).
func TestExtraWithoutItsMinor(t *testing.T) {
	w := newWorld(backups(2))
	w.peer = model.DiskUpToDate
	settled(t, w)
	seen := w.seen()
	seen.Extra = []model.VolumeSpec{w.spec.Volumes[1]}
	spec := w.spec
	spec.Volumes = spec.Volumes[:1:1]
	minors := func(p Plan) (out []int) {
		for _, s := range p.Steps {
			if s.Kind == WriteRecord {
				out = s.Record.Minors
			}
		}
		return out
	}
	seen.Kernel, seen.Record = nil, Record{}
	if p := Next(spec, seen, w.node); !cmp.Equal(minors(p), []int{1000, 1001}) {
		t.Errorf("its minor is free: %+v", p.Steps)
	}
	seen.Minors = map[int]string{w.spec.Volumes[1].Minor: "db"}
	if p := Next(spec, seen, w.node); !cmp.Equal(minors(p), []int{1000}) {
		t.Errorf("db has its minor: %+v", p.Steps)
	}
}

// A volume that nobody knows any more, and of which nobody has good data, is taken down: DRBD lets nobody use the others beside it
// (seed 32850). It stays down, and one that somebody has or may have is left as it is.
func TestHopelessVolumeKeepsNobody(t *testing.T) {
	w := newWorld(backups(2))
	w.peer = model.DiskUpToDate
	settled(t, w)
	spec, seen := w.spec, w.seen()
	spec.Volumes = spec.Volumes[:1:1]
	seen.Extra = []model.VolumeSpec{w.spec.Volumes[1]}
	lost := seen.Kernel.Volumes[1]
	lost.Disk = model.DiskInconsistent
	seen.Kernel.Volumes[1] = lost
	peer := &seen.Kernel.Peers[0]
	drops := func(p Plan) bool {
		for _, s := range p.Steps {
			if s.Kind == Adjust {
				return !strings.Contains(string(s.Config), fmt.Sprintf("minor %d;", lost.Minor))
			}
		}
		return false
	}
	peer.Volumes[1] = KernelPeerVolume{Disk: model.DiskInconsistent}
	p := Next(spec, seen, w.node)
	if !drops(p) {
		t.Fatalf("nobody has it: %v %q", kinds(p), p.Reason)
	}
	for what, change := range map[string]func(){
		"the peer has it":  func() { peer.Volumes[1] = KernelPeerVolume{Disk: model.DiskUpToDate} },
		"the peer is away": func() { peer.State = "Connecting" },
		"it is in use":     func() { seen.Kernel.Role = primary },
	} {
		was, role := *peer, seen.Kernel.Role
		was.Volumes = maps.Clone(was.Volumes)
		change()
		if drops(Next(spec, seen, w.node)) {
			t.Errorf("%s, and it is taken down", what)
		}
		*peer, seen.Kernel.Role = was, role
	}
	// It is down, and the config is as the step left it.
	for _, s := range p.Steps {
		switch s.Kind {
		case Adjust:
			seen.Config = s.Config
		case WriteRecord:
			seen.Record = s.Record
		}
	}
	delete(seen.Kernel.Volumes, 1)
	if p := Next(spec, seen, w.node); len(p.Steps) > 0 {
		t.Errorf("it comes up again: %v %q", kinds(p), p.Reason)
	}
	seen.Kernel, seen.Record = nil, Record{} // after a boot
	if p := Next(spec, seen, w.node); len(p.Steps) == 0 || drops(p) {
		t.Errorf("after a boot it is looked at once more: %v %q", kinds(p), p.Reason)
	}
}
