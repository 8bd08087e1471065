package rest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares JSON, indented, with testdata/<name>.json.
func golden(t *testing.T, name, got string) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(got), "", "  "); err != nil {
		t.Fatalf("%s: %v: %s", name, err, got)
	}
	b.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s (run with -update if this is meant):\n%s", name, d)
	}
}

// Every kind of object as JSON, on a cluster that the API itself made.
func TestGolden(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/nodes", `{"name":"charlie","type":"Auxiliary","net_interfaces":[{"name":"default","address":"fd00::3"}],"props":{"Aux/site":"a"}}`)
	w.must(201, "POST", "/v1/nodes", `{"name":"delta","net_interfaces":[{"name":"default","address":"10.77.0.4"}],"holdfast":{"fingerprint":"ab:cd"}}`)
	w.must(201, "POST", "/v1/resource-groups", `{"name":"fast","description":"x","props":{"Aux/a":1},"select_filter":{"place_count":"2","storage_pool":"swpool","replicas_on_same":["Aux/site"],"layer_stack":["drbd","storage"],"diskless_on_remaining":false}}`)
	w.must(201, "POST", "/v1/resource-groups/fast/volume-groups", `{"flags":["GROSS_SIZE"]}`)
	w.must(200, "PUT", "/v1/key-value-store/csi", `{"override_props":{"a/b":"c"}}`)
	w.must(201, "POST", "/v1/controller/properties", `{"override_props":{"Aux/x":"y"}}`)

	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"plain","layer_data":[{"type":"STORAGE"}]}}`)
	w.must(201, "POST", "/v1/resource-definitions/plain/volume-definitions", `{"volume_definition":{"size_kib":8192,"flags":["GROSS_SIZE"]}}`)
	w.must(201, "POST", "/v1/resource-definitions/plain/resources", `[{"resource":{"node_name":"alpha"}}]`)

	// A first sync that runs, a node that goes away, one replica that goes while another comes.
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"sync"},"drbd_secret":"s3cret"}`)
	w.must(201, "POST", "/v1/resource-definitions/sync/volume-definitions", `{"volume_definition":{"volume_number":1,"size_kib":8192}}`)
	w.must(201, "POST", "/v1/resource-definitions/sync/resources", `[{"resource":{"node_name":"alpha","props":{"StorPoolName":"swpool"}}},{"resource":{"node_name":"bravo"}},{"resource":{"node_name":"delta","flags":["DRBD_DISKLESS"]}}]`)
	w.b.see(t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("sync")
		st := good(d.ResourceDefinition, d.On("bravo"))
		st.Volumes[0].Disk = model.DiskInconsistent
		st.Peers[0].Volumes[0] = model.PeerVolumeStatus{Number: 1, Replication: "SyncTarget", PeerDisk: "UpToDate", OutOfSyncKiB: 4096, DonePercent: 50}
		st.Peers[1].State, st.Peers[1].Volumes = "Connecting", nil
		tx.SeeResource(d.UUID, st.ID, st)
	})

	for _, c := range []struct{ name, path string }{
		{"version", "/v1/controller/version"},
		{"nodes", "/v1/nodes"},
		{"node", "/v1/nodes/ALPHA"},
		{"net-interfaces", "/v1/nodes/alpha/net-interfaces"},
		{"storage-pools", "/v1/view/storage-pools"},
		{"storage-pool", "/v1/nodes/alpha/storage-pools/swpool"},
		{"storage-pool-definitions", "/v1/storage-pool-definitions"},
		{"resource-groups", "/v1/resource-groups"},
		{"volume-groups", "/v1/resource-groups/fast/volume-groups"},
		{"resource-definitions", "/v1/resource-definitions?with_volume_definitions=true"},
		{"resource-definition", "/v1/resource-definitions/backups"},
		{"volume-definitions", "/v1/resource-definitions/sync/volume-definitions"},
		{"resources", "/v1/view/resources"},
		{"definition-resources", "/v1/resource-definitions/backups/resources"},
		{"resource", "/v1/resource-definitions/backups/resources/alpha"},
		{"volumes", "/v1/resource-definitions/backups/resources/alpha/volumes"},
		{"controller-properties", "/v1/controller/properties"},
		{"key-value-store", "/v1/key-value-store/CSI"},
		{"sync-status", "/v1/resource-definitions/backups/sync-status"},
		{"passphrase", "/v1/encryption/passphrase"},
	} {
		golden(t, c.name, w.must(200, "GET", c.path, ""))
	}
	golden(t, "delete-missing", w.must(200, "DELETE", "/v1/resource-definitions/nobody", ""))
	golden(t, "node-exists", w.must(500, "POST", "/v1/nodes", `{"name":"alpha","type":"Satellite","net_interfaces":[{"name":"default","address":"10.77.0.9"}]}`))
	golden(t, "not-enough-nodes", w.must(500, "POST", "/v1/resource-definitions/backups/autoplace", `{"select_filter":{"place_count":3}}`))
	golden(t, "created", w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"again"}}`))
	golden(t, "unknown-field", w.must(400, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"x","nmae":1}}`))
	golden(t, "later", w.must(501, "POST", "/v1/schedules", `{}`))
	golden(t, "no-path", w.must(404, "GET", "/v1/nothing", ""))

	// What is left of a definition whose name is used again.
	w.must(200, "DELETE", "/v1/resource-definitions/backups", "")
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"backups"}}`)
	w.must(201, "POST", "/v1/resource-definitions/backups/resources/alpha", `{}`)
	golden(t, "used-again", w.must(200, "GET", "/v1/view/resources?resources=backups", ""))
	golden(t, "on-bravo", w.must(200, "GET", "/v1/view/resources?nodes=bravo", ""))
}
