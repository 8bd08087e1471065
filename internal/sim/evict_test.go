package sim

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// With DRBD 8.4, the node of one of two replicas is evicted while the other is in use: a third is made from that one. When the node
// is back and restored, its replica goes, whether or not it was written to meanwhile.
func TestEvictedComesBack(t *testing.T) {
	for _, late := range []bool{false, true} {
		w, err := threeNodes("8.4.11", model.LVM, 64<<10, false)
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
		w.type_(core.VolumeCreate{Definition: "r0", SizeKiB: 4096})
		w.type_(core.ResourceCreate{Definition: "r0", On: []core.ResourceOn{{Node: user.name, Pool: poolName}, {Node: away.name, Pool: poolName}}})
		d := func() *state.Definition { return w.snapshot().Definition("r0") }
		good := func(n *node) bool { return n.good(d()) }
		role := func(verb string) {
			t.Helper()
			if r := user.m.Operator("drbdadm", "-c", user.res("r0"), verb, "r0"); r.Exit != 0 {
				t.Fatalf("%s: %s", verb, r.Stderr)
			}
		}
		write := func() int {
			t.Helper()
			id, err := user.m.Write("r0", 0)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		becomes("both are good", func() bool { return d() != nil && good(user) && good(away) })
		role("primary")
		write()
		away.cut()
		write()
		w.soon(t, "the node is missed", func() bool { return w.snapshot().Node(away.name).Seen.Status == model.StatusOffline })
		w.type_(core.NodeEvict{Name: away.name})
		w.soon(t, "the third is good", func() bool { return good(next) })
		last := write()
		role("secondary")
		away.powerOn()
		w.soon(t, "the node is back", func() bool { return w.snapshot().Node(away.name).Seen.Status != model.StatusOffline })
		if late {
			w.soon(t, "nobody uses it", func() bool { return !d().Seen[d().On(user.name).UUID].InUse })
			role("primary")
			last = write()
			role("secondary")
		}
		w.type_(core.NodeRestore{Name: away.name})
		becomes("its replica is gone", func() bool { return d().On(away.name) == nil && good(user) && good(next) })
		if !next.m.Readable("r0", 0, last) {
			t.Errorf("late %v: the third lacks what was written", late)
		}
	}
}

// soon plays on until it is so, though something may still be left to do.
func (w *world) soon(t *testing.T, what string, ok func() bool) {
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
	t.Fatalf("not yet: %s", what)
}

// good tells whether the node's replica is UpToDate by its own word.
func (n *node) good(d *state.Definition) bool {
	r := d.On(n.name)
	return r != nil && d.Seen[r.UUID] != nil && d.Seen[r.UUID].UpToDate()
}
