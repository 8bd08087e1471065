package sim

import (
	"strings"

	"holdfast/internal/core"
)

// move has a user move data: toggle disks and turn back, move a replica to another node.
func (w *world) move() {
	name, on := w.name(), w.nodeName()
	if s := w.snapshot(); s != nil && w.chance(80) {
		if d := s.Definition(name); d != nil && len(d.Resources) > 0 {
			on = pick(w, d.Resources).Node
		}
	}
	switch k := w.rng.IntN(10); {
	case k < 2:
		w.type_(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: w.nodeName(), Diskless: true}}})
	case k < 5:
		w.type_(core.ToggleDisk{Definition: name, Node: on, Pool: poolName})
		w.turnBack(core.ToggleDisk{Definition: name, Node: on, Diskless: true})
	case k < 8:
		w.type_(core.ToggleDisk{Definition: name, Node: on, Diskless: true})
		w.turnBack(core.ToggleDisk{Definition: name, Node: on, Pool: poolName})
	default:
		to := w.nodeName()
		w.type_(core.ToggleDisk{Definition: name, Node: to, From: on, Pool: poolName})
		w.turnBack(core.ResourceDelete{Definition: name, Node: to})
	}
}

// turnBack has the user change his mind sometimes, at once or a little later.
func (w *world) turnBack(c core.Command) {
	if !w.chance(25) {
		return
	}
	for range w.rng.IntN(40) {
		w.next()
	}
	w.type_(c)
}

// loosens names the definition whose replicas come and go by rules from here on; "" for none.
func loosens(c core.Command) string {
	if t, ok := c.(core.ToggleDisk); ok && t.From != "" {
		return t.Definition
	}
	return ""
}

// isLoose tells of a name whether it is of a replica a definition whose replicas move by themselves.
func isLoose(loose map[string]bool, name string) bool {
	def, isRep := strings.CutPrefix(name, "rep ")
	def, _, _ = strings.Cut(def, "/")
	return isRep && (loose[def] || loose["*"])
}
