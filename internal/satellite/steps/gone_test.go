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
