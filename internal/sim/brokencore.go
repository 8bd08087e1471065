package sim

import (
	"holdfast/internal/core"
	"holdfast/internal/state"
)

// The mistakes of the broken variants that are made in commands.

// places tells whether a command chooses where replicas go, with which numbers.
func places(c core.Command) bool {
	switch c.(type) {
	case core.Autoplace, core.ResourceCreate, core.Spawn, core.MakeAvailable:
		return true
	}
	return false
}

// outside is PlacedOutside's: the command sees what is published, and of what it makes of it the new replicas are added to
// the state of the commit.
func (k *command) outside(tx *state.Tx, env core.Env) (core.Reply, error) {
	old := state.Begin(k.ctl.brain.Snapshot())
	reply, err := k.inner.Apply(old, env)
	if err != nil {
		return k.inner.Apply(tx, env) // it hangs on what the same commit brings
	}
	for _, ch := range old.Changes() {
		if ch.Definition == nil {
			continue
		}
		c := ch.Definition
		if now := tx.Snapshot().DefinitionByID(c.UUID); now != nil {
			next := now.ResourceDefinition.Clone()
			for _, r := range c.Resources {
				if next.Replica(r.UUID) == nil && next.On(r.Node) == nil {
					next.Resources = append(next.Resources, r)
				}
			}
			c = next
		} else {
			c.Record = 0
		}
		if err := tx.PutDefinition(c); err != nil {
			return reply, err
		}
	}
	return reply, nil
}
