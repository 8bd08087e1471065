package plan

import (
	"cmp"
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// maxBroken is how often a verify is begun anew.
const maxBroken = 5

// verify follows what the node reports of a verify that runs: it ends with what was found, or is begun anew.
func verify(env Env, d *state.Definition, c *model.ResourceDefinition) bool {
	if c.Verify == nil || c.Verify.State != model.VerifyRuns {
		return false
	}
	v := *c.Verify
	end := func(s model.VerifyState, why string) bool {
		v.State, v.Reason, v.EndedMS = s, why, env.NowMS
		c.Verify = &v
		return true
	}
	if c.Cloning.Failed() {
		return end(model.VerifyFailed, "it is a clone that failed: there is nothing to compare")
	}
	r := c.Replica(v.Replica)
	if r == nil || !Verifies(r) || c.Deleting {
		next := Verifier(d, c)
		if next == "" {
			return end(model.VerifyFailed, "fewer than two replicas with a disk are left")
		}
		v.ID, v.Replica = env.UUID(), next
		c.Verify = &v
		return true
	}
	st := d.Seen[v.Replica]
	if st == nil || st.Verify.ID != v.ID {
		return false
	}
	switch st.Verify.State {
	case model.VerifyEnded:
		for _, p := range st.Peers {
			for _, pv := range p.Volumes {
				if pv.OutOfSyncKiB > 0 {
					v.Found = append(v.Found, model.VerifyFound{Volume: pv.Number, Node: r.Node, Peer: p.Node, OutOfSyncKiB: pv.OutOfSyncKiB})
				}
			}
		}
		return end(model.VerifyDone, "")
	case model.VerifyBroken:
		v.Broken++
		if v.Broken >= maxBroken {
			return end(model.VerifyFailed, st.Verify.Reason)
		}
		v.ID, v.Reason = env.UUID(), st.Verify.Reason
		c.Verify = &v
		return true
	}
	return false
}

// Verifies tells whether the replica can compare its blocks with others'.
func Verifies(r *model.Resource) bool {
	return !r.Diskless && !r.Deleting && !r.Inactive && r.Toggle == model.NoToggle && r.Successor == ""
}

// Verifier is the replica that is to compare its blocks: where it is in use, so that what the applications read is on one
// side of each comparison, else the first. "": there are no two, or it is a clone that failed, of which no node has anything.
func Verifier(d *state.Definition, c *model.ResourceDefinition) model.UUID {
	var able []*model.Resource
	for i := range c.Resources {
		if r := &c.Resources[i]; Verifies(r) {
			able = append(able, r)
		}
	}
	if len(able) < 2 || !c.HasDRBD() || c.Cloning.Failed() {
		return ""
	}
	if i := slices.IndexFunc(able, func(r *model.Resource) bool { return inUse(d, r) }); i >= 0 {
		return able[i].UUID
	}
	return able[0].UUID
}

// VerifyWaits says what a definition's verify waits for; "": it runs, or there is none.
func VerifyWaits(s *state.Snapshot, d *state.Definition) string {
	v := d.Verify
	if v == nil || v.State != model.VerifyRuns {
		return ""
	}
	r := d.Replica(v.Replica)
	if r == nil {
		return "the replica that was to compare its blocks is gone"
	}
	if n := s.Node(r.Node); n == nil || !n.Online() {
		return fmt.Sprintf("node %s is offline", r.Node)
	}
	switch st := d.Seen[r.UUID]; {
	case st == nil:
		return fmt.Sprintf("node %s hasn't reported its replica yet", r.Node)
	case st.Verify.ID != v.ID && st.Generation < d.Generation:
		return cmp.Or(v.Reason, fmt.Sprintf("node %s hasn't taken the order up yet", r.Node))
	case st.Verify.ID != v.ID:
		return fmt.Sprintf("node %s says nothing of it: a satellite of an older release can't compare; bring it to the controller's release", r.Node)
	case st.Verify.State == model.VerifyBegun:
		return ""
	default:
		return cmp.Or(st.Verify.Reason, v.Reason, fmt.Sprintf("node %s is about to begin", r.Node))
	}
}
