package rest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// metrics answers in Prometheus' text format (version 0.0.4) with LINSTOR's names (linstor-features 1.2), from memory.
// The queries resource, storage_pools and error_reports leave a part out when they are false.
func metrics(c *call) error {
	began := time.Now()
	parts := map[string]bool{}
	for _, k := range []string{"resource", "storage_pools", "error_reports"} {
		on, err := c.flag(k, true)
		if err != nil {
			return err
		}
		parts[k] = on
	}
	m := &exposition{}
	m.head("linstor_info", "gauge", "Which program answers; always 1")
	m.value("linstor_info", 1, "version", c.s.info.Version, "gitid", c.s.info.GitHash)
	m.head("linstor_node_state", "gauge", "State of the node: "+nodeStateHelp)
	c.snap.Nodes(func(n *state.Node) bool {
		m.value("linstor_node_state", nodeState(n.Seen.Status), "node", n.Name, "nodetype", string(n.Type))
		return true
	})
	if parts["resource"] {
		resourceMetrics(c, m)
	}
	if parts["storage_pools"] {
		poolMetrics(c, m)
	}
	if parts["error_reports"] {
		m.head("linstor_error_reports_count", "gauge", "Error reports; Holdfast keeps none, a replica's reason is with the replica")
		m.value("linstor_error_reports_count", 0)
	}
	processMetrics(m)
	m.head("linstor_scrape_requests_count", "counter", "How often this was asked for since the start")
	m.value("linstor_scrape_requests_count", float64(c.s.scrapes.Add(1)))
	m.head("linstor_scrape_duration_seconds", "gauge", "How long this answer took")
	m.value("linstor_scrape_duration_seconds", time.Since(began).Seconds())
	c.text("text/plain; version=0.0.4; charset=utf-8", m.b.String())
	return nil
}

// text answers with something that isn't JSON.
func (c *call) text(kind, s string) {
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(s)))
	c.answered = true
	c.w.WriteHeader(c.route.ok)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write([]byte(s))
	}
}

// Numbers of states as LINSTOR's metrics have them.
var nodeStates = []model.ConnectionStatus{model.StatusOffline, model.StatusConnected, model.StatusOnline, model.StatusVersionMismatch,
	"FULL_SYNC_FAILED", model.StatusAuthError, model.StatusUnknown, model.StatusHostname, model.StatusOtherController}

var nodeStateHelp = func() string {
	var w []string
	for i, s := range nodeStates {
		w = append(w, fmt.Sprintf("%d=%s", i, s))
	}
	return strings.Join(w, " ")
}()

func nodeState(s model.ConnectionStatus) float64 {
	for i, x := range nodeStates {
		if x == s {
			return float64(i)
		}
	}
	return nodeState(model.StatusUnknown)
}

var volumeStates = map[string]float64{model.DiskUpToDate: 1, model.DiskCreated: 2, model.DiskDiskless: 4, model.DiskInconsistent: 5, "Failed": 6}

