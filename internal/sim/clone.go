package sim

import (
	"fmt"

	"holdfast/internal/core"
)

// clone has a user clone a resource that is written to, and sometimes change his mind, or delete one of the two.
func (w *world) clone() {
	from, to := w.name(), pick(w, defNames)
	w.write()
	w.type_(core.DefinitionClone{Source: from, Name: to})
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

// autoKept is AutoSnapshot/Keep wherever it is set.
const autoKept = 2

// autoSnapshots has a user switch them on or off.
func (w *world) autoSnapshots() {
	every := []string{"1", "2", "0"}[w.rng.IntN(3)]
	p := map[string]string{"AutoSnapshot/RunEvery": every, "AutoSnapshot/Keep": fmt.Sprint(autoKept)}
	w.type_(core.DefinitionModify{Name: w.name(), Override: p})
}
