package api

import (
	"encoding/json"
	"fmt"
)

// ResourceDefinition is what all replicas of a resource share.
type ResourceDefinition struct {
	Name              string                    `json:"name,omitempty"`
	ExternalName      string                    `json:"external_name,omitempty"`
	Props             Props                     `json:"props,omitempty"`
	Flags             []string                  `json:"flags,omitempty"`
	LayerData         []ResourceDefinitionLayer `json:"layer_data,omitempty"`
	UUID              string                    `json:"uuid,omitempty"`
	ResourceGroupName string                    `json:"resource_group_name,omitempty"`
	VolumeDefinitions []VolumeDefinition        `json:"volume_definitions,omitempty"`

	Holdfast *Status `json:"holdfast,omitempty"`
}

// ResourceDefinitionCreate makes a resource definition.
type ResourceDefinitionCreate struct {
	DrbdPort           *Int               `json:"drbd_port,omitempty"`
	DrbdSecret         string             `json:"drbd_secret,omitempty"`
	DrbdPeerSlots      *Int               `json:"drbd_peer_slots,omitempty"`
	DrbdTransportType  string             `json:"drbd_transport_type,omitempty"`
	ResourceDefinition ResourceDefinition `json:"resource_definition"`
}

// ResourceDefinitionModify changes a resource definition.
type ResourceDefinitionModify struct {
	PropsModify
	DrbdPort      *Int        `json:"drbd_port,omitempty"`
	DrbdPeerSlots *Int        `json:"drbd_peer_slots,omitempty"`
	LayerStack    []LayerType `json:"layer_stack,omitempty"`
	ResourceGroup string      `json:"resource_group,omitempty"`
}

// ResourceDefinitionSyncStatus tells whether every diskful replica is UpToDate.
type ResourceDefinitionSyncStatus struct {
	SyncedOnAll bool `json:"synced_on_all"`
}

// ResourceDefinitionLayer is one layer of a definition. Data is *DrbdResourceDefinition for DRBD, nil for the others.
type ResourceDefinitionLayer struct {
	Type LayerType `json:"type"`
	Data any       `json:"data,omitempty"`
}

// UnmarshalJSON picks the type of Data by the layer's type.
func (l *ResourceDefinitionLayer) UnmarshalJSON(b []byte) error {
	var err error
	l.Type, l.Data, err = layerData(b, func(t LayerType) any {
		if t == LayerDRBD {
			return new(DrbdResourceDefinition)
		}
		return nil
	})
	return err
}

// DrbdResourceDefinition is DRBD's part of a resource definition.
type DrbdResourceDefinition struct {
	ResourceNameSuffix string `json:"resource_name_suffix,omitempty"`
	PeerSlots          int    `json:"peer_slots,omitempty"`
	AlStripes          int64  `json:"al_stripes,omitempty"`
	AlStripeSizeKib    int64  `json:"al_stripe_size_kib,omitempty"`
	// Port is the TCP port of the definition; newer servers give ports per resource.
	Port          int    `json:"port,omitempty"`
	TransportType string `json:"transport_type,omitempty"`
	Secret        string `json:"secret,omitempty"`
	Down          bool   `json:"down,omitempty"`
}

// VolumeDefinition is what all replicas of a volume share.
type VolumeDefinition struct {
	// VolumeNumber is 0-65534. In a create request, absent means the lowest free number.
	VolumeNumber *Int `json:"volume_number,omitempty"`
	// SizeKib is the usable size in KiB, or with the flag GROSS_SIZE the size with DRBD's metadata.
	SizeKib   Int                     `json:"size_kib"`
	Props     Props                   `json:"props,omitempty"`
	Flags     []string                `json:"flags,omitempty"`
	LayerData []VolumeDefinitionLayer `json:"layer_data,omitempty"`
	UUID      string                  `json:"uuid,omitempty"`
}

// VolumeDefinitionCreate makes a volume definition.
type VolumeDefinitionCreate struct {
	VolumeDefinition VolumeDefinition `json:"volume_definition"`
	DrbdMinorNumber  *Int             `json:"drbd_minor_number,omitempty"`
	Passphrase       string           `json:"passphrase,omitempty"`
}

// VolumeDefinitionModify changes a volume definition.
type VolumeDefinitionModify struct {
	SizeKib *Int `json:"size_kib,omitempty"`
	PropsModify
	Flags []string `json:"flags,omitempty"`
}

// VolumeDefinitionLayer is one layer of a volume definition. Data is *DrbdVolumeDefinition for DRBD, nil for the others.
type VolumeDefinitionLayer struct {
	Type LayerType `json:"type"`
	Data any       `json:"data,omitempty"`
}

// UnmarshalJSON picks the type of Data by the layer's type.
func (l *VolumeDefinitionLayer) UnmarshalJSON(b []byte) error {
	var err error
	l.Type, l.Data, err = layerData(b, func(t LayerType) any {
		if t == LayerDRBD {
			return new(DrbdVolumeDefinition)
		}
		return nil
	})
	return err
}

// DrbdVolumeDefinition is DRBD's part of a volume definition.
type DrbdVolumeDefinition struct {
	ResourceNameSuffix string `json:"resource_name_suffix"`
	VolumeNumber       int    `json:"volume_number"`
	MinorNumber        int    `json:"minor_number"`
}

// layerData reads {type, data}; pick returns a pointer to fill, or nil to drop the data.
func layerData(b []byte, pick func(LayerType) any) (LayerType, any, error) {
	var raw struct {
		Type LayerType       `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return "", nil, err
	}
	if len(raw.Data) == 0 || string(raw.Data) == "null" {
		return raw.Type, nil, nil
	}
	data := pick(raw.Type)
	if data == nil {
		return raw.Type, nil, nil
	}
	if err := json.Unmarshal(raw.Data, data); err != nil {
		return "", nil, fmt.Errorf("layer %s: %w", raw.Type, err)
	}
	return raw.Type, data, nil
}
