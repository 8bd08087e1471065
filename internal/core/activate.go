package core

import (
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// ResourceActivate takes a replica out of the kernel of its node, or (Inactive false) brings it back. Its devices,
// metadata, config and numbers stay.
type ResourceActivate struct {
	Definition, Node string
	Inactive         bool
}

// Apply implements Command.
func (c ResourceActivate) Apply(tx *state.Tx, _ Env) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	m := d.ResourceDefinition.Clone()
	r := m.On(c.Node)
	if r == nil || r.Deleting {
		return Reply{}, noResource(d.Name, c.Node)
	}
	refs := refsOf(d.Name, r.Node)
	word := map[bool]string{true: "inactive", false: "active"}[c.Inactive]
	if r.Inactive == c.Inactive {
		return Reply{Notes: []fault.Note{warn(fault.AlreadyDeployed, fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' is already %s.", d.Name, r.Node, word)},
			Wait: waits(tx, d.UUID, fault.Modify)}, nil
	}
	if c.Inactive {
		if !d.HasDRBD() {
			return Reply{}, fault.New(fault.Unsupported, fault.Resource, "Resource '%s' on node '%s' can't be deactivated.", d.Name, r.Node).
				Because("Its layers have no DRBD: nobody could see whether it is in use.").Do("Leave it as it is.").Ref("RscDfn", d.Name).Ref("Node", r.Node)
		}
		if st := d.Seen[r.UUID]; st != nil && st.InUse {
			return Reply{}, fault.New(fault.InUse, fault.Resource, "Resource '%s' on node '%s' can't be deactivated.", d.Name, r.Node).
				Because("It is in use (primary) there.").Do("Unmount it, make it secondary, then try again.").Ref("RscDfn", d.Name).Ref("Node", r.Node).MayPass()
		}
		if node := plan.InUse(d); node != "" && !r.Diskless {
			if g := plan.MayDropDisk(tx.Snapshot(), d, r); !g.OK {
				return Reply{}, fault.New(fault.LastCopy, fault.Resource, "Resource '%s' on node '%s' can't be deactivated.", d.Name, r.Node).
					Because("It is in use on '%s', which may need this copy: %s.", node, g.Reason).
					Do("Wait until another replica is UpToDate.").Ref("RscDfn", d.Name).Ref("Node", r.Node)
			}
		}
	}
	r.Inactive = c.Inactive
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' is set %s.", d.Name, r.Node, word)},
		Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

// ResourceDeleteAll removes all replicas of a definition, and with them its data; the definition stays.
type ResourceDeleteAll struct{ Definition string }

// Apply implements Command.
func (c ResourceDeleteAll) Apply(tx *state.Tx, _ Env) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"RscDfn": d.Name}
	if node := plan.InUse(d); node != "" {
		return Reply{}, fault.New(fault.InUse, fault.Resource, "The resources of '%s' can't be deleted.", d.Name).
			Because("It is in use (primary) on node '%s'.", node).Do("Unmount it, make it secondary, then try again.").Ref("RscDfn", d.Name).Ref("Node", node).MayPass()
	}
	m := d.ResourceDefinition.Clone()
	var notes []fault.Note
	for i := range m.Resources {
		if r := &m.Resources[i]; !r.Deleting || r.Successor != "" {
			r.Deleting, r.Successor = true, ""
			notes = append(notes, done(fault.Delete, fault.Resource, refsOf(d.Name, r.Node), "Resource '%s' on node '%s' deleted.", d.Name, r.Node))
		}
	}
	if len(notes) == 0 {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.Resource, refs, "'%s' has no resources.", d.Name)}, Wait: waits(tx, d.UUID, fault.Delete)}, nil
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: notes, Wait: waits(tx, d.UUID, fault.Delete)}, nil
}

// UnmakeAvailable takes back what MakeAvailable may have made: an unused diskless replica goes. One with a disk stays.
type UnmakeAvailable struct{ Definition, Node string }

// Apply implements Command.
func (c UnmakeAvailable) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	var r *model.Resource
	if r = d.On(c.Node); r == nil || r.Deleting {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.Resource, refsOf(d.Name, c.Node), "Resource '%s' on node '%s' does not exist.", d.Name, c.Node)}}, nil
	}
	if !r.Diskless || r.TieBreaker {
		return Reply{Notes: []fault.Note{info(fault.NoOp, fault.Resource, refsOf(d.Name, r.Node), "Resource '%s' on node '%s' stays: it is no diskless replica made for use there.", d.Name, r.Node)}}, nil
	}
	return ResourceDelete{Definition: d.Name, Node: r.Node}.Apply(tx, env)
}
