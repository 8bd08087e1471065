package controller

import (
	"fmt"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// judgeSnapshot gives the outcome of a snapshot that is taken, or of a copy that is removed; nil while there is none.
func (w *waiting) judgeSnapshot(s *state.Snapshot) *fault.Note {
	d := s.DefinitionByID(w.Definition)
	var sn *model.Snapshot
	if d != nil {
		sn = d.SnapshotByID(w.Snapshot)
	}
	if w.Gone {
		return w.judgeCopy(s, d)
	}
	if sn == nil || sn.State == model.SnapshotDeleting {
		return w.ofSnapshot(sn, fault.Warning, fault.NotApplied, "The snapshot of '%s' was deleted meanwhile.", w.name)
	}
	switch sn.State {
	case model.SnapshotSuccessful:
		return w.ofSnapshot(sn, fault.Success, fault.Done, "Took snapshot '%s' of '%s' on %d nodes.", sn.Name, w.name, len(sn.Copies))
	case model.SnapshotFailed:
		kind := fault.NotApplied
		if sn.Disconnected {
			kind = fault.NotConnected
		}
		note := w.ofSnapshot(sn, fault.Failure, kind, "Snapshot '%s' of '%s' failed.", sn.Name, w.name)
		note.Cause = sn.Reason
		note.Details = "I/O goes on, and what was made of it is removed."
		note.Correction = "Mend what the cause names, delete this one, then take it again."
		return note
	}
	return nil
}

// judgeCopy waits for a copy to be gone.
func (w *waiting) judgeCopy(s *state.Snapshot, d *state.Definition) *fault.Note {
	if d == nil || d.NodeOf(w.Replica) == "" {
		return w.ofSnapshot(nil, fault.Success, fault.Done, "Deleted a snapshot of '%s' on '%s'.", w.name, w.Node)
	}
	n := s.Node(w.Node)
	if n == nil || n.Seen.Status == model.StatusConnected {
		return nil
	}
	if !n.Online() {
		note := w.ofSnapshot(nil, fault.Warning, fault.NotConnected, "Node '%s' is not online: the snapshot of '%s' is removed there when it returns.", n.Name, w.name)
		note.Cause = fmt.Sprintf("%s: %s", n.Seen.Status, n.Seen.Reason)
		note.Correction = "Nothing needs to be repeated."
		return note
	}
	if st := d.Seen[w.Replica]; st != nil && st.Phase == model.Failed {
		note := w.ofSnapshot(nil, fault.Failure, fault.NotApplied, "The snapshot of '%s' on node '%s' is not removed yet.", w.name, w.Node)
		note.Cause = st.Reason
		note.Correction = "It is tried again; mend what the cause names."
		return note
	}
	return nil
}

func (w *waiting) lateSnapshot(s *state.Snapshot) *fault.Note {
	note := w.ofSnapshot(nil, fault.Warning, fault.NotApplied, "The snapshot of '%s' is not finished yet.", w.name)
	note.Correction = "It goes on; look at it with `snapshot list`."
	if d := s.DefinitionByID(w.Definition); d != nil && w.Gone {
		if st := d.Seen[w.Replica]; st != nil {
			note.Cause = st.Reason
		}
	}
	return note
}

func (w *waiting) ofSnapshot(sn *model.Snapshot, sev fault.Severity, k fault.Kind, format string, args ...any) *fault.Note {
	refs := map[string]string{"RscDfn": w.name}
	if sn != nil {
		refs["Snapshot"] = sn.Name
	}
	if w.Node != "" {
		refs["Node"] = w.Node
	}
	return &fault.Note{Severity: sev, Kind: k, Op: w.Op, Object: fault.Snapshot, Message: fmt.Sprintf(format, args...), Refs: refs}
}
