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
	// Holdfast says why it failed.
	Holdfast *Status `json:"holdfast,omitempty"`
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

	SnapshotVolumes []SnapshotVolumeNode `json:"snapshot_volumes,omitempty"`
}

// SnapshotVolumeNode is one volume of a snapshot on one node.
type SnapshotVolumeNode struct {
	UUID                string `json:"uuid,omitempty"`
	VlmNr               int    `json:"vlm_nr"`
	SnapshotVolumeProps Props  `json:"snapshot_volume_props,omitempty"`
	VolumeProps         Props  `json:"volume_props,omitempty"`
	// State is the layer's, as LINSTOR's: nothing is said here.
	State string `json:"state,omitempty"`
}

// CreateMultiSnapshotRequest takes snapshots of several resources at the same moment.
type CreateMultiSnapshotRequest struct {
	Snapshots []Snapshot `json:"snapshots"`
}

// SnapshotModify changes a snapshot's properties.
type SnapshotModify struct{ PropsModify }

// SnapshotRestore makes volume definitions, or resources, of another definition from a snapshot.
type SnapshotRestore struct {
	ToResource string   `json:"to_resource"`
	Nodes      []string `json:"nodes,omitempty"`
	// StorPoolRename is pool in the snapshot to pool to restore into.
	StorPoolRename map[string]string `json:"stor_pool_rename,omitempty"`
}

// SnapshotRollback is empty, but for what ZFS is to do.
type SnapshotRollback struct {
	ZfsRollbackStrategy string `json:"zfs_rollback_strategy,omitempty"`
}
