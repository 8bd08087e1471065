package plan

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// rollback moves a rollback on; see model.RollbackState.
func rollback(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	rb := c.RollingBack()
	if rb == nil {
		return false
	}
	next := *rb // what is published stays as it is
	switch rb.State {
	case model.RollbackStopping:
		if why := cantRoll(d, rb); why != "" {
			next.State, next.Reason = model.RollbackFailed, why
			break
		}
		if !allAre(d, rb, model.Stopped) {
			return false
		}
		next.State = model.RollbackRolling
	case model.RollbackRolling:
		if !allAre(d, rb, model.Rolled) {
			return false
		}
		forgetAgain(c, rb)
		filledFrom(c, rb.Keeps)
		c.Rollback = nil
		return true
	}
	c.Rollback = &next
	return true
}

// cantRoll says why a rollback that changed nothing yet is given up.
func cantRoll(d *state.Definition, rb *model.Rollback) string {
	if sn := d.SnapshotByID(rb.Snapshot); sn == nil || sn.State != model.SnapshotSuccessful {
		return "the snapshot is gone"
	}
	for i := range d.Resources {
		r := &d.Resources[i]
		if r.Deleting {
			continue
		}
		st := d.Seen[r.UUID]
		switch {
		case st == nil:
			return "the connection to node " + r.Node + " was lost"
		case st.InUse:
			return "it is in use on node " + r.Node
		case st.Generation >= d.Generation && st.Phase == model.Failed:
			return fmt.Sprintf("on %s: %s", r.Node, st.Reason)
		}
	}
	return ""
}

func allAre(d *state.Definition, rb *model.Rollback, want model.RolledState) bool {
	return !slices.ContainsFunc(d.Resources, func(r model.Resource) bool {
		st := d.Seen[r.UUID]
		return !r.Deleting && (st == nil || st.Rollback.ID != rb.ID || st.Rollback.State < want)
	})
}

// filledFrom: all but the replica that keeps its content are empty, and get it from there.
func filledFrom(c *model.ResourceDefinition, keeps model.UUID) {
	for i := range c.Resources {
		if keeps == "" || c.Resources[i].UUID == keeps {
			continue
		}
		for j := range c.Resources[i].Volumes {
			c.Resources[i].Volumes[j].Filled = false
		}
	}
}

// forgetAgain retires the node-ids that the metadata of then remember and that nobody has any more.
func forgetAgain(c *model.ResourceDefinition, rb *model.Rollback) {
	sn := c.SnapshotByID(rb.Snapshot)
	if sn == nil || c.DRBD != model.DRBD9 {
		return
	}
	var all []model.UUID
	for _, r := range c.Resources {
		all = append(all, r.UUID)
	}
	for _, id := range sn.NodeIDs {
		if !slices.ContainsFunc(c.Resources, func(r model.Resource) bool { return r.NodeID == id }) &&
			!slices.ContainsFunc(c.Retired, func(t model.RetiredNodeID) bool { return t.NodeID == id }) {
			c.Retired = append(c.Retired, model.RetiredNodeID{NodeID: id, Replica: rb.ID, Since: c.Generation + 1, WaitFor: slices.Clone(all)})
		}
	}
}
