package rest

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// The report has every list, and no secret.
func TestSOSReport(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"mail"},"drbd_secret":"hush-hush"}`)
	w.must(200, "PUT", "/v1/key-value-store/csi", `{"override_props":{"password":"hush"}}`)
	rec := w.send("GET", "/v1/sos-report/download", "")
	if rec.Code != 200 || !strings.Contains(rec.Header().Get("Content-Disposition"), "sos_2026-05-28_20-26-40.tar.gz") {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	z, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		files[name] = string(b)
	}
	for name, has := range map[string]string{"README.txt": "Holdfast 0.1.0", "v1_nodes.json": `"name":"bravo"`, "v1_view_resources.json": `"name":"backups"`,
		"v1_resource-definitions.json": `"name":"mail"`, "v1_view_conditions.json": "[", "metrics.txt": "linstor_node_state", "v1_controller_properties.json": "{"} {
		if !strings.Contains(files[name], has) {
			t.Errorf("%s: %.200q doesn't have %q", name, files[name], has)
		}
	}
	for name, text := range files {
		if strings.Contains(text, "hush") {
			t.Errorf("%s holds a secret", name)
		}
	}
}

func TestBlot(t *testing.T) {
	for in, want := range map[string]string{
		`{"secret":"a\"b","x":1}`:        `{"secret":"-","x":1}`,
		`[{"secret":""},{"secret":"a"}]`: `[{"secret":"-"},{"secret":"-"}]`,
		`{"secret":"a`:                   `{"secret":"-`,
		`{"name":"secret"}`:              `{"name":"secret"}`,
	} {
		if got := string(blot([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
