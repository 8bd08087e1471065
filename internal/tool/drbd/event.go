package drbd

import (
	"fmt"
	"strings"
)

// Event is one line of `drbdsetup events2`.
type Event struct {
	Verb   string // exists, create, change, destroy, call, response, rename
	Object string // resource, device, connection, peer-device, path, helper; "-" ends the first picture
	Fields map[string]string
}

// ParseEvent reads one line. Unknown verbs, objects and fields are no error.
// A value may hold a colon (addresses) and, in 9's path lines, words without
// one; those are left out.
func ParseEvent(line string) (Event, error) {
	w := strings.Fields(line)
	if len(w) > 0 && len(w[0]) > 19 && w[0][4] == '-' && strings.Contains(w[0], "T") { // --timestamps
		w = w[1:]
	}
	if len(w) < 2 {
		return Event{}, fmt.Errorf("parse DRBD event %q: too short", line)
	}
	e := Event{Verb: w[0], Object: w[1], Fields: make(map[string]string, len(w)-2)}
	for _, f := range w[2:] {
		if k, v, ok := strings.Cut(f, ":"); ok {
			e.Fields[k] = v
		}
	}
	return e, nil
}

// Full says that the first picture is complete.
func (e Event) Full() bool { return e.Verb == "exists" && e.Object == "-" }
