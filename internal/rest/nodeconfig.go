package rest

import (
	"holdfast/api"
)

// nodeConfig is what the controller knows of how a satellite was set up: where it dials it, and how.
func nodeConfig(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	out := api.SatelliteConfig{Debug: &api.ConfigDebug{}}
	if i := n.Dial(); i != nil && n.Type.HasSatellite() {
		out.Net = &api.SatelliteConfigNet{BindAddress: i.Address, Port: i.Port, ComType: "SSL"}
	}
	return c.json(out)
}
