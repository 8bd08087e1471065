package core

import (
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// GroupAdjust places what the definitions of a group (Group "": of all groups) lack of replicas. Each definition stands
// alone: one that can't be placed is an error entry, the others go on. Replicas that are too many stay.
type GroupAdjust struct {
	Group  string
	Filter model.SelectFilter // over the group's
}

func (c GroupAdjust) Apply(tx *state.Tx, env Env) (Reply, error) {
	if c.Group != "" {
		if _, err := findGroup(tx, c.Group); err != nil {
			return Reply{}, err
		}
	}
	c.Filter.AdditionalPlaceCount = 0 // each run would add as many
	var names []string
	tx.Snapshot().Definitions(func(d *state.Definition) bool {
		if !d.Deleting && (c.Group == "" || model.Key(d.Group) == model.Key(c.Group)) {
			names = append(names, d.Name)
		}
		return true
	})
	var out Reply
	for _, name := range names {
		f := tx.Fork()
		r, err := Autoplace{Definition: name, Filter: c.Filter}.Apply(f, env)
		if err != nil {
			n := fault.Of(err).Note
			n.Severity, n.Op = fault.Failure, fault.Modify
			out.Notes = append(out.Notes, n)
			continue
		}
		tx.Join(f)
		for _, n := range r.Notes {
			if n.Kind == fault.AlreadyDeployed {
				n = info(fault.Modify, fault.ResourceDefinition, n.Refs, "Resource definition '%s' has the replicas that it shall have.", name)
			}
			out.Notes = append(out.Notes, n)
		}
		out.Wait = append(out.Wait, r.Wait...)
	}
	if len(names) == 0 {
		out.Notes = append(out.Notes, info(fault.Modify, fault.ResourceGroup, map[string]string{"RscGrp": c.Group}, "There is nothing to adjust."))
	}
	return out, nil
}
