package core

import (
	"strings"
	"time"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// Verify compares the blocks of a definition's replicas, in the background. What differs is reported, and nothing is
// changed by that.
type Verify struct{ Definition string }

// Apply implements Command.
func (c Verify) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"RscDfn": d.Name}
	refuse := func(k fault.Kind, do, because string, args ...any) (Reply, error) {
		return Reply{}, fault.New(k, fault.ResourceDefinition, "The replicas of '%s' can't be compared.", d.Name).Because(because, args...).Do("%s", do).Ref("RscDfn", d.Name)
	}
	if d.Cloning.Failed() {
		return Reply{}, notUnmade(d.ResourceDefinition, fault.ResourceDefinition, "There is nothing to compare.")
	}
	by := plan.Verifier(d, d.ResourceDefinition)
	switch {
	case d.Deleting:
		return refuse(fault.InUse, "Leave it.", "It is being deleted.")
	case !d.HasDRBD():
		return refuse(fault.Unsupported, "Add DRBD to the layers of a new resource definition.", "It has no DRBD layer: there are no replicas.")
	case by == "":
		return refuse(fault.Unsupported, "Add a replica with a disk.", "Fewer than two of its replicas have a disk and are active.")
	case props.On("DrbdOptions/auto-verify-algo-disable", false, levels(tx, d)...) && userAlg(tx, d) == "":
		return refuse(fault.Refused, "Set DrbdOptions/Net/verify-alg, or unset the other property.", "DrbdOptions/auto-verify-algo-disable is set, and no digest is named.")
	case d.Verify != nil && d.Verify.State == model.VerifyRuns:
		return Reply{Notes: []fault.Note{warn(fault.AlreadyDeployed, fault.Modify, fault.ResourceDefinition, refs, "A verify of '%s' is under way already.", d.Name)}}, nil
	}
	notes := []fault.Note{done(fault.Modify, fault.ResourceDefinition, refs, "The replicas of '%s' are being compared.", d.Name)}
	for i := range d.Resources {
		r := &d.Resources[i]
		if n := tx.Snapshot().Node(r.Node); plan.Verifies(r) && (n == nil || !n.Online()) {
			notes = append(notes, warn(fault.NotConnected, fault.Modify, fault.ResourceDefinition, refs, "The verify waits until node '%s' is back.", r.Node))
		}
	}
	if err := beginVerify(tx, env, d, by, model.VerifyByUser); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: notes}, nil
}

func beginVerify(tx *state.Tx, env Env, d *state.Definition, replica model.UUID, by string) error {
	m := d.ResourceDefinition.Clone()
	m.Verify = &model.Verify{ID: env.UUID(), Replica: replica, By: by, AskedMS: env.Now.UnixMilli()}
	return tx.PutDefinition(m)
}

// levels of properties, the first wins.
func levels(tx *state.Tx, d *state.Definition) []map[string]string { return levelsOf(tx.Snapshot(), d) }

func levelsOf(s *state.Snapshot, d *state.Definition) []map[string]string {
	out := []map[string]string{d.Props}
	if g := s.Group(d.Group); g != nil {
		out = append(out, g.Props)
	}
	return append(out, s.Controller().Props)
}

func userAlg(tx *state.Tx, d *state.Definition) string {
	v, _ := props.First("DrbdOptions/Net/verify-alg", levels(tx, d)...)
	return strings.TrimSpace(v)
}

// verifyDue finds a definition whose schedule wants a verify now, and that can have one: all its replicas are seen, and none
// of its nodes has a part in another verify. One at a time on a node is the budget.
func verifyDue(s *state.Snapshot, now time.Time) *state.Definition {
	var due []*state.Definition
	busy := map[string]bool{}
	s.AllDefinitions(func(d *state.Definition) bool {
		if v := d.Verify; v != nil && v.State == model.VerifyRuns {
			for i := range d.Resources {
				busy[model.Key(d.Resources[i].Node)] = true
			}
			return true
		}
		if at := verifyAtMS(s, d); at != 0 && now.UnixMilli() >= at && plan.Verifier(d, d.ResourceDefinition) != "" {
			due = append(due, d)
		}
		return true
	})
next:
	for _, d := range due {
		for i := range d.Resources {
			r := &d.Resources[i]
			if n := s.Node(r.Node); busy[model.Key(r.Node)] || n == nil || !n.Online() || plan.Verifies(r) && !upToDate(d, r) {
				continue next
			}
		}
		return d
	}
	return nil
}

func upToDate(d *state.Definition, r *model.Resource) bool {
	st := d.Seen[r.UUID]
	return st != nil && st.UpToDate()
}

// verifyAtMS is when the schedule (Verify/RunEvery, minutes; definition, group, controller) wants the next verify, in ms since
// 1970 UTC; 0: never.
func verifyAtMS(s *state.Snapshot, d *state.Definition) int64 {
	every := number(props.VerifyEvery, 0, levelsOf(s, d)...)
	if every == 0 || d.Deleting || !d.HasDRBD() {
		return 0
	}
	last := d.CreatedMS
	if v := d.Verify; v != nil {
		last = v.AskedMS
	}
	return last + int64(every)*60_000
}
