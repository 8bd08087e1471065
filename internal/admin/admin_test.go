package admin

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
)

// makeStore has a cluster, a node, a definition, and what else is given.
func makeStore(t *testing.T, more ...store.Change) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "controller.db")
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Cluster: "c-1", WrittenBy: "1.0"})
	if err != nil {
		t.Fatal(err)
	}
	changes := append([]store.Change{
		{ID: 1, Kind: store.KindCluster, Data: []byte(`{"v":1,"id":"c-1","gen":1}`)},
		{ID: 2, Kind: store.KindNode, Data: []byte(`{"v":1,"id":"n-1","name":"alpha","type":"SATELLITE","fingerprint":"AA:BB/0102"}`)},
		{ID: 3, Kind: store.KindResourceDefinition, Data: []byte(`{"v":1,"id":"d-1","name":"backups","gen":18446744073709551615,"secret":"s3cr3t",
			"props":{"DrbdOptions/Net/max-buffers":"8000","Encryption/Passphrase":"s3cr3t too"},"volumes":[{"id":"vd-1","nr":0,"kib":4096,"minor":1000}]}`)},
	}, more...)
	if _, err := db.Commit(t.Context(), 4, 0, changes); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := Commands("test")[0]
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	cmd.SilenceErrors = true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestCheck(t *testing.T) {
	out, err := run(t, "check", "--path", makeStore(t))
	if err != nil || !strings.Contains(out, "no problems") || !strings.Contains(out, "epoch 4") || !strings.Contains(out, "1 nodes, 0 resource groups, 1 resource definitions") {
		t.Fatal(out, err)
	}
	bad := makeStore(t,
		store.Change{ID: 4, Kind: store.KindNode, Data: []byte(`{"v":1,"id":`)},
		store.Change{ID: 5, Kind: store.KindResourceDefinition, Data: []byte(`{"v":1,"id":"d-2","name":"other","volumes":[{"id":"vd-2","nr":0,"kib":4096,"minor":1000}]}`)})
	out, err = run(t, "check", "--path", bad)
	if err == nil || !strings.Contains(err.Error(), "2 problems") || !strings.Contains(out, "record 4 (node)") || !strings.Contains(out, "minor 1000") {
		t.Fatal(out, err)
	}
	if _, err := run(t, "check", "--path", filepath.Join(t.TempDir(), "none.db")); err == nil {
		t.Fatal("a store that isn't there is fine")
	}
	if err := os.WriteFile(bad, bytes.Repeat([]byte("x"), 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "check", "--path", bad); err == nil {
		t.Fatal("noise is fine", out)
	}
}

func TestExport(t *testing.T) {
	path := makeStore(t, store.Change{ID: 4, Kind: store.KindSecret, Data: []byte(`{"v":1,"key":"s3cr3t"}`)},
		store.Change{ID: 5, Kind: store.KindNode, Data: []byte("no json, s3cr3t")})
	out, err := run(t, "export", "--path", path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "s3cr3t") || strings.Contains(out, "/0102") {
		t.Fatal("a secret got out:\n", out)
	}
	for _, want := range []string{`"AA:BB/(secret)"`, `18446744073709551615`, `"max-buffers"`, `"left_out"`, `"resource-definition"`} {
		if !strings.Contains(strings.ReplaceAll(out, `DrbdOptions/Net/max-buffers`, `max-buffers`), want) {
			t.Errorf("%s isn't there:\n%s", want, out)
		}
	}
	full, err := run(t, "export", "--path", path, "--secrets")
	if err != nil || strings.Count(full, "s3cr3t") != 3 || !strings.Contains(full, `"raw"`) {
		t.Fatal(full, err)
	}
	var d dump
	if err := json.Unmarshal([]byte(full), &d); err != nil || len(d.Records) != 5 || d.Epoch != 4 || d.NextID != 6 {
		t.Fatal(err, d)
	}
}

func TestTakeOver(t *testing.T) {
	path := makeStore(t)
	out, err := run(t, "take-over", "--path", path, "--above", "9")
	if err != nil || !strings.Contains(out, "epoch 10") {
		t.Fatal(out, err)
	}
	if out, err = run(t, "take-over", "--path", path, "--above", "5"); err != nil || !strings.Contains(out, "9 already") {
		t.Fatal(out, err)
	}
	if _, err = run(t, "take-over", "--path", path); err == nil {
		t.Fatal("without an epoch it does what?")
	}
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "take-over", "--path", path, "--above", "20"); err == nil {
		t.Fatal("done under a running controller")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
