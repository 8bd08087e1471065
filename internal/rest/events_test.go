package rest

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// events opens a stream; next gives an event as "name data".
func (w *web) events(path, last string) (next func() string) {
	w.t.Helper()
	w.h = New(w.b, Info{}, Limits{Events: time.Millisecond}, discard())
	srv := httptest.NewServer(w.h)
	ctx, stop := context.WithCancel(w.t.Context())
	w.t.Cleanup(func() { stop(); srv.Close() })
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" || resp.StatusCode != 200 {
		w.t.Fatalf("%d %s", resp.StatusCode, ct)
	}
	lines := bufio.NewScanner(resp.Body)
	return func() string {
		w.t.Helper()
		var got []string
		for lines.Scan() {
			line := lines.Text()
			switch {
			case line == "" && len(got) > 0:
				return strings.Join(got, " ")
			case strings.HasPrefix(line, "event: "), strings.HasPrefix(line, "data: "):
				_, v, _ := strings.Cut(line, ": ")
				got = append(got, v)
			}
		}
		w.t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
}

// may has bravo's replica of backups say whether it may be promoted.
func (w *web) may(on bool) {
	w.b.see(w.t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		st := good(d.ResourceDefinition, d.On("bravo"))
		st.MayPromote = on
		tx.SeeResource(d.UUID, st.ID, st)
	})
}

func TestPromotionEvents(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	next := w.events("/v1/events/drbd/promotion", "current")
	for _, node := range []string{"alpha", "bravo"} {
		want := `may-promote-change {"resource_name":"backups","node_name":"` + node + `","may_promote":true}`
		if got := next(); got != want {
			t.Fatalf("at first: %s, want %s", got, want)
		}
	}
	w.may(false)
	if got := next(); got != `may-promote-change {"resource_name":"backups","node_name":"bravo","may_promote":false}` {
		t.Fatalf("then: %s", got)
	}
	w.may(true)
	if got := next(); !strings.Contains(got, `"bravo","may_promote":true`) {
		t.Fatalf("then: %s", got)
	}
	w.must(200, "DELETE", "/v1/resource-definitions/backups/resources/bravo", "")
	if got := next(); !strings.Contains(got, `"bravo","may_promote":false`) {
		t.Fatalf("one that goes: %s", got)
	}
}

// Without Last-Event-ID only changes are told.
func TestPromotionEventsFromNowOn(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	next := w.events("/v1/events/drbd/promotion", "")
	w.may(false)
	if got := next(); !strings.Contains(got, `"bravo","may_promote":false`) {
		t.Fatalf("first: %s", got)
	}
}

func TestNodeEvents(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/controller/properties", `{"override_props":{"DrbdOptions/auto-add-quorum-tiebreaker":"false"}}`) // none on charlie
	next := w.events("/v1/events/nodes", "")
	expect := func(start, has string) {
		t.Helper()
		if got := next(); !strings.HasPrefix(got, start+" {") || !strings.Contains(got, has) {
			t.Fatalf("%.400s, want %s with %s", got, start, has)
		}
	}
	w.must(201, "POST", "/v1/nodes", `{"name":"charlie","net_interfaces":[{"name":"default","address":"10.77.0.3"}]}`)
	expect("node-create", `"name":"charlie"`)
	w.online("charlie", model.DRBD9)
	expect("node-modified", `"connection_status":"ONLINE"`)
	w.must(200, "PUT", "/v1/nodes/charlie", `{"override_props":{"Aux/a":"b"}}`)
	expect("node-modified", `"Aux/a":"b"`)
	w.must(200, "PUT", "/v1/nodes/charlie/evacuate", "")
	expect("node-evacuate", `"name":"charlie"`)
	expect("node-modified", `"old_node":{`)
	w.must(200, "PUT", "/v1/nodes/charlie/restore", "")
	expect("node-restored", `"name":"charlie"`)
	expect("node-modified", `"new_node":{`)
	w.must(200, "DELETE", "/v1/nodes/charlie", "")
	expect("node-delete", `"name":"charlie"`)
}
