package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// waiting is one object on one node that a ticket waits for.
type waiting struct {
	core.Wait
	name    string      // of the definition
	note    *fault.Note // the outcome
	blocked time.Time   // since when the node says that it can't go on; zero: it doesn't
}

// await starts the waits of a committed ticket; it may be answered at once.
func (b *Brain) await(t *Ticket, now time.Time) {
	s := b.cur
	for _, w := range t.reply.Wait {
		x := &waiting{Wait: w}
		if d := s.DefinitionByID(w.Definition); d != nil {
			x.name = d.Name
			// The rules that ran behind the command may have raised it.
			x.Generation = max(x.Generation, d.Generation)
		} else {
			x.name = t.names[w.Definition]
		}
		t.waits = append(t.waits, x)
	}
	t.open = len(t.waits)
	t.notes = t.reply.Notes
	b.judge(t, now)
	if t.done {
		return
	}
	b.waiting = append(b.waiting, t)
}

func (b *Brain) unwait(t *Ticket) {
	b.waiting = slices.DeleteFunc(b.waiting, func(o *Ticket) bool { return o == t })
}

// judge looks at each open wait of t and answers it when none is left, or its time is over.
func (b *Brain) judge(t *Ticket, now time.Time) {
	late := !now.Before(t.deadline)
	for _, w := range t.waits {
		if w.note != nil {
			continue
		}
		if w.note = w.judge(b.cur, now); w.note == nil && late {
			w.note = w.late(b.cur)
		}
		if w.note != nil {
			t.open--
		}
	}
	if t.open == 0 {
		b.unwait(t)
		t.finish()
	}
}

// judge gives the outcome, or nil while there is none.
func (w *waiting) judge(s *state.Snapshot, now time.Time) *fault.Note {
	if w.Definition == "" {
		return w.judgeNode(s)
	}
	if w.Snapshot != "" {
		return w.judgeSnapshot(s)
	}
	if w.Rollback != "" {
		return w.judgeRollback(s, now)
	}
	d := s.DefinitionByID(w.Definition)
	var r *model.Resource
	if d != nil {
		r = d.Replica(w.Replica)
	}
	n := s.Node(w.Node)
	if r == nil || n == nil {
		if w.Gone {
			return w.said(fault.Success, fault.Done, "Deleted '%s' on '%s'.", w.name, w.Node)
		}
		return w.said(fault.Warning, fault.NotApplied, "Resource '%s' on node '%s' was removed meanwhile.", w.name, w.Node)
	}
	if n.Seen.Status == model.StatusConnected {
		return nil
	}
	if !n.Online() {
		note := w.said(fault.Warning, fault.NotConnected, "Node '%s' is not online: '%s' changes there when it returns.", n.Name, w.name)
		note.Cause = fmt.Sprintf("%s: %s", n.Seen.Status, n.Seen.Reason)
		note.Correction = "Nothing needs to be repeated."
		return note
	}
	st := d.Seen[r.UUID]
	switch {
	case r.Deleting && !w.Gone:
		return w.said(fault.Warning, fault.NotApplied, "Resource '%s' on node '%s' is being deleted meanwhile.", w.name, w.Node)
	case st != nil && st.Gone && w.Gone:
		return w.said(fault.Success, fault.Done, "Deleted '%s' on '%s'.", w.name, w.Node)
	case d.HasDRBD() && d.DRBD == model.Unpinned && !d.Deleting:
		why := "no node that has a replica of it has DRBD"
		if u := n.Seen.Unsupported[string(model.LayerDRBD)]; len(u) > 0 {
			why = strings.Join(u, "; ")
		}
		return w.stuck(now, why)
	case w.Gone:
		if m := plan.MayRemove(s, d, r); !m.OK {
			return w.stuck(now, m.Reason)
		}
	}
	if st == nil || st.Generation < w.Generation {
		w.blocked = time.Time{}
		return nil
	}
	switch st.Phase {
	case model.Failed:
		note := w.said(fault.Failure, fault.NotApplied, "Resource '%s' on node '%s' is not as desired.", w.name, w.Node)
		note.Cause = st.Reason
		note.Correction = "The change is kept and tried again; mend what the cause names."
		return note
	case model.Blocked:
		if st.Generation >= d.Generation { // else an order is under way that may free it
			return w.stuck(now, st.Reason)
		}
	case model.Working:
		if why := plan.GrowthWaits(s, d); why != "" {
			return w.stuck(now, why)
		}
	case model.Done:
		if !w.Gone {
			return w.said(fault.Success, fault.Done, w.doneText(), w.name, w.Node)
		}
	}
	w.blocked = time.Time{}
	return nil
}

