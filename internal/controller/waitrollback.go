package controller

import (
	"fmt"
	"time"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// judgeRollback gives the outcome of a rollback; nil while there is none.
func (w *waiting) judgeRollback(s *state.Snapshot, now time.Time) *fault.Note {
	d := s.DefinitionByID(w.Definition)
	if d == nil {
		return w.ofRollback(fault.Warning, fault.NotApplied, "Resource '%s' was deleted meanwhile.", w.name)
	}
	switch rb := d.Rollback; {
	case rb == nil || rb.ID != w.Rollback:
		if apart(s, d) && w.graced(now) { // what is typed next may need them connected
			return nil
		}
		return w.ofRollback(fault.Success, fault.Done, "Resource '%s' was rolled back.", w.name)
	case rb.State == model.RollbackFailed:
		note := w.ofRollback(fault.Failure, fault.NotApplied, "Resource '%s' was not rolled back.", w.name)
		note.Cause = rb.Reason
		note.Correction = "Nothing was changed. Mend what the cause names, then try again."
		return note
	}
	return nil
}

// apart tells whether replicas on online nodes haven't found each other yet.
func apart(s *state.Snapshot, d *state.Definition) bool {
	up := func(r *model.Resource) bool {
		n := s.Node(r.Node)
		return !r.Deleting && !r.Inactive && n != nil && n.Online()
	}
	for i := range d.Resources {
		r := &d.Resources[i]
		st := d.Seen[r.UUID]
		for j := range d.Resources {
			o := &d.Resources[j]
			if !d.HasDRBD() || i == j || r.Diskless && o.Diskless || !up(r) || !up(o) {
				continue
			}
			if st == nil {
				return true
			}
			if p := st.Peer(o.Node); p == nil || p.State != model.Connected {
				return true
			}
		}
	}
	return false
}

func (w *waiting) lateRollback(s *state.Snapshot) *fault.Note {
	note := w.ofRollback(fault.Warning, fault.NotApplied, "Resource '%s' is not rolled back yet.", w.name)
	note.Correction = "It goes on until it is done; `resource list` shows where it waits."
	if d := s.DefinitionByID(w.Definition); d != nil {
		for i := range d.Resources {
			if st := d.Seen[d.Resources[i].UUID]; st != nil && st.Phase != model.Done {
				note.Cause = fmt.Sprintf("%s: %s", d.Resources[i].Node, st.Reason)
			}
		}
	}
	return note
}

func (w *waiting) ofRollback(sev fault.Severity, k fault.Kind, format string, args ...any) *fault.Note {
	return &fault.Note{Severity: sev, Kind: k, Op: w.Op, Object: fault.Snapshot, Message: fmt.Sprintf(format, args...), Refs: map[string]string{"RscDfn": w.name}}
}
