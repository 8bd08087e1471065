package machine

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// guard is a process of `holdfast satellite resume-guard`: it outlives the satellite's.
type guard struct {
	at            time.Time
	record, lease string
	resource      string // that the record names at the start
	reconnects    bool
	minors        []string
}

// guard is the one thing that the model knows of Holdfast's own program.
func (x *call) guard() {
	record, lease, after, config := x.value("--record"), x.value("--lease"), x.value("--after"), x.value("--config")
	d, err := time.ParseDuration(after)
	if !x.detach || err != nil || len(x.argv) < 3 || x.argv[0] != "satellite" || x.argv[1] != "resume-guard" {
		x.fail(1, "holdfast: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	var rec struct{ Resource string }
	if f := x.m.files[record]; f != nil {
		_ = json.Unmarshal(f.data, &rec)
	}
	x.m.guards = append(x.m.guards, guard{x.m.net.last.Add(d), record, lease, rec.Resource, config != "", x.argv[2:]})
	x.m.effect("guard of %s starts", lease)
}

// guarded lets I/O go on where a guard's time has come and the record doesn't say that its suspension is over.
func (m *Machine) guarded(now time.Time) (resumed bool) {
	m.guards = slices.DeleteFunc(m.guards, func(g guard) bool {
		if now.Before(g.at) {
			return false
		}
		var rec struct{ Quiet string }
		if f := m.files[g.record]; f != nil && json.Unmarshal(f.data, &rec) == nil && rec.Quiet != g.lease {
			return true
		}
		for _, minor := range g.minors {
			if v, r := m.minor(minor); v != nil && r.frozen && (g.resource == "" || g.resource == r.name) {
				r.frozen = false
				r.underWay = r.underWay && !g.reconnects // it connects anew
				r.unanswered()
				m.net.version++
				resumed = true
				m.log = append(m.log, "the guard resumes I/O of "+r.name)
			}
		}
		return true
	})
	return resumed
}

// Frozen tells whether any I/O is suspended by a command, or isn't answered since.
func (m *Machine) Frozen() bool {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, r := range m.kernel {
		if r.frozen || r.unanswered() {
			return true
		}
	}
	return false
}
