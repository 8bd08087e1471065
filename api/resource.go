package api

// Resource is one replica of a definition, on one node.
type Resource struct {
	Name           string                   `json:"name,omitempty"`
	NodeName       string                   `json:"node_name,omitempty"`
	Props          Props                    `json:"props,omitempty"`
	EffectiveProps map[string]EffectiveProp `json:"effective_props,omitempty"`
	Flags          []string                 `json:"flags,omitempty"`
	LayerObject    *ResourceLayer           `json:"layer_object,omitempty"`
	State          *ResourceState           `json:"state,omitempty"`
	UUID           string                   `json:"uuid,omitempty"`
	// CreateTimestamp is ms.
	CreateTimestamp *Int `json:"create_timestamp,omitempty"`

	Holdfast *Status `json:"holdfast,omitempty"`
}

// ResourceState is what is seen of a resource.
type ResourceState struct {
	// InUse: some program holds the volume (DRBD's primary role); absent when unknown.
	InUse *bool `json:"in_use,omitempty"`
}

// ResourceWithVolumes is an entry of view/resources.
type ResourceWithVolumes struct {
	Resource
	Volumes    []Volume `json:"volumes,omitempty"`
	SharedName string   `json:"shared_name,omitempty"`
}

// ResourceCreate makes a resource on a node.
type ResourceCreate struct {
	Resource         Resource    `json:"resource"`
	LayerList        []LayerType `json:"layer_list,omitempty"`
	DrbdNodeID       *Int        `json:"drbd_node_id,omitempty"`
	DrbdTCPPortCount *Int        `json:"drbd_tcp_port_count,omitempty"`
	DrbdTCPPorts     []Int       `json:"drbd_tcp_ports,omitempty"`
	SnapNames        []string    `json:"snap_names,omitempty"`
	CopyAllSnaps     *Bool       `json:"copy_all_snaps,omitempty"`
	DrbdClient       *Bool       `json:"drbd_client,omitempty"`
}

// ResourceMakeAvailable makes a resource usable on a node, whatever that takes.
type ResourceMakeAvailable struct {
	LayerList    []LayerType `json:"layer_list,omitempty"`
	Diskful      *Bool       `json:"diskful,omitempty"`
	DrbdTCPPorts []Int       `json:"drbd_tcp_ports,omitempty"`
	SnapNames    []string    `json:"snap_names,omitempty"`
	CopyAllSnaps *Bool       `json:"copy_all_snaps,omitempty"`
}

// ResourceModify changes a resource.
type ResourceModify struct {
	PropsModify
	DrbdTiebreaker *Bool `json:"drbd_tiebreaker,omitempty"`
	DrbdClient     *Bool `json:"drbd_client,omitempty"`
}

// Operations of ToggleDiskRequest.
const (
	IntoDrbdDiskful  = "INTO_DRBD_DISKFUL"
	IntoDrbdDiskless = "INTO_DRBD_DISKLESS"
	IntoDrbdClient   = "INTO_DRBD_CLIENT"
)

// ToggleDiskRequest gives a resource a disk or takes it.
type ToggleDiskRequest struct {
	Operation   string      `json:"operation,omitempty"`
	StoragePool string      `json:"storage_pool,omitempty"`
	MigrateFrom string      `json:"migrate_from,omitempty"`
	LayerList   []LayerType `json:"layer_list,omitempty"`
}

// ToggleDiskDiskful is the body of the older toggle-disk routes.
type ToggleDiskDiskful struct {
	LayerList []LayerType `json:"layer_list,omitempty"`
}
