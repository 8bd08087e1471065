package stored

import "holdfast/internal/model"

type node struct {
	header
	ID          model.UUID        `json:"id"`
	Name        string            `json:"name"`
	Generation  uint64            `json:"gen"`
	Type        model.NodeType    `json:"type"`
	Props       map[string]string `json:"props,omitempty"`
	Interfaces  []netInterface    `json:"interfaces,omitempty"`
	Pools       []pool            `json:"pools,omitempty"`
	Fingerprint string            `json:"fingerprint,omitempty"`
	DevicePools []devicePool      `json:"devicePools,omitempty"`
	Deleting    bool              `json:"deleting,omitempty"`
	Evacuate    bool              `json:"evacuate,omitempty"`
	EvacuateTo  []string          `json:"evacuateTo,omitempty"`
	EvacuateNot []string          `json:"evacuateNot,omitempty"`
	Evicted     bool              `json:"evicted,omitempty"`
}

// devicePool is an order that is under way.
type devicePool struct {
	ID        model.UUID         `json:"id"`
	Kind      model.ProviderKind `json:"kind"`
	Name      string             `json:"name"`
	Devices   []string           `json:"devices"`
	Pool      string             `json:"pool,omitempty"`
	PoolProps map[string]string  `json:"poolProps,omitempty"`
}

type netInterface struct {
	ID      model.UUID `json:"id"`
	Name    string     `json:"name"`
	Address string     `json:"address"`
	Port    int        `json:"port,omitempty"`
	Active  bool       `json:"active,omitempty"`
}

type pool struct {
	ID       model.UUID         `json:"id"`
	Name     string             `json:"name"`
	Kind     model.ProviderKind `json:"kind"`
	Props    map[string]string  `json:"props,omitempty"`
	Deleting bool               `json:"deleting,omitempty"`
}

func nodeOut(n *model.Node) *node {
	s := &node{ID: n.UUID, Name: n.Name, Generation: n.Generation, Type: n.Type, Props: n.Props,
		Fingerprint: n.Fingerprint, Deleting: n.Deleting, Evacuate: n.Evacuate, EvacuateTo: n.EvacuateTo, EvacuateNot: n.EvacuateNot,
		Evicted: n.Evicted}
	for _, i := range n.Interfaces {
		s.Interfaces = append(s.Interfaces, netInterface{ID: i.UUID, Name: i.Name, Address: i.Address, Port: i.Port, Active: i.Active})
	}
	for _, p := range n.Pools {
		s.Pools = append(s.Pools, pool{ID: p.UUID, Name: p.Name, Kind: p.Kind, Props: p.Props, Deleting: p.Deleting})
	}
	for _, p := range n.DevicePools {
		s.DevicePools = append(s.DevicePools, devicePool{p.UUID, p.Kind, p.Name, p.Devices, p.Pool, p.PoolProps})
	}
	return s
}

func (s *node) in(record int64) *model.Node {
	n := &model.Node{Record: record, UUID: s.ID, Name: s.Name, Generation: s.Generation, Type: s.Type, Props: s.Props,
		Fingerprint: s.Fingerprint, Deleting: s.Deleting, Evacuate: s.Evacuate, EvacuateTo: s.EvacuateTo, EvacuateNot: s.EvacuateNot,
		Evicted: s.Evicted}
	for _, i := range s.Interfaces {
		n.Interfaces = append(n.Interfaces, model.NetInterface{UUID: i.ID, Name: i.Name, Address: i.Address, Port: i.Port, Active: i.Active})
	}
	for _, p := range s.Pools {
		n.Pools = append(n.Pools, model.StoragePool{UUID: p.ID, Name: p.Name, Kind: p.Kind, Props: p.Props, Deleting: p.Deleting})
	}
	for _, p := range s.DevicePools {
		n.DevicePools = append(n.DevicePools, model.DevicePool{UUID: p.ID, Kind: p.Kind, Name: p.Name, Devices: p.Devices, Pool: p.Pool, PoolProps: p.PoolProps})
	}
	return n
}
