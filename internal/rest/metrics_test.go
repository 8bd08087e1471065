package rest

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

func TestMetrics(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.b.see(t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		st := good(d.ResourceDefinition, d.On("alpha"))
		st.InUse = true
		tx.SeeResource(d.UUID, st.ID, st)
		o := *tx.Snapshot().Node("bravo").Seen
		o.Status = model.StatusOffline
		tx.SeeNode("bravo", &o)
	})
	runtime.GC()
	rec := w.send("GET", "/metrics", "")
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatal(rec.Code, rec.Header())
	}
	text := rec.Body.String()
	for _, want := range []string{
		`linstor_info{version="0.1.0",gitid="abc"} 1`,
		`linstor_node_state{node="alpha",nodetype="SATELLITE"} 2`,
		`linstor_node_state{node="bravo",nodetype="SATELLITE"} 0`,
		`linstor_resource_definition_count 1`,
		`linstor_resource_definition_resource_count{resource="backups"} 2`,
		`linstor_volume_definition_size_bytes{resource="backups",volume="0"} 5.36870912e+08`,
		`linstor_resource_state{resource="backups",node="alpha"} 1`,
		`linstor_volume_state{resource="backups",node="alpha",volume="0",storage_pool="swpool"} 1`,
		`linstor_volume_allocated_size_bytes{resource="backups",node="alpha",volume="0",storage_pool="swpool"} 5.37919488e+08`,
		`linstor_storage_pool_capacity_free_bytes{storage_pool="swpool",node="alpha",driver="LVM",backing_pool="sw_ssd"} 8.589934592e+09`,
		`linstor_storage_pool_error_count{storage_pool="swpool",node="alpha",driver="LVM",backing_pool="sw_ssd"} 0`,
		`linstor_scrape_requests_count 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
	for _, name := range []string{"go_memstats_heap_inuse_bytes", "go_gc_heap_live_bytes", "go_goroutines"} {
		if !regexp.MustCompile(`(?m)^` + name + ` [1-9]`).MatchString(text) {
			t.Errorf("%s is missing or 0", name)
		}
	}
	// Each line is a comment or a sample, each family has one head before its samples.
	sample := regexp.MustCompile(`^([a-z_]+)(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? -?[0-9.e+-]+$`)
	family := ""
	heads := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family, _, _ = strings.Cut(rest, " ")
			if heads[family] {
				t.Errorf("%s has two heads", family)
			}
			heads[family] = true
		} else if m := sample.FindStringSubmatch(line); !strings.HasPrefix(line, "# HELP ") && (m == nil || m[1] != family) {
			t.Errorf("line %q in family %s", line, family)
		}
	}
	less := w.must(200, "GET", "/metrics?resource=false&storage_pools=false&error_reports=false", "")
	if strings.Contains(less, "linstor_resource_") || strings.Contains(less, "linstor_storage_pool_") || !strings.Contains(less, "linstor_scrape_requests_count 2") {
		t.Error(less)
	}
	if got := (&exposition{}); true {
		got.value("x", 1, "a", "q\"b\\s\nn")
		if got.b.String() != `x{a="q\"b\\s\nn"} 1`+"\n" {
			t.Error(got.b.String())
		}
	}
}

func TestControllerConfig(t *testing.T) {
	b := newCluster(t)
	w := &web{t, b, New(b, Info{Config: Config{Dir: "/etc/holdfast", Level: "info", Store: "sqlite", Path: "/var/lib/holdfast/controller.db", Listen: ":3370"}}, Limits{}, discard())}
	got := get[api.ControllerConfig](t, w.must(200, "GET", "/v1/controller/config", ""))
	if got.HTTP.Port != 3370 || got.HTTP.ListenAddress != "::" || got.DB.ConnectionURL != "sqlite:/var/lib/holdfast/controller.db" || got.Log.Level != "INFO" || got.Config.Dir != "/etc/holdfast" {
		t.Errorf("%+v", got)
	}
}

// Of a satellite the controller knows where it reaches it.
func TestNodeConfig(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	got := get[api.SatelliteConfig](t, w.must(200, "GET", "/v1/nodes/alpha/config", ""))
	n := get[api.Node](t, w.must(200, "GET", "/v1/nodes/alpha", ""))
	if got.Net == nil || got.Net.BindAddress != n.NetInterfaces[0].Address || got.Net.Port != int(*n.NetInterfaces[0].SatellitePort) || got.Net.ComType != "SSL" || got.SpecialSatellite {
		t.Errorf("%+v %+v", got.Net, n.NetInterfaces)
	}
	w.must(404, "GET", "/v1/nodes/nobody/config", "")
}

func TestSpaceReport(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	text := get[api.SpaceReport](t, w.must(200, "GET", "/v1/space-report", "")).Text
	if !strings.Contains(text, "2 storage pools of online nodes: 20971520 KiB in all, 16777216 KiB free, 1056768 KiB in volumes") {
		t.Error(text)
	}
}
