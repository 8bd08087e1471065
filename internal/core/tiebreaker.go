package core

import (
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// untie makes a tie-breaker a plain diskless replica, since somebody asked for one there.
func untie(def string, r *model.Resource) []fault.Note {
	r.TieBreaker = false
	return []fault.Note{done(fault.Create, fault.Resource, refsOf(def, r.Node), "The tie-breaker of '%s' on node '%s' is a diskless resource now.", def, r.Node)}
}

// takesOver tells whether a diskless replica that is to go stays as tie-breaker, since one would be wanted without it. It
// is one afterwards; nil if not.
func takesOver(s *state.Snapshot, m *model.ResourceDefinition, r *model.Resource) []fault.Note {
	if !r.Diskless || r.TieBreaker || r.Deleting || m.TieBreaker() != nil {
		return nil
	}
	r.TieBreaker = true
	if !plan.WantsTieBreaker(s, m) {
		r.TieBreaker = false
		return nil
	}
	n := done(fault.Delete, fault.Resource, refsOf(m.Name, r.Node), "Resource '%s' on node '%s' stays as tie-breaker.", m.Name, r.Node)
	n.Cause = "An even number of replicas has no majority without it."
	n.Correction = "Delete it once more, or set " + plan.PropTieBreaker + " to false, if it is not wanted."
	return []fault.Note{n}
}
