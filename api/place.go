package api

// AutoSelectFilter says where replicas may go. Absent fields fall back to the resource group's. In a request an empty list is
// not the same as an absent one: it removes what was set, so lists are left out only when nil; a server gives nil for empty.
type AutoSelectFilter struct {
	PlaceCount              *Int     `json:"place_count,omitempty"`
	AdditionalPlaceCount    *Int     `json:"additional_place_count,omitempty"`
	NodeNameList            []string `json:"node_name_list,omitzero"`
	StoragePool             string   `json:"storage_pool,omitempty"`
	StoragePoolList         []string `json:"storage_pool_list,omitzero"`
	StoragePoolDisklessList []string `json:"storage_pool_diskless_list,omitzero"`
	NotPlaceWithRsc         []string `json:"not_place_with_rsc,omitzero"`
	NotPlaceWithRscRegex    string   `json:"not_place_with_rsc_regex,omitempty"`
	// ReplicasOnSame and ReplicasOnDifferent hold "key" or "key=value" of node properties.
	ReplicasOnSame      []string `json:"replicas_on_same,omitzero"`
	ReplicasOnDifferent []string `json:"replicas_on_different,omitzero"`
	// XReplicasOnDifferentMap gives the replicas per distinct value, by property key.
	XReplicasOnDifferentMap map[string]Int `json:"x_replicas_on_different_map,omitzero"`
	// XReplicasOnDifferent is the same by another name, which the Python client uses where it asks for the largest volume.
	XReplicasOnDifferent map[string]Int `json:"x_replicas_on_different,omitzero"`
	LayerStack           []LayerType    `json:"layer_stack,omitzero"`
	ProviderList         []ProviderKind `json:"provider_list,omitzero"`
	DisklessOnRemaining  *Bool          `json:"diskless_on_remaining,omitempty"`
	// DisklessType places diskless replicas instead: DRBD_DISKLESS or NVME_INITIATOR.
	DisklessType  string   `json:"diskless_type,omitempty"`
	Overprovision *float64 `json:"overprovision,omitempty"`
	PortCount     *Int     `json:"port_count,omitempty"`
}

// AutoPlaceRequest places replicas of a definition.
type AutoPlaceRequest struct {
	DisklessOnRemaining *Bool            `json:"diskless_on_remaining,omitempty"`
	SelectFilter        AutoSelectFilter `json:"select_filter"`
	LayerList           []LayerType      `json:"layer_list,omitempty"`
	SnapNames           []string         `json:"snap_names,omitempty"`
	CopyAllSnaps        *Bool            `json:"copy_all_snaps,omitempty"`
}

// Candidate is a set of pools that could take a volume.
type Candidate struct {
	StoragePool      string   `json:"storage_pool"`
	MaxVolumeSizeKib int64    `json:"max_volume_size_kib"`
	NodeNames        []string `json:"node_names,omitempty"`
	AllThin          bool     `json:"all_thin"`
}

// MaxVolumeSizes answers the query for the largest possible volume.
type MaxVolumeSizes struct {
	Candidates                      []Candidate `json:"candidates,omitempty"`
	DefaultMaxOversubscriptionRatio float64     `json:"default_max_oversubscription_ratio"`
}

// QuerySizeInfoRequest asks how much more a resource group could hold.
type QuerySizeInfoRequest struct {
	SelectFilter *AutoSelectFilter `json:"select_filter,omitempty"`
	// IgnoreCacheOlderThanSec is taken and has no effect: the figures are those that the nodes reported last.
	IgnoreCacheOlderThanSec *Int `json:"ignore_cache_older_than_sec,omitempty"`
}

// QuerySizeInfoResponse answers for one resource group.
type QuerySizeInfoResponse struct {
	SpaceInfo *QuerySizeInfoSpaceInfo `json:"space_info,omitempty"`
	Reports   ApiCallRcList           `json:"reports,omitempty"`
}

// QueryAllSizeInfoResponse answers for all of them, by name.
type QueryAllSizeInfoResponse struct {
	Result  map[string]QuerySizeInfoResponse `json:"result"`
	Reports ApiCallRcList                    `json:"reports,omitempty"`
}

// QuerySizeInfoSpaceInfo are sizes in KiB of volumes as their users see them, and the ratios of thin pools.
type QuerySizeInfoSpaceInfo struct {
	MaxVolumeSizeKib                 int64                      `json:"max_vlm_size_in_kib"`
	AvailableSizeKib                 int64                      `json:"available_size_in_kib"`
	CapacityKib                      int64                      `json:"capacity_in_kib"`
	DefaultMaxOversubscriptionRatio  float64                    `json:"default_max_oversubscription_ratio"`
	MaxOversubscriptionRatio         float64                    `json:"max_oversubscription_ratio"`
	MaxFreeCapacityOversubscription  float64                    `json:"max_free_capacity_oversubscription_ratio"`
	MaxTotalCapacityOversubscription float64                    `json:"max_total_capacity_oversubscription_ratio"`
	NextSpawnResult                  []QuerySizeInfoSpawnResult `json:"next_spawn_result"`
}

// QuerySizeInfoSpawnResult is a pool that the next placement takes.
type QuerySizeInfoSpawnResult struct {
	NodeName                      string  `json:"node_name"`
	StorPoolName                  string  `json:"stor_pool_name"`
	OversubscriptionRatio         float64 `json:"stor_pool_oversubscription_ratio"`
	FreeCapacityOversubscription  float64 `json:"stor_pool_free_capacity_oversubscription_ratio"`
	TotalCapacityOversubscription float64 `json:"stor_pool_total_capacity_oversubscription_ratio"`
}
