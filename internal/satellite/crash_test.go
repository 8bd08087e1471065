package satellite

import (
	"fmt"
	"testing"
	"time"

	"holdfast/internal/model"
)

// revive boots or starts what stopped, and tells whether anything had.
func (n *node) revive() bool {
	if n.m.Running() && n.a != nil {
		return false
	}
	n.boot()
	return true
}

// testStops stops alpha after its first, second, ... effect of a create or a delete, and lets it come back each time.
func testStops(t *testing.T, gen model.DRBDGeneration, power, remove bool) {
	names := []string{"alpha", "bravo"}
	if gen == model.DRBD9 {
		names = append(names, "charlie")
	}
	for n := 1; n < 200; n++ {
		r := newRig(t, gen, names...)
		alpha := r.nodes[0]
		stop := alpha.m.CrashAfter
		if power {
			stop = alpha.m.CutAfter
		}
		if !remove {
			stop(n)
		}
		r.deploy("backups", gen, model.SeedSync, 2)
		r.run(10 * time.Second)
		if remove {
			stop(n)
			for _, node := range r.nodes {
				node.remove("backups", whole)
			}
			r.run(10 * time.Second)
		}
		stopped := alpha.revive()
		if !stopped && alpha.m.Running() {
			if n < 8 {
				t.Errorf("only %d effects", n)
			}
			t.Logf("%d effects", n-1)
			return
		}
		r.run(30 * time.Second)
		if !remove {
			r.upToDate("backups")
			for _, node := range r.nodes {
				if v, ok := node.m.Volume("backups", 0); !ok || v.Role != "Secondary" {
					t.Fatalf("after effect %d: %s: %+v", n, node.name, v)
				}
				node.remove("backups", whole)
			}
			r.run(30 * time.Second)
		}
		for _, node := range r.nodes {
			if st := node.of("backups"); !st.Gone {
				t.Fatalf("after effect %d: %s: %+v\n%s", n, node.name, st, r.traces())
			}
			node.nothingLeft()
		}
		if t.Failed() {
			t.Fatalf("after effect %d", n)
		}
	}
	t.Error("no end of effects")
}

func TestStoppedAnywhere(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, power := range []bool{false, true} {
			for _, remove := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d power %v remove %v", gen, power, remove), func(t *testing.T) { testStops(t, gen, power, remove) })
			}
		}
	}
}
