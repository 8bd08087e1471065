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
		w := emptyWorld(1, Config{Calm: true})
		w.profile = profile{gen: []string{"9.2.18", "9.2.18", "9.2.18"}, files: make([]bool, 3), zeroes: make([]bool, 3),
			pools: []model.ProviderKind{model.LVM, model.LVM, model.LVM}, poolKiB: 64 << 10}
		w.net.RateKiB = 100 << 10
		w.populate()
		w.main.boot(0)
		w.quiet(2000)
		for _, n := range w.nodes {
			w.nodeComes(n)
		}
		user, away, next := w.nodes[0], w.nodes[1], w.nodes[2]
		becomes := func(what string, ok func() bool) {
			t.Helper()
			if err := w.becomes(what, ok); err != nil {
				t.Fatal(err)
			}
		}
		soon := func(what string, ok func() bool) { // something is still left to do
			t.Helper()
			for range 100_000 {
				if ok() {
					return
				}
				w.next()
			}
			for _, l := range w.unsettled() {
				t.Log(l.text)
			}
			t.Fatalf("tie-breaker %s: not yet: %s", tie, what)
		}
		becomes("the nodes are there", func() bool { return w.snapshot().NodeCount() == 3 })
		w.type_(core.DefinitionCreate{Name: "r0"})
		w.type_(core.DefinitionModify{Name: "r0", Override: map[string]string{"DrbdOptions/auto-add-quorum-tiebreaker": tie}})
		w.type_(core.VolumeCreate{Definition: "r0", SizeKiB: 4096})
		w.type_(core.ResourceCreate{Definition: "r0", On: []core.ResourceOn{{Node: user.name, Pool: poolName}, {Node: away.name, Pool: poolName}}})
		d := func() *state.Definition { return w.snapshot().Definition("r0") }
		good := func(n *node) bool {
			r := d().On(n.name)
			return r != nil && d().Seen[r.UUID] != nil && d().Seen[r.UUID].UpToDate()
		}
		becomes("both are good", func() bool { return d() != nil && good(user) && good(away) })
		if r := user.m.Operator("drbdadm", "-c", user.res("r0"), "primary", "r0"); r.Exit != 0 {
			t.Fatalf("%s", r.Stderr)
		}
		if _, err := user.m.Write("r0", 0); err != nil {
			t.Fatal(err)
		}
		away.cut()
		soon("the node is missed", func() bool { return w.snapshot().Node(away.name).Seen.Status == model.StatusOffline })
		w.type_(core.NodeEvict{Name: away.name})
		soon("the third is good", func() bool { return good(next) })
		last, err := user.m.Write("r0", 0)
		if err != nil {
			t.Fatal(err)
		}
		if !next.m.Readable("r0", 0, last) {
			t.Errorf("tie-breaker %s: the third lacks what was written", tie)
		}
	}
}
