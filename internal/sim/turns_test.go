package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Snapshots of many resources, all asked for at once, are all taken, though not more than two hold I/O on a node at a time.
func TestManySnapshots(t *testing.T) {
	const many = 12
	w, err := threeNodes("9.2.18", model.LVMThin, 1<<20, true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range many {
		name := fmt.Sprintf("res%d", i)
		w.type_(core.DefinitionCreate{Name: name})
		w.type_(core.VolumeCreate{Definition: name, SizeKiB: 4096})
		w.type_(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: nodeNames[i%2], Pool: poolName}, {Node: nodeNames[2], Pool: poolName}}})
	}
	if err := w.becomes("all are deployed", func() bool { return w.snapshot().DefinitionCount() == many }); err != nil {
		t.Fatal(err)
	}
	for i := range many {
		w.type_(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: fmt.Sprintf("res%d", i), Name: "monday"}}})
	}
	most := 0
	taken := func() (n int) {
		w.snapshot().AllDefinitions(func(d *state.Definition) bool {
			for _, sn := range d.Snapshots {
				if sn.State == model.SnapshotFailed {
					t.Fatalf("that of %s failed: %s", d.Name, sn.Reason)
				}
				if sn.State == model.SnapshotSuccessful {
					n++
				}
			}
			return true
		})
		return n
	}
	for end := w.now.Add(settleLimit); taken() < many && w.now.Before(end); {
		w.next()
		if w.failure != nil {
			t.Fatal(w.failure)
		}
		for _, n := range w.nodes {
			held := 0
			for _, r := range n.m.Kernel() {
				if slices.Contains(strings.Split(r.Suspended, ","), "user") {
					held++
				}
			}
			most = max(most, held)
		}
	}
	if n := taken(); n != many {
		t.Fatalf("%d of %d are taken", n, many)
	}
	// Two, and one whose I/O was ordered to go on and hasn't yet, for each of them.
	if most < 2 || most > 4 {
		t.Errorf("up to %d held I/O at once on a node", most)
	}
}
