package api

// Volume is one replica of a volume definition.
type Volume struct {
	VolumeNumber     int           `json:"volume_number"`
	StoragePoolName  string        `json:"storage_pool_name,omitempty"`
	ProviderKind     ProviderKind  `json:"provider_kind,omitempty"`
	DevicePath       string        `json:"device_path,omitempty"`
	AllocatedSizeKib *int64        `json:"allocated_size_kib,omitempty"`
	UsableSizeKib    *int64        `json:"usable_size_kib,omitempty"`
	Props            Props         `json:"props,omitempty"`
	Flags            []string      `json:"flags,omitempty"`
	State            *VolumeState  `json:"state,omitempty"`
	LayerDataList    []VolumeLayer `json:"layer_data_list,omitempty"`
	UUID             string        `json:"uuid,omitempty"`
	Reports          []ApiCallRc   `json:"reports,omitempty"`

	Holdfast *Status `json:"holdfast,omitempty"`
}

// VolumeState is what is seen of a volume.
type VolumeState struct {
	DiskState string `json:"disk_state,omitempty"`
	// ReplicationStates is by peer node.
	ReplicationStates map[string]ReplicationState `json:"replication_states,omitempty"`
}

// ReplicationState is the state towards one peer.
type ReplicationState struct {
	// ReplicationState is DRBD's word: Established, SyncSource, SyncTarget, ...
	ReplicationState string `json:"replication_state,omitempty"`
	// DonePercentage is 0-100, present while a sync runs.
	DonePercentage *float64 `json:"done_percentage,omitempty"`

	Holdfast *SyncStatus `json:"holdfast,omitempty"`
}

// VolumeModify changes a volume.
type VolumeModify struct{ PropsModify }

// VolumeLayer is one layer of a volume. Data is *DrbdVolume for DRBD, *StorageVolume for STORAGE, *LUKSVolume for LUKS,
// *LayerVolume for the others.
type VolumeLayer struct {
	Type LayerType `json:"type"`
	Data any       `json:"data,omitempty"`
}

// UnmarshalJSON picks the type of Data by the layer's type.
func (l *VolumeLayer) UnmarshalJSON(b []byte) error {
	var err error
	l.Type, l.Data, err = layerData(b, func(t LayerType) any {
		switch t {
		case LayerDRBD:
			return new(DrbdVolume)
		case LayerStorage:
			return new(StorageVolume)
		case LayerLUKS:
			return new(LUKSVolume)
		default:
			return new(LayerVolume)
		}
	})
	return err
}