func resourceMetrics(c *call, m *exposition) {
	m.head("linstor_resource_definition_count", "gauge", "Resource definitions")
	m.value("linstor_resource_definition_count", float64(c.snap.DefinitionCount()))
	each := func(fn func(*state.Definition)) {
		c.snap.Definitions(func(d *state.Definition) bool { fn(d); return true })
	}
	m.head("linstor_resource_definition_resource_count", "gauge", "Resources of a definition, those without a disk too")
	each(func(d *state.Definition) {
		n := 0
		for i := range d.Resources {
			if !d.Resources[i].Deleting {
				n++
			}
		}
		m.value("linstor_resource_definition_resource_count", float64(n), "resource", d.Name)
	})
	m.head("linstor_volume_definition_size_bytes", "gauge", "Size of a volume as its user sees it")
	each(func(d *state.Definition) {
		for i := range d.Volumes {
			m.value("linstor_volume_definition_size_bytes", float64(d.Volumes[i].SizeKiB)*1024, "resource", d.Name, "volume", strconv.Itoa(d.Volumes[i].Number))
		}
	})
	m.head("linstor_resource_state", "gauge", "Role of a resource on a node: -1=unknown 0=secondary 1=primary")
	each(func(d *state.Definition) {
		for i := range d.Resources {
			r, v := &d.Resources[i], -1.0
			if st := d.Seen[r.UUID]; st != nil {
				v = 0
				if st.InUse {
					v = 1
				}
			}
			if listed(d, r) {
				m.value("linstor_resource_state", v, "resource", d.Name, "node", r.Node)
			}
		}
	})
	volume := func(name string, value func(*model.VolumeStatus) (float64, bool)) {
		each(func(d *state.Definition) {
			for i := range d.Resources {
				r := &d.Resources[i]
				st := d.Seen[r.UUID]
				if !listed(d, r) {
					continue
				}
				for j := range r.Volumes {
					var seen *model.VolumeStatus
					if st != nil {
						seen = st.Volume(r.Volumes[j].Number)
					}
					if v, ok := value(seen); ok {
						m.value(name, v, "resource", d.Name, "node", r.Node, "volume", strconv.Itoa(r.Volumes[j].Number), "storage_pool", r.Volumes[j].Pool)
					}
				}
			}
		})
	}
	m.head("linstor_volume_state", "gauge", "State of a volume: 0=unknown or another 1=UpToDate 2=Created 4=Diskless 5=Inconsistent 6=Failed")
	volume("linstor_volume_state", func(v *model.VolumeStatus) (float64, bool) {
		if v == nil {
			return 0, true
		}
		return volumeStates[v.Disk], true
	})
	m.head("linstor_volume_allocated_size_bytes", "gauge", "What a volume takes of its storage pool")
	volume("linstor_volume_allocated_size_bytes", func(v *model.VolumeStatus) (float64, bool) {
		if v == nil || v.AllocKiB == 0 {
			return 0, false
		}
		return float64(v.AllocKiB) * 1024, true
	})
}

func poolMetrics(c *call, m *exposition) {
	each := func(name string, value func(model.PoolStatus) float64) {
		c.snap.Nodes(func(n *state.Node) bool {
			for _, st := range n.Seen.Pools {
				if p := n.Pool(st.Name); p != nil && p.UUID == st.UUID {
					m.value(name, value(st), "storage_pool", p.Name, "node", n.Name, "driver", string(p.Kind), "backing_pool", p.Backing())
				}
			}
			return true
		})
	}
	m.head("linstor_storage_pool_capacity_free_bytes", "gauge", "Free space of a storage pool, as last reported")
	each("linstor_storage_pool_capacity_free_bytes", func(st model.PoolStatus) float64 { return float64(st.FreeKiB) * 1024 })
	m.head("linstor_storage_pool_capacity_total_bytes", "gauge", "Size of a storage pool, as last reported")
	each("linstor_storage_pool_capacity_total_bytes", func(st model.PoolStatus) float64 { return float64(st.TotalKiB) * 1024 })
	m.head("linstor_storage_pool_error_count", "gauge", "1 if a storage pool can't be read or used")
	each("linstor_storage_pool_error_count", func(st model.PoolStatus) float64 {
		if st.Reason != "" {
			return 1
		}
		return 0
	})
}

// exposition is Prometheus' text format under way.
type exposition struct{ b strings.Builder }

func (e *exposition) head(name, kind, help string) {
	fmt.Fprintf(&e.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// labelText: a label's value escapes these three.
var labelText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (e *exposition) value(name string, v float64, labels ...string) {
	e.b.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		e.b.WriteByte(sep)
		e.b.WriteString(labels[i] + `="` + labelText.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		e.b.WriteByte('}')
	}
	e.b.WriteString(" " + strconv.FormatFloat(v, 'g', -1, 64) + "\n")
}
