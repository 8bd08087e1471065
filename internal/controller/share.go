package controller

import (
	"slices"

	"holdfast/internal/model"
)

// shared is st with the definition's own strings in the place of equal ones that came over the wire, in memory of its own:
// what is kept of a full report doesn't hold on to the rest of it.
func shared(d *model.ResourceDefinition, st *model.ResourceStatus) *model.ResourceStatus {
	c := *st
	c.Definition = same(c.Definition, d.UUID)
	c.Name = same(c.Name, d.Name)
	c.Volumes, c.Peers = slices.Clone(st.Volumes), slices.Clone(st.Peers)
	if r := d.Replica(st.ID); r != nil {
		c.ID = r.UUID
		for i := range c.Volumes {
			if v := r.Volume(c.Volumes[i].Number); v != nil {
				c.Volumes[i].ID = same(c.Volumes[i].ID, v.UUID)
			}
		}
	}
	for i := range c.Peers {
		if r := d.On(c.Peers[i].Node); r != nil {
			c.Peers[i].Node = same(c.Peers[i].Node, r.Node)
		}
	}
	return &c
}

// same is theirs, as ours if they are equal.
func same[S ~string](theirs, ours S) S {
	if theirs == ours {
		return ours
	}
	return theirs
}
