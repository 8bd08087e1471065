package api

// ResourceLayer is a device layer of a resource with the layers below it. Exactly the field of its type is set.
type ResourceLayer struct {
	Children           []ResourceLayer     `json:"children,omitempty"`
	ResourceNameSuffix string              `json:"resource_name_suffix"`
	Type               LayerType           `json:"type"`
	Drbd               *DrbdResource       `json:"drbd,omitempty"`
	Luks               *LUKSResource       `json:"luks,omitempty"`
	Storage            *StorageResource    `json:"storage,omitempty"`
	Nvme               *NVMEResource       `json:"nvme,omitempty"`
	Writecache         *WritecacheResource `json:"writecache,omitempty"`
	Cache              *CacheResource      `json:"cache,omitempty"`
	Bcache             *BCacheResource     `json:"bcache,omitempty"`
}

// DrbdResource is DRBD's part of a resource.
type DrbdResource struct {
	DrbdResourceDefinition *DrbdResourceDefinition `json:"drbd_resource_definition,omitempty"`
	// NodeID is 0-31.
	NodeID    *Int  `json:"node_id,omitempty"`
	TCPPorts  []int `json:"tcp_ports,omitempty"`
	PeerSlots int   `json:"peer_slots,omitempty"`
	AlStripes int64 `json:"al_stripes,omitempty"`
	// AlSize is the size of one stripe in KiB.
	AlSize      int64                     `json:"al_size,omitempty"`
	Flags       []string                  `json:"flags,omitempty"`
	DrbdVolumes []DrbdVolume              `json:"drbd_volumes,omitempty"`
	Connections map[string]DrbdConnection `json:"connections,omitempty"`
	// PromotionScore and MayPromote are DRBD 9's.
	PromotionScore int   `json:"promotion_score,omitempty"`
	MayPromote     *bool `json:"may_promote,omitempty"`
}

// DrbdConnection is the link to one peer. Message is DRBD's word for the connection state.
type DrbdConnection struct {
	Connected bool   `json:"connected"`
	Message   string `json:"message,omitempty"`
}

// DrbdVolume is DRBD's part of a volume.
type DrbdVolume struct {
	DrbdVolumeDefinition *DrbdVolumeDefinition `json:"drbd_volume_definition,omitempty"`
	DevicePath           string                `json:"device_path,omitempty"`
	BackingDevice        string                `json:"backing_device,omitempty"`
	MetaDisk             string                `json:"meta_disk,omitempty"`
	AllocatedSizeKib     int64                 `json:"allocated_size_kib"`
	UsableSizeKib        int64                 `json:"usable_size_kib"`
	DiskState            string                `json:"disk_state,omitempty"`
	ExtMetaStorPool      string                `json:"ext_meta_stor_pool,omitempty"`
}

// StorageResource is the storage pool's part of a resource.
type StorageResource struct {
	StorageVolumes []StorageVolume `json:"storage_volumes,omitempty"`
}

// LayerVolume is a volume of a layer above the storage.
type LayerVolume struct {
	VolumeNumber     int    `json:"volume_number"`
	DevicePath       string `json:"device_path,omitempty"`
	BackingDevice    string `json:"backing_device,omitempty"`
	DevicePathCache  string `json:"device_path_cache,omitempty"`
	DeviceMetaCache  string `json:"device_meta_cache,omitempty"`
	AllocatedSizeKib int64  `json:"allocated_size_kib"`
	UsableSizeKib    int64  `json:"usable_size_kib"`
	DiskState        string `json:"disk_state,omitempty"`
}

// StorageVolume is the storage pool's part of a volume.
type StorageVolume struct {
	VolumeNumber     int    `json:"volume_number"`
	DevicePath       string `json:"device_path,omitempty"`
	AllocatedSizeKib int64  `json:"allocated_size_kib"`
	UsableSizeKib    int64  `json:"usable_size_kib"`
	DiskState        string `json:"disk_state,omitempty"`
}

// LUKSResource is the encryption layer's part of a resource.
type LUKSResource struct {
	LuksVolumes []LUKSVolume `json:"luks_volumes,omitempty"`
}

// LUKSVolume is the encryption layer's part of a volume.
type LUKSVolume struct {
	LayerVolume
	Opened       bool  `json:"opened"`
	CorruptedKey *bool `json:"corrupted_key,omitempty"`
}

// NVMEResource is the NVMe layer's part of a resource.
type NVMEResource struct {
	NvmeVolumes []LayerVolume `json:"nvme_volumes,omitempty"`
}

// WritecacheResource is the dm-writecache layer's part of a resource.
type WritecacheResource struct {
	WritecacheVolumes []LayerVolume `json:"writecache_volumes,omitempty"`
}

// CacheResource is the dm-cache layer's part of a resource.
type CacheResource struct {
	CacheVolumes []LayerVolume `json:"cache_volumes,omitempty"`
}

// BCacheResource is the bcache layer's part of a resource.
type BCacheResource struct {
	BcacheVolumes []LayerVolume `json:"bcache_volumes,omitempty"`
}