// judgeNode is for what only concerns a node: that it is there, or has looked at a new pool.
func (w *waiting) judgeNode(s *state.Snapshot) *fault.Note {
	n := s.Node(w.Node)
	if n == nil {
		return w.ofNode(fault.Warning, fault.NotApplied, "Node '%s' was deleted meanwhile.", w.Node)
	}
	switch n.Seen.Status {
	case model.StatusUnknown, model.StatusConnected:
		return nil
	case model.StatusOnline:
	default:
		note := w.ofNode(fault.Warning, fault.NotConnected, "Node '%s' is not online yet.", n.Name)
		note.Cause = fmt.Sprintf("%s: %s", n.Seen.Status, n.Seen.Reason)
		note.Correction = "Start its satellite; nothing needs to be repeated."
		return note
	}
	if w.DevicePool != "" {
		return w.judgeDevicePool(n)
	}
	if w.Pool == "" {
		return w.ofNode(fault.Success, fault.Done, "Node '%s' is online.", n.Name)
	}
	for _, p := range n.Seen.Pools {
		switch {
		case p.UUID != w.Pool:
		case p.Reason != "":
			note := w.ofNode(fault.Failure, fault.NotApplied, "Storage pool '%s' on node '%s' can't be used.", p.Name, n.Name)
			note.Cause = p.Reason
			note.Correction = "The pool is kept and looked at again; mend what the cause names, or delete it."
			return note
		default:
			return w.ofNode(fault.Success, fault.Done, "Storage pool '%s' on node '%s' has %d KiB, %d KiB of them free.", p.Name, n.Name, p.TotalKiB, p.FreeKiB)
		}
	}
	return nil
}

// judgeDevicePool is for an order that the controller takes back as soon as the node has said how it went.
func (w *waiting) judgeDevicePool(n *state.Node) *fault.Note {
	for _, p := range n.Seen.DevicePools {
		switch {
		case p.ID != w.DevicePool:
		case p.Done:
			return w.ofNode(fault.Success, fault.Done, "The device pool on node '%s' was made.", n.Name)
		default:
			note := w.ofNode(fault.Failure, fault.NotApplied, "The device pool on node '%s' was not made.", n.Name)
			note.Cause = p.Reason
			note.Correction = "The order is taken back. Mend what the cause names, then give it again."
			return note
		}
	}
	return nil
}

func (w *waiting) ofNode(sev fault.Severity, k fault.Kind, format string, args ...any) *fault.Note {
	o := fault.Node
	if w.Pool != "" || w.DevicePool != "" {
		o = fault.StoragePool
	}
	return &fault.Note{Severity: sev, Kind: k, Op: w.Op, Object: o, Message: fmt.Sprintf(format, args...), Refs: map[string]string{"Node": w.Node}}
}

// graced tells whether what it waits for hasn't stood for BlockedGrace yet, since this was first asked.
func (w *waiting) graced(now time.Time) bool {
	if w.blocked.IsZero() {
		w.blocked = now
	}
	return now.Sub(w.blocked) < BlockedGrace
}

// stuck gives the reason if it has stood for BlockedGrace.
func (w *waiting) stuck(now time.Time, why string) *fault.Note {
	if w.graced(now) {
		return nil
	}
	note := w.said(fault.Warning, fault.NotApplied, "Resource '%s' on node '%s' has to wait.", w.name, w.Node)
	note.Cause = why
	note.Correction = "The change is kept; it goes on when that is so no more."
	return note
}

func (w *waiting) late(s *state.Snapshot) *fault.Note {
	if w.Definition == "" {
		return w.ofNode(fault.Warning, fault.NotConnected, "Node '%s' has not answered yet.", w.Node)
	}
	if w.Snapshot != "" {
		return w.lateSnapshot(s)
	}
	if w.Rollback != "" {
		return w.lateRollback(s)
	}
	note := w.said(fault.Warning, fault.NotApplied, "Node '%s' has not finished with '%s' yet.", w.Node, w.name)
	note.Correction = "The change is kept and goes on; look at it with `resource list`."
	if d := s.DefinitionByID(w.Definition); d != nil {
		if st := d.Seen[w.Replica]; st != nil {
			note.Cause = st.Reason
		}
	}
	return note
}

func (w *waiting) doneText() string {
	switch w.Op {
	case fault.Create:
		return "Created resource '%s' on '%s'."
	case fault.Delete:
		return "Resource '%s' on '%s' adjusted after the removal."
	}
	return "Resource '%s' on '%s' adjusted."
}

func (w *waiting) said(sev fault.Severity, k fault.Kind, format string, args ...any) *fault.Note {
	return &fault.Note{Severity: sev, Kind: k, Op: w.Op, Object: fault.Resource, Message: fmt.Sprintf(format, args...),
		Refs: map[string]string{"RscDfn": w.name, "Node": w.Node}}
}
