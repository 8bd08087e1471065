package api

// PropsModify is the part that every modify request shares: first delete, then override.
type PropsModify struct {
	OverrideProps    Props    `json:"override_props,omitempty"`
	DeleteProps      []string `json:"delete_props,omitempty"`
	DeleteNamespaces []string `json:"delete_namespaces,omitempty"`
}

// ControllerPropsModify changes the controller's properties.
type ControllerPropsModify struct{ PropsModify }

// PropsInfo describes a property key.
type PropsInfo struct {
	Info     string `json:"info,omitempty"`
	PropType string `json:"prop_type,omitempty"`
	Value    string `json:"value,omitempty"`
	Dflt     string `json:"dflt,omitempty"`
	Unit     string `json:"unit,omitempty"`
}

// EffectiveProp is a property with the object it comes from, and the ones it hides.
type EffectiveProp struct {
	Type  string          `json:"type"`
	Value string          `json:"value"`
	Descr string          `json:"descr,omitempty"`
	Other []EffectiveProp `json:"other,omitempty"`
}

// KeyValueStore is a named map that LINSTOR keeps for clients.
type KeyValueStore struct {
	Name  string `json:"name"`
	Props Props  `json:"props,omitempty"`
}

// KeyValueStoreModify changes a key-value store, and makes it if it is missing.
type KeyValueStoreModify struct{ PropsModify }
