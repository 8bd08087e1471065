package sim

import "holdfast/internal/core"

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
