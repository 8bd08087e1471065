package model

// DevicePool is an order to make a volume group, thin pool or zpool of empty devices, until its node has said how it went.
type DevicePool struct {
	UUID    UUID
	Kind    ProviderKind // LVM, LVM_THIN, ZFS or ZFS_THIN
	Name    string       // as the user gave it; see Backing
	Devices []string     // paths
	// Pool is the name of the storage pool to register when it is done; "": none. PoolProps are its properties.
	Pool      string
	PoolProps map[string]string
}

// Group is the volume group or zpool. That of a thin pool is named after it, as LINSTOR does.
func (p *DevicePool) Group() string {
	if p.Kind == LVMThin {
		return "linstor_" + p.Name
	}
	return p.Name
}

// Backing is what a storage pool over it has as StorDriver/StorPoolName.
func (p *DevicePool) Backing() string {
	if p.Kind == LVMThin {
		return p.Group() + "/" + p.Name
	}
	return p.Name
}

// DevicePoolSpec tells a node of one. It is carried out once: its id is written on what is made, and devices that aren't
// empty are never touched.
type DevicePoolSpec struct {
	ID      UUID
	Kind    ProviderKind
	Group   string
	Thin    string // name of the thin pool in the group; LVM_THIN only
	Devices []string
}

// DevicePoolStatus is a node's word on one: done, or failed for good.
type DevicePoolStatus struct {
	ID     UUID
	Done   bool
	Reason string // why not
}

// BlockDevice is a disk on which nothing is: no partition, no signature, nothing that uses it, at least 1 GiB.
type BlockDevice struct {
	Path       string
	SizeBytes  int64
	Model      string
	Serial     string
	WWN        string
	Rotational bool
}
