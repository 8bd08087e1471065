package sim

import (
	"strings"

	"holdfast/internal/core"
	"holdfast/internal/state"
)

const autoDiskful = "DrbdOptions/auto-diskful"

// move has a user move data: toggle disks and turn back, have it done by itself, move a replica to another node.
func (w *world) move() {
	name, on := w.name(), w.nodeName()
	if s := w.snapshot(); s != nil && w.chance(80) {
		if d := s.Definition(name); d != nil && len(d.Resources) > 0 {
			on = pick(w, d.Resources).Node
		}
	}
	switch k := w.rng.IntN(18); {
	case k >= 17:
		w.type_(core.DefinitionModify{Name: name, Override: map[string]string{autoDiskful: pick(w, []string{"0", "1", "-1"})}})
	case k >= 16:
		w.verify()
	case k >= 14:
		w.type_(core.NodeRestore{Name: w.nodeName(), DeleteResources: w.chance(30)})
	case k >= 12:
		w.type_(core.NodeEvacuate{Name: w.nodeName()})
		w.turnBack(core.NodeRestore{Name: w.nodeName()})
	case k >= 11:
		w.type_(core.NodeEvict{Name: w.nodeName()})
	case k >= 10:
		w.type_(core.ResourceActivate{Definition: name, Node: on, Inactive: w.chance(50)})
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

// loosens names the definition whose replicas come and go by rules from here on; "*" for all, "" for none.
func loosens(c core.Command) string {
	switch c := c.(type) {
	case core.ToggleDisk:
		if c.From != "" {
			return c.Definition
		}
	case core.DefinitionModify:
		if _, says := c.Override[autoDiskful]; says {
			return c.Name
		}
	case core.NodeEvacuate, core.NodeEvict, core.NodeRestore:
		return "*"
	}
	return ""
}

// isLoose tells of a name whether it is of a replica a definition whose replicas move by themselves.
func isLoose(loose map[string]bool, name string) bool {
	def, isRep := strings.CutPrefix(name, "rep ")
	def, _, _ = strings.Cut(def, "/")
	return isRep && (loose[def] || loose["*"])
}

// bringBack has the users activate what they deactivated, and restore what was evicted: it is up again, or says why not.
func (w *world) bringBack() bool {
	c := w.main
	if !c.running() || !c.brain.Started() || c.brain.ReadOnly() != "" || len(c.commands) > 0 {
		return false
	}
	var all []core.Command
	s := c.brain.Snapshot()
	s.Nodes(func(n *state.Node) bool {
		if n.Evicted {
			all = append(all, core.NodeRestore{Name: n.Name})
		}
		return true
	})
	s.Definitions(func(d *state.Definition) bool {
		for _, r := range d.Resources {
			if r.Inactive && !r.Deleting && !d.Deleting {
				all = append(all, core.ResourceActivate{Definition: d.Name, Node: r.Node})
			}
		}
		return true
	})
	for _, k := range all {
		w.type_(k)
	}
	return len(all) > 0
}
