package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// On a terminal it says how far the clone is, and takes that away in the end.
func TestCloneProgress(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(201)
			io.WriteString(w, `{"location":"x","source_name":"backups","clone_name":"copy","messages":[{"ret_code":21233665,"message":"started"}]}`)
			return
		}
		if asked++; asked < 3 {
			io.WriteString(w, `{"status":"CLONING","holdfast":{"condition":"working","waiting":"12 of 90 KiB"}}`)
			return
		}
		io.WriteString(w, `{"status":"COMPLETE"}`)
	}))
	defer srv.Close()
	for _, tty := range []bool{true, false} {
		asked = 0
		cfg := conf(srv.URL)
		cfg.Streams.ErrTTY, cfg.Streams.Width = tty, 80
		got := run(cfg, "rd", "clone", "backups", "copy")
		if strings.Contains(got.err, "copy: 12 of 90 KiB") != tty || strings.HasSuffix(got.err, "\x1b[K") != tty || !strings.Contains(got.out, "Completed cloning copy.") {
			t.Errorf("terminal %v: %q %q", tty, got.out, got.err)
		}
	}
}

func TestClone(t *testing.T) {
	for _, tc := range []struct {
		statuses []string
		line     string
		code     int
		out, err string
		asked    int
	}{
		{[]string{"CLONING", "CLONING", "COMPLETE"}, "rd clone backups copy", 0, "started|Waiting for cloning to complete...|Completed cloning copy.", "", 3},
		{[]string{"CLONING", "FAILED"}, "rd cln backups copy", ExitAPI, "Waiting", "no room", 2},
		{nil, "rd clone backups copy --no-wait", 0, "started", "", 0},
	} {
		asked, body := 0, ""
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				b, _ := io.ReadAll(r.Body)
				body = r.URL.Path + " " + string(b)
				w.WriteHeader(201)
				io.WriteString(w, `{"location":"x","source_name":"backups","clone_name":"copy","messages":[{"ret_code":21233665,"message":"started"}]}`)
				return
			}
			io.WriteString(w, `{"status":"`+tc.statuses[asked]+`","holdfast":{"condition":"x","reasons":[{"kind":"x","message":"no room"}]}}`)
			asked++
		}))
		got := run(conf(srv.URL), strings.Fields(tc.line)...)
		srv.Close()
		if got.code != tc.code || asked != tc.asked || !strings.Contains(got.err, tc.err) {
			t.Errorf("%s: code %d, asked %d times: %s%s", tc.line, got.code, asked, got.out, got.err)
		}
		for _, w := range strings.Split(tc.out, "|") {
			if !strings.Contains(got.out, w) {
				t.Errorf("%s: no %q in %q", tc.line, w, got.out)
			}
		}
		if !strings.HasPrefix(body, `/v1/resource-definitions/backups/clone {"name":"copy"}`) {
			t.Errorf("%s: sent %s", tc.line, body)
		}
	}
}
