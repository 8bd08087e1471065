package model

import (
	"maps"
	"slices"
)

// NodeType as LINSTOR prints it in JSON (upper case).
type NodeType string

const (
	Controller NodeType = "CONTROLLER"
	Satellite  NodeType = "SATELLITE"
	Combined   NodeType = "COMBINED"
	Auxiliary  NodeType = "AUXILIARY"
)

// HasSatellite tells whether the controller dials such a node and may place resources on it.
func (t NodeType) HasSatellite() bool { return t == Satellite || t == Combined }

// NetInterface is an address of a node. The one that is Active is where the controller dials the satellite.
type NetInterface struct {
	UUID    UUID
	Name    string
	Address string
	Port    int // the satellite's, 1 to 65535; 0: none listens here
	Active  bool
}

// Node is a machine of the cluster, with its storage pools.
type Node struct {
	Record      int64 // in the store
	UUID        UUID
	Name        string
	Type        NodeType
	Props       map[string]string
	Interfaces  []NetInterface
	Pools       []StoragePool
	DevicePools []DevicePool // orders that are under way
	Fingerprint string       // of the satellite's certificate: given at creation, or learnt at the claim; "" before
	Deleting    bool
	// Evacuate: its replicas move elsewhere, and nothing new is placed on it.
	Evacuate bool
	// EvacuateTo, if not empty, are the only nodes that may take them; EvacuateNot may not.
	EvacuateTo, EvacuateNot []string
	// Evicted: it was away for too long: its replicas are replaced elsewhere, and are down on it when it returns.
	Evicted    bool
	Generation uint64 // raised with each change of this object
}

// Clone is deep.
func (n *Node) Clone() *Node {
	c := *n
	c.Props = maps.Clone(n.Props)
	c.EvacuateTo, c.EvacuateNot = slices.Clone(n.EvacuateTo), slices.Clone(n.EvacuateNot)
	c.Interfaces = append([]NetInterface(nil), n.Interfaces...)
	c.Pools = make([]StoragePool, len(n.Pools))
	for i, p := range n.Pools {
		p.Props = maps.Clone(p.Props)
		c.Pools[i] = p
	}
	c.DevicePools = append([]DevicePool(nil), n.DevicePools...) // never edited
	return &c
}

// Pool returns the pool of that name (any case), or nil. It points into n: change it only in a clone of n.
func (n *Node) Pool(name string) *StoragePool {
	for i := range n.Pools {
		if Key(n.Pools[i].Name) == Key(name) {
			return &n.Pools[i]
		}
	}
	return nil
}

// Interface returns the interface of that name (any case), or nil.
func (n *Node) Interface(name string) *NetInterface {
	for i := range n.Interfaces {
		if Key(n.Interfaces[i].Name) == Key(name) {
			return &n.Interfaces[i]
		}
	}
	return nil
}

// Dial returns the interface on which the satellite is reached, or nil.
func (n *Node) Dial() *NetInterface {
	for i := range n.Interfaces {
		if n.Interfaces[i].Active {
			return &n.Interfaces[i]
		}
	}
	return nil
}

// ProviderKind is a storage driver, LINSTOR's word.
type ProviderKind string

const (
	Diskless ProviderKind = "DISKLESS"
	LVM      ProviderKind = "LVM"
	LVMThin  ProviderKind = "LVM_THIN"
	ZFS      ProviderKind = "ZFS"
	ZFSThin  ProviderKind = "ZFS_THIN"
	File     ProviderKind = "FILE"
	FileThin ProviderKind = "FILE_THIN"
)

// Thin tells whether the kind allocates on write.
func (k ProviderKind) Thin() bool { return k == LVMThin || k == ZFSThin || k == FileThin }

// SnapshotsInside tells whether a snapshot is part of its volume, which can't go before it does (zfs-destroy(8)). Of other
// kinds it is a volume of its own.
func (k ProviderKind) SnapshotsInside() bool { return k == ZFS || k == ZFSThin }

// Snapshots tells whether the kind has them. Of FILE and FILE_THIN the file system must be able to share blocks.
func (k ProviderKind) Snapshots() bool {
	return k == LVMThin || k == ZFS || k == ZFSThin || k == File || k == FileThin
}

// ProvesZeros tells whether a new volume of the kind reads as zeros, so that its first sync may be skipped. Of LVM_THIN the
// pool itself has to say so: PoolStatus.Zeroes.
func (k ProviderKind) ProvesZeros() bool { return k == FileThin || k == ZFS || k == ZFSThin }

// Property keys of a pool.
const (
	PropPoolName = "StorDriver/StorPoolName" // volume group, zpool or directory
)

// DisklessPool exists on every satellite node, as in LINSTOR.
const DisklessPool = "DfltDisklessStorPool"

// DefaultPool is where a volume goes when nobody says otherwise.
const DefaultPool = "DfltStorPool"

// StoragePool is a place on one node where backing devices come from.
type StoragePool struct {
	UUID     UUID
	Name     string
	Kind     ProviderKind
	Props    map[string]string
	Deleting bool
}

// Backing is the volume group, zpool or directory.
func (p *StoragePool) Backing() string { return p.Props[PropPoolName] }
