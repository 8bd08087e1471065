package sim

import (
	"fmt"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// With DRBD 8.4 a volume moves again and again, one replica after the other, and is written to all the time: what made room goes while it
// is, whoever its peers were before, once those are gone.
func TestMovesInUse(t *testing.T) {
	w, err := threeNodes("8.4.11", model.LVM, 64<<10, false)
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	w.type_(core.DefinitionCreate{Name: "r0"})
	w.type_(core.VolumeCreate{Definition: "r0", SizeKiB: 4096})
	w.type_(core.ResourceCreate{Definition: "r0", On: []core.ResourceOn{{Node: a.name, Pool: poolName}, {Node: b.name, Pool: poolName}}})
	d := func() *state.Definition { return w.snapshot().Definition("r0") }
	good := func(n *node) bool { return n.good(d()) }
	w.soon(t, "both are good", func() bool { return d() != nil && good(a) && good(b) })
	for i, m := range []struct{ user, from, to *node }{{a, b, c}, {c, a, b}, {b, c, a}, {a, b, c}} {
		if r := m.user.m.Operator("drbdadm", "-c", m.user.res("r0"), "primary", "r0"); r.Exit != 0 {
			t.Fatalf("move %d: %s", i, r.Stderr)
		}
		last := 0
		write := func() {
			t.Helper()
			if last, err = m.user.m.Write("r0", 0); err != nil {
				t.Fatalf("move %d: %v", i, err)
			}
		}
		write()
		w.type_(core.ToggleDisk{Definition: "r0", Node: m.to.name, From: m.from.name, Pool: poolName})
		w.soon(t, fmt.Sprintf("move %d: %s steps aside", i, m.from.name), func() bool { return d().On(m.to.name) != nil })
		write()
		w.soon(t, fmt.Sprintf("move %d: %s is good", i, m.to.name), func() bool { return good(m.to) })
		write()
		w.soon(t, fmt.Sprintf("move %d: %s is gone while %s is in use", i, m.from.name, m.user.name), func() bool { write(); return d().On(m.from.name) == nil })
		if !m.to.m.Readable("r0", 0, last) {
			t.Errorf("move %d: %s lacks what was written", i, m.to.name)
		}
		if r := m.user.m.Operator("drbdadm", "-c", m.user.res("r0"), "secondary", "r0"); r.Exit != 0 {
			t.Fatalf("move %d: %s", i, r.Stderr)
		}
		w.soon(t, "nobody uses it", func() bool { return !d().Seen[d().On(m.user.name).UUID].InUse && good(m.to) })
	}
}
