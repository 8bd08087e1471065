package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/api"
)

// syncedBuffer is a buffer that two goroutines may write.
type syncedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// lines splits what a status line showed into its states.
func lines(s string) []string { return strings.Split(s, "\r\x1b[K") }

// A request that the controller holds shows what it waits for; the line is gone before the reply is printed.
func TestACommandThatWaitsSaysForWhat(t *testing.T) {
	shown := make(chan struct{}) // closed at the second look: the first has been shown then
	looks := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			<-shown
			io.WriteString(w, `[{"ret_code":54263810,"message":"gone"}]`)
			return
		}
		if looks++; looks == 2 {
			close(shown)
		}
		io.WriteString(w, `[{"name":"backups","node_name":"alpha","flags":["DELETE"],"holdfast":{"waiting":"waiting for bravo to become UpToDate"}},
			{"name":"backups","node_name":"bravo"}]`)
	}))
	defer srv.Close()
	cfg := conf(srv.URL)
	var out bytes.Buffer
	var err syncedBuffer
	cfg.Streams = Streams{Out: &out, Err: &err, ErrTTY: true, Width: 80}
	code := New(cfg).Run(context.Background(), []string{"rd", "d", "backups"})
	if code != 0 || out.String() != "SUCCESS:\n    gone\n" {
		t.Errorf("%d %q", code, out.String())
	}
	states := lines(err.b.String())
	if len(states) < 3 || states[1] != "alpha: waiting for bravo to become UpToDate (0s)" || states[len(states)-1] != "" {
		t.Errorf("%q", states)
	}
}

// syncing is a server whose resource "backups" of two 100 MiB replicas is synchronised in steps; each look is one step.
type syncing struct {
	step  int
	steps []string // what bravo's volume shows: state, and percent done or ""
}

func (s *syncing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		io.WriteString(w, `[{"ret_code":21233665,"message":"placed"}]`)
	case strings.HasSuffix(r.URL.Path, "/sync-status"):
		fmt.Fprintf(w, `{"synced_on_all":%v}`, s.step >= len(s.steps))
	default:
		state, done, _ := strings.Cut(s.steps[s.step], " ")
		s.step++
		repl := ""
		if done != "" {
			repl = fmt.Sprintf(`"replication_states":{"alpha":{"replication_state":"SyncTarget","done_percentage":%s}},`, done)
		}
		fmt.Fprintf(w, `[{"name":"backups","node_name":"alpha","volumes":[{"volume_number":0,"usable_size_kib":102400,"state":{"disk_state":"UpToDate"}}]},
			{"name":"backups","node_name":"bravo","volumes":[{"volume_number":0,"usable_size_kib":102400,"state":{%s"disk_state":"%s"}}]},
			{"name":"backups","node_name":"charlie","flags":["DISKLESS","DRBD_DISKLESS"],"volumes":[{"volume_number":0,"usable_size_kib":102400,"state":{"disk_state":"Diskless"}}]}]`,
			repl, state)
	}
}

// follow runs a command against s with a clock that moves with each wait.
func follow(t *testing.T, s *syncing, tty bool, line string) (int, []string) {
	t.Helper()
	srv := httptest.NewServer(s)
	defer srv.Close()
	cfg := conf(srv.URL)
	var mu sync.Mutex
	now := testNow
	cfg.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	cfg.Sleep = func(ctx context.Context, d time.Duration) error {
		if d == statusDelay { // the status line of a request isn't looked at here
			<-ctx.Done()
			return ctx.Err()
		}
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		return ctx.Err()
	}
	var err syncedBuffer
	cfg.Streams = Streams{Out: io.Discard, Err: &err, ErrTTY: tty, Width: 70}
	code := New(cfg).Run(context.Background(), strings.Fields(line))
	return code, lines(err.b.String())
}

func bar(full, empty int) string {
	return "▕" + strings.Repeat("█", full) + strings.Repeat("░", empty) + "▏"
}

