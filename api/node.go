package api

// Node is a machine of the cluster.
type Node struct {
	Name             string           `json:"name"`
	Type             NodeType         `json:"type"`
	Flags            []string         `json:"flags,omitempty"`
	Props            Props            `json:"props,omitempty"`
	NetInterfaces    []NetInterface   `json:"net_interfaces,omitempty"`
	ConnectionStatus ConnectionStatus `json:"connection_status,omitempty"`
	UUID             string           `json:"uuid,omitempty"`
	StorageProviders []ProviderKind   `json:"storage_providers,omitempty"`
	ResourceLayers   []LayerType      `json:"resource_layers,omitempty"`
	// UnsupportedProviders gives the reasons, by provider kind.
	UnsupportedProviders map[ProviderKind][]string `json:"unsupported_providers,omitempty"`
	// UnsupportedLayers gives the reasons, by layer type.
	UnsupportedLayers map[LayerType][]string `json:"unsupported_layers,omitempty"`
	// EvictionTimestamp is when the node will be evicted, in ms.
	EvictionTimestamp int64  `json:"eviction_timestamp,omitempty"`
	Platform          string `json:"platform,omitempty"`
	OsVariant         string `json:"os_variant,omitempty"`

	Holdfast *NodeStatus `json:"holdfast,omitempty"`
}

// NodeModify changes a node.
type NodeModify struct {
	NodeType NodeType `json:"node_type,omitempty"`
	PropsModify
}

// NetInterface is one address of a node. In a request that changes one, the name may be missing: the path has it.
type NetInterface struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	// SatellitePort is the port of the node's satellite, 1-65535; absent where the controller doesn't connect.
	SatellitePort           *Int           `json:"satellite_port,omitempty"`
	SatelliteEncryptionType EncryptionType `json:"satellite_encryption_type,omitempty"`
	// IsActive marks the interface that the controller connects to.
	IsActive *Bool  `json:"is_active,omitempty"`
	UUID     string `json:"uuid,omitempty"`
}

// NodeRestore takes back an eviction or evacuation.
type NodeRestore struct {
	DeleteResources *Bool `json:"delete_resources,omitempty"`
	DeleteSnapshots *Bool `json:"delete_snapshots,omitempty"`
}

// NodeEvacuate chooses where an evacuation may go.
type NodeEvacuate struct {
	Target      []string `json:"target,omitempty"`
	DoNotTarget []string `json:"do_not_target,omitempty"`
}
