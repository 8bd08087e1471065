package api

// StoragePool is a place for volumes on one node.
type StoragePool struct {
	StoragePoolName string       `json:"storage_pool_name"`
	NodeName        string       `json:"node_name,omitempty"`
	ProviderKind    ProviderKind `json:"provider_kind"`
	Props           Props        `json:"props,omitempty"`
	// StaticTraits: SupportsSnapshots, Provisioning ("Fat" or "Thin"), AllocationUnit (KiB).
	StaticTraits map[string]string `json:"static_traits,omitempty"`
	// FreeCapacity and TotalCapacity are KiB; absent when unknown. A diskless pool reports the highest int64.
	FreeCapacity  *int64 `json:"free_capacity,omitempty"`
	TotalCapacity *int64 `json:"total_capacity,omitempty"`
	// FreeSpaceMgrName is "<node>:<pool>" as in older LINSTOR (newer has ";"; with ":" the Python command line shows no shared
	// name), or the name of a space that several nodes share. Required on output: without it the Python client's table fails.
	// A request names a shared space here.
	FreeSpaceMgrName  string      `json:"free_space_mgr_name,omitempty"`
	UUID              string      `json:"uuid,omitempty"`
	Reports           []ApiCallRc `json:"reports,omitempty"`
	SupportsSnapshots Bool        `json:"supports_snapshots"`
	SharedSpace       string      `json:"shared_space,omitempty"`
	ExternalLocking   Bool        `json:"external_locking"`

	Holdfast *Status `json:"holdfast,omitempty"`
}

// StoragePoolModify changes a storage pool.
type StoragePoolModify struct{ PropsModify }

// StoragePoolDefinition is the name that pools on several nodes share.
type StoragePoolDefinition struct {
	StoragePoolName string `json:"storage_pool_name"`
	Props           Props  `json:"props,omitempty"`
}

// StoragePoolDefinitionModify changes a storage pool definition.
type StoragePoolDefinitionModify struct{ PropsModify }
