package steps

import (
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
