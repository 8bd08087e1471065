package stored

import (
	"maps"
	"slices"

	"holdfast/internal/model"
)

type cluster struct {
	header
	ID          model.UUID        `json:"id"`
	Generation  uint64            `json:"gen"`
	Props       map[string]string `json:"props,omitempty"`
	PoolDefs    []poolDef         `json:"poolDefs,omitempty"`
	KeyValues   []keyValues       `json:"keyValues,omitempty"`
	Connections []connection      `json:"connections,omitempty"`
	Master      *masterKey        `json:"master,omitempty"`
}

// masterKey is encrypted; its names keep it out of exports all the same.
type masterKey struct {
	Key  []byte `json:"masterkey"`
	Hash []byte `json:"masterkeyHash"`
	Salt []byte `json:"masterkeySalt"`
}

type poolDef struct {
	ID    model.UUID        `json:"id"`
	Name  string            `json:"name"`
	Props map[string]string `json:"props,omitempty"`
}

// connection is what is set for two nodes.
type connection struct {
	A     string            `json:"a"`
	B     string            `json:"b"`
	Props map[string]string `json:"props"`
}

func connectionsOut(list []model.Connection) (out []connection) {
	for _, c := range list {
		out = append(out, connection(c))
	}
	return out
}

func connectionsIn(list []connection) (out []model.Connection) {
	for _, c := range list {
		out = append(out, model.Connection(c))
	}
	return out
}

type keyValues struct {
	Name  string            `json:"name"`
	Props map[string]string `json:"props,omitempty"`
}

func clusterOut(c *model.ControllerState) *cluster {
	s := &cluster{ID: c.ClusterID, Generation: c.Generation, Props: c.Props}
	for _, k := range slices.Sorted(maps.Keys(c.PoolDefs)) {
		p := c.PoolDefs[k]
		s.PoolDefs = append(s.PoolDefs, poolDef{ID: p.UUID, Name: p.Name, Props: p.Props})
	}
	for _, k := range slices.Sorted(maps.Keys(c.KeyValues)) {
		s.KeyValues = append(s.KeyValues, keyValues{Name: c.KeyValues[k].Name, Props: c.KeyValues[k].Props})
	}
	s.Connections = connectionsOut(c.Connections)
	if m := c.Master; m != nil {
		s.Master = &masterKey{Key: m.Key, Hash: m.Hash, Salt: m.Salt}
	}
	return s
}

func (s *cluster) in(record int64) *model.ControllerState {
	c := &model.ControllerState{Record: record, ClusterID: s.ID, Generation: s.Generation, Props: s.Props,
		PoolDefs:  make(map[string]model.StoragePoolDefinition, len(s.PoolDefs)),
		KeyValues: make(map[string]model.KeyValueStore, len(s.KeyValues))}
	if c.Props == nil {
		c.Props = map[string]string{}
	}
	for _, p := range s.PoolDefs {
		c.PoolDefs[model.Key(p.Name)] = model.StoragePoolDefinition{UUID: p.ID, Name: p.Name, Props: p.Props}
	}
	for _, k := range s.KeyValues {
		c.KeyValues[model.Key(k.Name)] = model.KeyValueStore{Name: k.Name, Props: k.Props}
	}
	c.Connections = connectionsIn(s.Connections)
	if m := s.Master; m != nil {
		c.Master = &model.MasterKey{Key: m.Key, Hash: m.Hash, Salt: m.Salt}
	}
	return c
}
