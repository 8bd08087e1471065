package model

import "maps"

// ControllerState is the cluster's own record: there is one.
type ControllerState struct {
	Record      int64
	ClusterID   UUID
	Props       map[string]string
	PoolDefs    map[string]StoragePoolDefinition // by Key(name)
	KeyValues   map[string]KeyValueStore         // by Key(name)
	Connections []Connection                     // between nodes
	Generation  uint64
	// Master is the key that encrypts the volumes' keys; nil: no passphrase was ever set. Immutable.
	Master *MasterKey
}

// StoragePoolDefinition is the cluster-wide half of pools of one name.
type StoragePoolDefinition struct {
	UUID  UUID
	Name  string
	Props map[string]string
}

// KeyValueStore is a client's own notebook.
type KeyValueStore struct {
	Name  string
	Props map[string]string
}

// Clone is deep.
func (c *ControllerState) Clone() *ControllerState {
	d := *c
	d.Props = maps.Clone(c.Props)
	d.PoolDefs = make(map[string]StoragePoolDefinition, len(c.PoolDefs))
	for k, p := range c.PoolDefs {
		p.Props = maps.Clone(p.Props)
		d.PoolDefs[k] = p
	}
	d.KeyValues = make(map[string]KeyValueStore, len(c.KeyValues))
	for k, v := range c.KeyValues {
		v.Props = maps.Clone(v.Props)
		d.KeyValues[k] = v
	}
	d.Connections = cloneConnections(c.Connections)
	return &d
}
