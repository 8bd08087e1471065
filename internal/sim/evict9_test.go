package sim

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// With DRBD 9 and no tie-breaker, the node of one of two replicas is evicted while the other is in use: a third is made from that one.
func TestEvictedOfTwo(t *testing.T) {
	for _, tie := range []string{"true", "false"} {
		w, err := threeNodes("9.2.18", model.LVM, 64<<10, false)
		if err != nil {
			t.Fatal(err)
		}
		user, away, next := w.nodes[0], w.nodes[1], w.nodes[2]
		becomes := func(what string, ok func() bool) {
			t.Helper()
			if err := w.becomes(what, ok); err != nil {
				t.Fatal(err)
			}
		}
		w.type_(core.DefinitionCreate{Name: "r0"})
		w.type_(core.DefinitionModify{Name: "r0", Override: map[string]string{"DrbdOptions/auto-add-quorum-tiebreaker": tie}})
		w.type_(core.VolumeCreate{Definition: "r0", SizeKiB: 4096})
		w.type_(core.ResourceCreate{Definition: "r0", On: []core.ResourceOn{{Node: user.name, Pool: poolName}, {Node: away.name, Pool: poolName}}})
		d := func() *state.Definition { return w.snapshot().Definition("r0") }
		good := func(n *node) bool { return n.good(d()) }
		becomes("both are good", func() bool { return d() != nil && good(user) && good(away) })
		if r := user.m.Operator("drbdadm", "-c", user.res("r0"), "primary", "r0"); r.Exit != 0 {
			t.Fatalf("%s", r.Stderr)
		}
		if _, err := user.m.Write("r0", 0); err != nil {
			t.Fatal(err)
		}
		away.cut()
		w.soon(t, "tie-breaker "+tie+": the node is missed", func() bool { return w.snapshot().Node(away.name).Seen.Status == model.StatusOffline })
		w.type_(core.NodeEvict{Name: away.name})
		w.soon(t, "tie-breaker "+tie+": the third is good", func() bool { return good(next) })
		last, err := user.m.Write("r0", 0)
		if err != nil {
			t.Fatal(err)
		}
		if !next.m.Readable("r0", 0, last) {
			t.Errorf("tie-breaker %s: the third lacks what was written", tie)
		}
	}
}
