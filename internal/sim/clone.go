package sim

import (
	"fmt"
	"math/rand/v2"

	"holdfast/internal/core"
	"holdfast/internal/state"
)

// clone has a user clone a resource that is written to, and sometimes change his mind, or delete one of the two.
func (w *world) clone() {
	from, to := w.name(), pick(w, defNames)
	w.write()
	w.type_(core.DefinitionClone{Source: from, Name: to})
	w.overflow()
	for range w.rng.IntN(4) {
		for range w.rng.IntN(20) {
			w.next()
		}
		w.write()
	}
	switch k := w.rng.IntN(100); {
	case k < 15:
		w.type_(core.DefinitionDelete{Name: to})
	case k < 20:
		w.type_(core.DefinitionDelete{Name: from})
	case k < 30:
		w.type_(core.ResourceDelete{Definition: to, Node: w.nodeName()})
	case k < 40:
		w.type_(core.ResourceCreate{Definition: to, On: []core.ResourceOn{{Node: w.nodeName(), Pool: poolName}}})
	}
}

// overflow has a snapshot lose its content, now and then, that is copied for a clone. It has a randomness of its own.
func (w *world) overflow() {
	if w.rare == nil {
		w.rare = rand.New(rand.NewPCG(w.seed, 0x434f5059))
	}
	if w.rare.IntN(8) > 0 {
		return
	}
	for range 10 + w.rare.IntN(60) {
		w.next()
	}
	for _, n := range w.nodes {
		if n.m.Overflow(vgName) {
			w.logf("%s: the snapshots overflow", n.name)
		}
	}
}

// autoKept is AutoSnapshot/Keep wherever it is set.
const autoKept = 2

// autoSnapshots has a user switch them on or off.
func (w *world) autoSnapshots() {
	every := []string{"1", "2", "0"}[w.rng.IntN(3)]
	p := map[string]string{"AutoSnapshot/RunEvery": every, "AutoSnapshot/Keep": fmt.Sprint(autoKept)}
	w.type_(core.DefinitionModify{Name: w.name(), Override: p})
}

// cloneTo clones theirs; a clone that failed is deleted first.
func cloneTo(name string) func(*world) {
	return func(w *world) {
		if d := w.snapshot().Definition(name); d != nil && d.Cloning.Failed() {
			w.type_(core.DefinitionDelete{Name: name})
			return // and again once it is gone
		}
		w.type_(core.DefinitionClone{Source: theirs, Name: name})
	}
}

// clonedAs wants a clone that is whole, and nothing left of what it was made from.
func clonedAs(name string) func(*world, *state.Definition) string {
	return func(w *world, d *state.Definition) string {
		c := w.snapshot().Definition(name)
		switch {
		case c == nil || len(c.Volumes) == 0:
			return "no definition with a volume"
		case c.Cloning != nil:
			return "it is " + string(c.Cloning.State) + ": " + c.Cloning.Reason
		case d == nil || len(d.Snapshots) > 0:
			return "the snapshot is there"
		}
		// A node that was away has no replica.
		for _, node := range nodeNames {
			if _, disk := lives(c, node); disk {
				return ""
			}
		}
		return "no disks"
	}
}

// giveUp clones theirs, and deletes the clone soon after.
func giveUp(w *world) {
	w.type_(core.DefinitionClone{Source: theirs, Name: "db"})
	for range 60 {
		w.next()
	}
	w.type_(core.DefinitionDelete{Name: "db"})
	w.type_(core.DefinitionDelete{Name: "db"}) // a user may hang up before he is heard
}

// givenUp wants nothing left of it.
func givenUp(w *world, d *state.Definition) string {
	if w.snapshot().Definition("db") != nil || d == nil || len(d.Snapshots) > 0 {
		return "something is left of it"
	}
	return ""
}
