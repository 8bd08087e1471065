package api

// ResourceDefinitionCloneRequest makes a new definition with the data of another.
type ResourceDefinitionCloneRequest struct {
	Name         string `json:"name,omitempty"`
	ExternalName string `json:"external_name,omitempty"`
	// UseZfsClone is LINSTOR's choice between a ZFS clone and a copy.
	UseZfsClone       *Bool       `json:"use_zfs_clone,omitempty"`
	VolumePassphrases []string    `json:"volume_passphrases,omitempty"`
	LayerList         []LayerType `json:"layer_list,omitempty"`
	ResourceGroup     string      `json:"resource_group,omitempty"`
	PropsModify
}

// ResourceDefinitionCloneStarted answers it.
type ResourceDefinitionCloneStarted struct {
	// Location is where the clone's state is found.
	Location   string        `json:"location"`
	SourceName string        `json:"source_name"`
	CloneName  string        `json:"clone_name"`
	Messages   ApiCallRcList `json:"messages,omitempty"`
}

// CloneStatus is LINSTOR's word for where a clone stands.
type CloneStatus string

const (
	CloneComplete CloneStatus = "COMPLETE"
	CloneRunning  CloneStatus = "CLONING"
	CloneFailed   CloneStatus = "FAILED"
)

// ResourceDefinitionCloneStatus is where a clone stands.
type ResourceDefinitionCloneStatus struct {
	Status CloneStatus `json:"status"`
	// Holdfast says why it failed, or what it waits for.
	Holdfast *Status `json:"holdfast,omitempty"`
}
