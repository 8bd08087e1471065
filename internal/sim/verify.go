package sim

import (
	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// verify has a user compare replicas.
func (w *world) verify() { w.type_(core.Verify{Definition: w.name()}) }

// verifies tells of a verify that hasn't ended and doesn't say what it waits for.
func verifies(d *state.Definition) bool {
	v := d.Verify
	if v == nil || v.State != model.VerifyRuns || d.Deleting {
		return false
	}
	st := d.Seen[v.Replica]
	return st == nil || st.Verify.ID != v.ID || st.Verify.Reason == ""
}
