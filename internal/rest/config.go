package rest

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Config is the part of the controller's configuration that is shown; no secrets.
type Config struct {
	Dir    string // of the configuration file
	Level  string // of the log: debug, info, warn, error
	Store  string // sqlite or memory
	Path   string // of the SQLite file
	Listen string // address:port of this API
}

func controllerConfig(c *call) error {
	f := c.s.info.Config
	host, port, _ := net.SplitHostPort(f.Listen)
	if host == "" {
		host = "::"
	}
	n, _ := strconv.Atoi(port)
	level := strings.ToUpper(f.Level)
	db := &api.ConfigDB{ConnectionURL: f.Store + ":" + f.Path}
	if f.Store == "memory" {
		db = &api.ConfigDB{ConnectionURL: "memory", InMemory: "memory"}
	}
	return c.json(api.ControllerConfig{Config: &api.ConfigDir{Dir: f.Dir}, Debug: &api.ConfigDebug{}, Log: &api.ConfigLog{Level: level, LevelLinstor: level},
		DB: db, HTTP: &api.ConfigAddress{Enabled: true, ListenAddress: host, Port: n}, HTTPS: &api.ConfigAddress{}, LDAP: &api.ConfigLDAP{}})
}

// spaceReport sums up, in words, what the storage pools have and what is promised in them.
func spaceReport(c *call) error {
	var b strings.Builder
	var total, free, desired int64
	pools := 0
	fmt.Fprintf(&b, "%-32s %-24s %-10s %16s %16s %16s\n", "Node", "Storage pool", "Driver", "Total KiB", "Free KiB", "Volumes KiB")
	taken := map[model.UUID]int64{}
	c.snap.Nodes(func(n *state.Node) bool {
		c.snap.OnNode(n.Name, func(d *state.Definition) bool {
			for i := range d.Resources {
				r := &d.Resources[i]
				if model.Key(r.Node) != model.Key(n.Name) {
					continue
				}
				for _, v := range r.Volumes {
					if p, vd := n.Pool(v.Pool), d.Volume(v.Number); p != nil && vd != nil {
						taken[p.UUID] += d.Backing(vd)
					}
				}
			}
			return true
		})
		for _, st := range n.Seen.Pools {
			p := n.Pool(st.Name)
			if p == nil || p.UUID != st.UUID {
				continue
			}
			fmt.Fprintf(&b, "%-32s %-24s %-10s %16d %16d %16d\n", n.Name, p.Name, p.Kind, st.TotalKiB, st.FreeKiB, taken[p.UUID])
			pools++
			total, free, desired = total+st.TotalKiB, free+st.FreeKiB, desired+taken[p.UUID]
		}
		return true
	})
	fmt.Fprintf(&b, "\n%d storage pools of online nodes: %d KiB in all, %d KiB free, %d KiB in volumes as they are desired.\n", pools, total, free, desired)
	return c.json(api.SpaceReport{Text: b.String()})
}
