package config

import "time"

// ControllerFile is where the controller's configuration is looked for.
const ControllerFile = "/etc/holdfast/controller.toml"

// Controller is the controller's configuration.
type Controller struct {
	StateDir string  `toml:"state_dir"` // keys; absolute
	REST     REST    `toml:"rest"`
	Store    Store   `toml:"store"`
	Encrypt  Encrypt `toml:"encrypt"`
	Log      Log     `toml:"log"`
}

// Encrypt says how encrypted volumes are unlocked at the start.
type Encrypt struct {
	// Passphrase is the master passphrase; empty: that of systemd's credentials or of the environment, or it is entered.
	Passphrase string `toml:"passphrase"`
}

// REST bounds the API's server.
type REST struct {
	Listen         string   `toml:"listen"`          // IP address and port; without an address: all
	MaxBodyBytes   int64    `toml:"max_body_bytes"`  // of one request; 1 KiB to 1 GiB
	MaxConnections int      `toml:"max_connections"` // at once; 1 to 100,000
	RequestTimeout Duration `toml:"request_timeout"` // until a request is answered; 1 s to 1 h
}

// Store says where the desired objects are kept.
type Store struct {
	Kind string `toml:"kind"` // sqlite, or memory: for trying things out, all is lost at the end
	Path string `toml:"path"` // of the SQLite file; absolute
}

// DefaultController has every default.
func DefaultController() Controller {
	return Controller{
		StateDir: "/var/lib/holdfast",
		REST: REST{
			Listen:         ":3370",
			MaxBodyBytes:   4 << 20,
			MaxConnections: 1024,
			RequestTimeout: Duration{2 * time.Minute}, // above the 60 s that a change waits for its nodes
		},
		Store: Store{Kind: "sqlite", Path: "/var/lib/holdfast/controller.db"},
		Log:   defaultLog(),
	}
}

// LoadController reads the file over the defaults; without the file it is the defaults.
func LoadController(path string) (Controller, error) {
	c := DefaultController()
	err := load(path, &c)
	return c, err
}

// Validate checks what types alone don't.
func (c *Controller) Validate() error {
	return first(
		checkPath("state_dir", c.StateDir),
		checkListen("rest.listen", c.REST.Listen),
		checkInt("rest.max_body_bytes", c.REST.MaxBodyBytes, 1<<10, 1<<30),
		checkInt("rest.max_connections", int64(c.REST.MaxConnections), 1, 100_000),
		checkTime("rest.request_timeout", c.REST.RequestTimeout, time.Second, time.Hour),
		oneOf("store.kind", c.Store.Kind, "sqlite", "memory"),
		checkPath("store.path", c.Store.Path),
		c.Log.validate(),
	)
}
