package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSosReport(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/sos-report/download" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Disposition", `attachment; filename="../sos_2026.tar.gz"`)
		_, _ = w.Write([]byte("all of it"))
	}))
	defer srv.Close()
	dir := t.TempDir()
	got := run(conf(srv.URL), "sos-report", "download", dir)
	file := filepath.Join(dir, "sos_2026.tar.gz")
	if b, err := os.ReadFile(file); got.code != 0 || err != nil || string(b) != "all of it" || !strings.Contains(got.out, "File saved to: "+file) {
		t.Fatalf("%+v: %q %v", got, b, err)
	}
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", i.Mode(), err)
	}
	if got = run(conf(srv.URL), "sos", "dl", file); got.code == 0 || !strings.Contains(got.err, "exists") {
		t.Errorf("it was written over: %+v", got)
	}
}
