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

// SpaceReport is a text for people.
type SpaceReport struct {
	Text string `json:"reportText"`
}