func TestWaitSyncShowsProgress(t *testing.T) {
	s := &syncing{steps: []string{"Inconsistent", "Inconsistent 0", "Inconsistent 25", "Inconsistent 75", "UpToDate"}}
	code, states := follow(t, s, true, "rd wait-sync backups")
	want := []string{"",
		"backups: waiting for the sync to begin",
		"backups " + bar(0, 40) + "   0.0%",
		"backups " + bar(7, 23) + "  25.0%  12.50 MiB/s  6s left",
		"backups " + bar(24, 9) + "  75.0%  25 MiB/s  1s left",
		"backups: waiting for all replicas to be in sync",
		"backups: in sync on all nodes\n"}
	if d := cmp.Diff(want, states); d != "" || code != 0 {
		t.Errorf("%d %s", code, d)
	}
}

func TestCreateFollowsTheFirstSync(t *testing.T) {
	s := &syncing{steps: []string{"Inconsistent 0", "Inconsistent 50"}}
	code, states := follow(t, s, true, "r c backups --auto-place 2")
	if code != 0 || len(states) != 4 || !strings.Contains(states[2], "50.0%  50 MiB/s  1s left") || states[3] != "backups: in sync on all nodes\n" {
		t.Errorf("%d %q", code, states)
	}
}

func TestCreateDoesNotWaitForASyncThatStandsStill(t *testing.T) {
	s := &syncing{steps: strings.Split(strings.Repeat("Inconsistent,", 30), ",")}
	if code, states := follow(t, s, true, "r c backups --auto-place 2"); code != 0 || s.step != 12 || len(states) != 1 {
		t.Errorf("%d %d %q", code, s.step, states)
	}
}

func TestNothingIsFollowedWithoutATerminal(t *testing.T) {
	s := &syncing{steps: []string{"Inconsistent 0"}}
	if code, states := follow(t, s, false, "r c backups --auto-place 2"); code != 0 || s.step != 0 || states[0] != "" {
		t.Errorf("%d %d %q", code, s.step, states)
	}
}

func TestWaitSyncTimesOut(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"synced_on_all":false}`) }))
	defer srv.Close()
	cfg := conf(srv.URL)
	cfg.Sleep = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
	got := run(cfg, "rd", "ws", "backups", "--wait-timeout", "1")
	if got.code != ExitTimeout || !strings.Contains(got.err, "the sync goes on by itself") {
		t.Errorf("%+v", got)
	}
}

// The rate and what is left come from the controller where it says so, else from the percentage on either side.
func TestSyncTracker(t *testing.T) {
	size, left, rate, done := int64(1000), int64(400), int64(50), 90.0
	rsc := func(node, disk string, repl map[string]api.ReplicationState) api.ResourceWithVolumes {
		return api.ResourceWithVolumes{Resource: api.Resource{Name: "r", NodeName: node},
			Volumes: []api.Volume{{UsableSizeKib: &size, State: &api.VolumeState{DiskState: disk, ReplicationStates: repl}}}}
	}
	rscs := []api.ResourceWithVolumes{
		rsc("a", "UpToDate", map[string]api.ReplicationState{"c": {ReplicationState: "SyncSource", DonePercentage: &done}}),
		rsc("b", "Inconsistent", map[string]api.ReplicationState{"a": {ReplicationState: "SyncTarget",
			Holdfast: &api.SyncStatus{OutOfSyncKib: &left, RateKibPerS: &rate}}}),
		rsc("c", "Inconsistent", nil),
	}
	p, ok := newSyncTracker("r").look(rscs[:2], testNow)
	if !ok || p.LeftKib != 400 || p.TotalKib != 1000 || p.RateKib != 50 {
		t.Errorf("%+v %v", p, ok)
	}
	if p, ok = newSyncTracker("r").look(rscs, testNow); !ok || p.LeftKib != 500 || p.TotalKib != 2000 {
		t.Errorf("%+v %v", p, ok)
	}
}
