package api

// ControllerConfig is how the controller that answers was set up. Holdfast fills in what it has.
type ControllerConfig struct {
	Config *ConfigDir     `json:"config,omitempty"`
	Debug  *ConfigDebug   `json:"debug,omitempty"`
	Log    *ConfigLog     `json:"log,omitempty"`
	DB     *ConfigDB      `json:"db,omitempty"`
	HTTP   *ConfigAddress `json:"http,omitempty"`
	HTTPS  *ConfigAddress `json:"https,omitempty"`
	LDAP   *ConfigLDAP    `json:"ldap,omitempty"`
}

// ConfigDir is the folder of the configuration.
type ConfigDir struct {
	Dir string `json:"dir,omitempty"`
}

// ConfigDebug: Holdfast has no debug console.
type ConfigDebug struct {
	ConsoleEnabled bool `json:"console_enabled"`
}

// ConfigLog has levels in LINSTOR's words, upper case.
type ConfigLog struct {
	Level        string `json:"level,omitempty"`
	LevelLinstor string `json:"level_linstor,omitempty"`
}

// ConfigDB names the store.
type ConfigDB struct {
	ConnectionURL string `json:"connection_url,omitempty"`
	InMemory      string `json:"in_memory,omitempty"`
}

// ConfigAddress is where the API listens.
type ConfigAddress struct {
	Enabled       bool   `json:"enabled"`
	ListenAddress string `json:"listen_address,omitempty"`
	Port          int    `json:"port,omitempty"`
}

// ConfigLDAP: Holdfast has no LDAP.
type ConfigLDAP struct {
	Enabled bool `json:"enabled"`
}

// SatelliteConfig is how a node's satellite was set up, as far as the controller knows.
type SatelliteConfig struct {
	Debug *ConfigDebug        `json:"debug,omitempty"`
	Net   *SatelliteConfigNet `json:"net,omitempty"`
	// RemoteSPDK, EBS and SpecialSatellite: Holdfast has no such satellites.
	RemoteSPDK       bool `json:"remote_spdk"`
	EBS              bool `json:"ebs"`
	SpecialSatellite bool `json:"special_satellite"`
}

// SatelliteConfigNet is where the controller reaches it; ComType is always SSL.
type SatelliteConfigNet struct {
	BindAddress string `json:"bind_address,omitempty"`
	Port        int    `json:"port,omitempty"`
	ComType     string `json:"com_type,omitempty"`
}

// SpaceReport is a text for people.
type SpaceReport struct {
	Text string `json:"reportText"`
}
