package plan

import (
	"maps"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// devicePools takes an order back once its node has said how it went, and registers the storage pool over what was made. An
// order that failed isn't tried again: by then another, empty disk may have the name that the user gave.
func devicePools(tx *state.Tx, env Env) {
	for _, key := range tx.NodesSeen() {
		n := tx.Snapshot().Node(key)
		if n == nil || len(n.DevicePools) == 0 || !n.Online() {
			continue
		}
		said := map[model.UUID]model.DevicePoolStatus{}
		for _, st := range n.Seen.DevicePools {
			said[st.ID] = st
		}
		m := n.Node.Clone()
		m.DevicePools = slices.DeleteFunc(m.DevicePools, func(p model.DevicePool) bool {
			st, ok := said[p.UUID]
			if ok && st.Done && p.Pool != "" && m.Pool(p.Pool) == nil {
				props := maps.Clone(p.PoolProps)
				if props == nil {
					props = map[string]string{}
				}
				props[model.PropPoolName] = p.Backing()
				m.Pools = append(m.Pools, model.StoragePool{UUID: env.UUID(), Name: p.Pool, Kind: p.Kind, Props: props})
				EnsurePoolDefinition(tx, env, p.Pool)
			}
			return ok
		})
		if len(m.DevicePools) != len(n.DevicePools) {
			tx.PutNode(m)
		}
	}
}

// EnsurePoolDefinition makes the cluster-wide half of pools of that name, if it isn't there.
func EnsurePoolDefinition(tx *state.Tx, env Env, name string) {
	c := tx.Snapshot().Controller()
	if _, ok := c.PoolDefs[model.Key(name)]; ok {
		return
	}
	m := c.Clone()
	m.PoolDefs[model.Key(name)] = model.StoragePoolDefinition{UUID: env.UUID(), Name: name}
	tx.PutController(m)
}
