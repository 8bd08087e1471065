package api

// PhysicalStorage groups empty disks of one size (bytes) and kind, by node.
type PhysicalStorage struct {
	Size       int64                              `json:"size"`
	Rotational bool                               `json:"rotational"`
	Nodes      map[string][]PhysicalStorageDevice `json:"nodes"`
}

// PhysicalStorageDevice is an empty disk.
type PhysicalStorageDevice struct {
	Device string `json:"device"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
	WWN    string `json:"wwn,omitempty"`
}

// PhysicalStorageNode is an empty disk of one node; Size is bytes.
type PhysicalStorageNode struct {
	Size       int64 `json:"size"`
	Rotational bool  `json:"rotational"`
	PhysicalStorageDevice
}

// PhysicalStorageCreate makes a volume group, thin pool or ZFS pool of empty disks.
type PhysicalStorageCreate struct {
	ProviderKind    ProviderKind                      `json:"provider_kind"`
	DevicePaths     []string                          `json:"device_paths"`
	RaidLevel       string                            `json:"raid_level,omitempty"` // JBOD
	PoolName        string                            `json:"pool_name,omitempty"`
	VdoEnable       *Bool                             `json:"vdo_enable,omitempty"`
	VdoSlabSizeKib  *Int                              `json:"vdo_slab_size_kib,omitempty"`
	VdoLogicalKib   *Int                              `json:"vdo_logical_size_kib,omitempty"`
	WithStoragePool *PhysicalStorageStoragePoolCreate `json:"with_storage_pool,omitempty"`
	Sed             *Bool                             `json:"sed,omitempty"`
	PvArguments     []string                          `json:"pv_create_arguments,omitempty"`
	VgArguments     []string                          `json:"vg_create_arguments,omitempty"`
	LvArguments     []string                          `json:"lv_create_arguments,omitempty"`
	ZpoolArguments  []string                          `json:"zpool_create_arguments,omitempty"`
}

// PhysicalStorageStoragePoolCreate is the storage pool to register over it.
type PhysicalStorageStoragePoolCreate struct {
	Name            string `json:"name"`
	Props           Props  `json:"props,omitempty"`
	SharedSpace     string `json:"shared_space,omitempty"`
	ExternalLocking *Bool  `json:"external_locking,omitempty"`
}
