package api

// Snapshot is a point-in-time copy of a resource.
type Snapshot struct {
	Name                    string                     `json:"name,omitempty"`
	ResourceName            string                     `json:"resource_name,omitempty"`
	Nodes                   []string                   `json:"nodes,omitempty"`
	Props                   Props                      `json:"props,omitempty"`
	SnapshotDefinitionProps Props                      `json:"snapshot_definition_props,omitempty"`
	ResourceDefinitionProps Props                      `json:"resource_definition_props,omitempty"`
	Flags                   []string                   `json:"flags,omitempty"`
	VolumeDefinitions       []SnapshotVolumeDefinition `json:"volume_definitions,omitempty"`
	UUID                    string                     `json:"uuid,omitempty"`
	Snapshots               []SnapshotNode             `json:"snapshots,omitempty"`
}

// SnapshotVolumeDefinition is one volume of a snapshot.
type SnapshotVolumeDefinition struct {
	VolumeNumber                  int   `json:"volume_number"`
	SizeKib                       int64 `json:"size_kib"`
	SnapshotVolumeDefinitionProps Props `json:"snapshot_volume_definition_props,omitempty"`
	VolumeDefinitionProps         Props `json:"volume_definition_props,omitempty"`
}

// SnapshotNode is a snapshot on one node.
type SnapshotNode struct {
	SnapshotName string `json:"snapshot_name,omitempty"`
	NodeName     string `json:"node_name,omitempty"`
	// CreateTimestamp is ms.
	CreateTimestamp int64    `json:"create_timestamp,omitempty"`
	Flags           []string `json:"flags,omitempty"`
	UUID            string   `json:"uuid,omitempty"`
	SnapshotProps   Props    `json:"snapshot_props,omitempty"`
	ResourceProps   Props    `json:"resource_props,omitempty"`
}
