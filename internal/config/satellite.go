package config

import (
	"errors"
	"os"
	"strings"
)

// SatelliteFile is where the satellite's configuration is looked for.
const SatelliteFile = "/etc/holdfast/satellite.toml"

// Satellite is a satellite's configuration.
type Satellite struct {
	Listen        string `toml:"listen"`          // IP address and port for the controller; without an address: all
	StateDir      string `toml:"state_dir"`       // keys, and the last desired state; absolute
	NodeName      string `toml:"node_name"`       // what DRBD calls this machine; empty: its host name (uname -n)
	DRBDConfigDir string `toml:"drbd_config_dir"` // where the resources' DRBD configuration is written; absolute
	Log           Log    `toml:"log"`
}

// DefaultSatellite has every default.
func DefaultSatellite() Satellite {
	return Satellite{
		Listen:        ":3366",
		StateDir:      "/var/lib/holdfast",
		DRBDConfigDir: "/var/lib/holdfast.d",
		Log:           defaultLog(),
	}
}

// LoadSatellite reads the file over the defaults; without the file it is the defaults.
func LoadSatellite(path string) (Satellite, error) {
	c := DefaultSatellite()
	err := load(path, &c)
	return c, err
}

// Validate checks what types alone don't.
func (c *Satellite) Validate() error {
	var name error
	if strings.ContainsAny(c.NodeName, " \t\r\n/\"'\\{};#") || len(c.NodeName) > 64 { // 64: the kernel's limit, uname(2)
		name = invalid("node_name", "'%s' is not a host name", c.NodeName)
	}
	return first(
		checkListen("listen", c.Listen),
		checkPath("state_dir", c.StateDir),
		name,
		checkPath("drbd_config_dir", c.DRBDConfigDir),
		c.Log.validate(),
	)
}

// Name is the node's name: the one set, or the host's.
func (c *Satellite) Name() (string, error) {
	if c.NodeName != "" {
		return c.NodeName, nil
	}
	name, err := os.Hostname()
	if err == nil && name == "" {
		err = errors.New("this machine has no host name; set node_name")
	}
	return name, err
}
