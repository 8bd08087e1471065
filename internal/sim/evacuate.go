package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Evacuation is what emptying a node took.
type Evacuation struct {
	Model    time.Duration // of the model's clock
	Wall     time.Duration // of this machine: controller, satellites and model machines together
	Steps    int           // of the scheduler
	Commits  int
	Programs int // that ran on the nodes
	// Needed is how many it takes by hand: lvcreate, create-md, adjust on the new node; adjust twice and forget-peer on the one
	// that stays; down and lvremove on the old one; adjust and forget-peer on the new one, when the old one is gone.
	Needed int
}

const byHand = 10

// threeNodes is a calm world of three nodes with that version of DRBD and a pool of that kind each; thin ones zero. blind: nobody
// looks for broken invariants.
func threeNodes(drbd string, kind model.ProviderKind, poolKiB int64, blind bool) (*world, error) {
	w := emptyWorld(1, Config{Calm: true})
	w.profile = profile{gen: slices.Repeat([]string{drbd}, 3), files: make([]bool, 3), zeroes: slices.Repeat([]bool{kind == model.LVMThin}, 3),
		pools: slices.Repeat([]model.ProviderKind{kind}, 3), poolKiB: poolKiB}
	w.net.RateKiB = 100 << 10
	w.oracle.blind = blind
	w.populate()
	w.main.boot(0)
	w.quiet(2000)
	for _, n := range w.nodes {
		w.nodeComes(n)
	}
	return w, w.becomes("the nodes are there", func() bool { return w.snapshot().NodeCount() == 3 })
}

// Evacuate deploys so many resources on two of three nodes with DRBD 9, and empties the first, which moves its replicas to
// the third. Nothing goes wrong meanwhile, and nobody looks for broken invariants.
func Evacuate(resources int) (e Evacuation, err error) {
	w, err := threeNodes("9.2.18", model.LVM, int64(resources+8)*16<<10, true)
	if err != nil {
		return e, err
	}
	for i := range resources {
		name := fmt.Sprintf("res%d", i)
		w.type_(core.DefinitionCreate{Name: name})
		w.type_(core.VolumeCreate{Definition: name, SizeKiB: 4096})
		w.type_(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: nodeNames[0], Pool: poolName}, {Node: nodeNames[1], Pool: poolName}}})
	}
	if err := w.becomes("all are deployed", func() bool { return w.snapshot().DefinitionCount() == resources }); err != nil {
		return e, err
	}
	programs, step, now, began := w.programs(), w.step, w.now, time.Now()
	base, err := w.main.store.Load(context.Background())
	if err != nil {
		return e, err
	}
	w.type_(core.NodeEvacuate{Name: nodeNames[0]})
	err = w.becomes("the node is empty", func() bool {
		left := 0
		w.snapshot().OnNode(nodeNames[0], func(*state.Definition) bool { left++; return true })
		return left == 0
	})
	if err != nil {
		return e, err
	}
	last, err := w.main.store.Load(context.Background())
	return Evacuation{Model: w.now.Sub(now), Wall: time.Since(began), Steps: w.step - step, Commits: int(last.Base - base.Base),
		Programs: w.programs() - programs, Needed: resources * byHand}, err
}

// becomes plays until that is so and nothing is left to do.
func (w *world) becomes(what string, ok func() bool) error {
	for end := w.now.Add(settleLimit); w.now.Before(end); {
		for range 500 {
			w.next()
		}
		if w.failure != nil {
			return w.failure
		}
		if ok() && len(w.unsettled()) == 0 {
			return nil
		}
	}
	var b strings.Builder
	for _, l := range w.unsettled() {
		fmt.Fprintln(&b, l.text)
	}
	return fmt.Errorf("wait until %s: not after %s of model time:\n%s", what, settleLimit, b.String())
}

// programs that ran on the machines since the start.
func (w *world) programs() (n int) {
	for _, x := range w.nodes {
		n += countPrograms(x.m.LogSince(0))
	}
	return n
}

func countPrograms(log []string) (n int) {
	for _, l := range log {
		if strings.HasPrefix(l, "$ ") {
			n++
		}
	}
	return n
}
