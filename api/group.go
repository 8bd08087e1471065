package api

// ResourceGroup is a template for resource definitions.
type ResourceGroup struct {
	Name         string            `json:"name,omitempty"`
	Description  string            `json:"description,omitempty"`
	Props        Props             `json:"props,omitempty"`
	SelectFilter *AutoSelectFilter `json:"select_filter,omitempty"`
	UUID         string            `json:"uuid,omitempty"`
	PeerSlots    *Int              `json:"peer_slots,omitempty"`
}

// ResourceGroupModify changes a resource group.
type ResourceGroupModify struct {
	Description *string `json:"description,omitempty"`
	PropsModify
	SelectFilter *AutoSelectFilter `json:"select_filter,omitempty"`
	PeerSlots    *Int              `json:"peer_slots,omitempty"`
	SnapNames    []string          `json:"snap_names,omitempty"`
	CopyAllSnaps *Bool             `json:"copy_all_snaps,omitempty"`
}

// ResourceGroupSpawn makes a resource definition with its volumes and resources from a group.
type ResourceGroupSpawn struct {
	ResourceDefinitionName         string `json:"resource_definition_name,omitempty"`
	ResourceDefinitionExternalName string `json:"resource_definition_external_name,omitempty"`
	// VolumeSizes are KiB.
	VolumeSizes             []Int             `json:"volume_sizes,omitempty"`
	SelectFilter            *AutoSelectFilter `json:"select_filter,omitempty"`
	Partial                 *Bool             `json:"partial,omitempty"`
	DefinitionsOnly         *Bool             `json:"definitions_only,omitempty"`
	PeerSlots               *Int              `json:"peer_slots,omitempty"`
	VolumePassphrases       []string          `json:"volume_passphrases,omitempty"`
	ResourceDefinitionProps Props             `json:"resource_definition_props,omitempty"`
}

// ResourceGroupAdjust runs the placement of a group again.
type ResourceGroupAdjust struct {
	SelectFilter *AutoSelectFilter `json:"select_filter,omitempty"`
	SnapNames    []string          `json:"snap_names,omitempty"`
	CopyAllSnaps *Bool             `json:"copy_all_snaps,omitempty"`
}

// VolumeGroup is a template for a volume definition.
type VolumeGroup struct {
	// VolumeNumber is 0-65534. In a create request, absent means the lowest free number.
	VolumeNumber *Int     `json:"volume_number,omitempty"`
	Props        Props    `json:"props,omitempty"`
	UUID         string   `json:"uuid,omitempty"`
	Flags        []string `json:"flags,omitempty"`
}

// VolumeGroupModify changes a volume group.
type VolumeGroupModify struct {
	PropsModify
	Flags []string `json:"flags,omitempty"`
}
