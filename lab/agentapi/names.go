package agentapi

import (
	"fmt"
	"slices"
)

// names of the machines by id, from 1 on. Id 0 is the machine that a template is made of.
var names = []string{
	"template", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima", "mike",
	"november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
}

// MaxID is the highest id of a machine.
const MaxID = 26

// Name of the machine with this id, 0 to MaxID.
func Name(id int) string { return names[id] }

// ID of the machine with this name; false if there is no such name.
func ID(name string) (int, bool) {
	id := slices.Index(names, name)
	return id, id > 0
}

// DataAddress of the machine with this id on the data network, a /24.
func DataAddress(id int) string { return fmt.Sprintf("10.77.0.%d", id) }
