package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// locks notes the locks that were taken and let go.
type locks struct {
	log  []string
	lost chan struct{} // of the newest
}

type testLock struct {
	l   *locks
	why string
	ch  chan struct{}
}

func (t *testLock) Lost() <-chan struct{} { return t.ch }
func (t *testLock) Close() error {
	t.l.log = append(t.l.log, "let go: "+t.why)
	return nil
}

func (l *locks) take(_ context.Context, mode, why string) (Lock, error) {
	l.log = append(l.log, mode+": "+why)
	l.lost = make(chan struct{})
	return &testLock{l, why, l.lost}, nil
}

// A lock is held while a last copy or a quorum would be lost, and while the controller doesn't answer; not for what is only in
// use. A lock that was lost is taken again.
func TestInhibit(t *testing.T) {
	loss := func(kind string) string {
		return fmt.Sprintf(`{"node":"alpha","safe":false,"losses":[{"resource":"backups","volume":0,"kind":%q,"copies":0,"message":"x"}]}`, kind)
	}
	answers := []string{`{"node":"alpha","safe":true,"losses":[]}`, loss("in-use"), loss("last-copy"), loss("last-copy"), "lose the lock", loss("last-copy"), loss("quorum"), "away", loss("redundancy")}
	at := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answers[at] == "away" {
			w.WriteHeader(500)
			return
		}
		io.WriteString(w, answers[at])
	}))
	defer srv.Close()
	l := &locks{}
	cfg := conf(srv.URL)
	cfg.Inhibit = l.take
	cfg.Sleep = func(context.Context, time.Duration) error {
		if at++; at < len(answers) && answers[at] == "lose the lock" {
			close(l.lost)
			at++
		}
		if at == len(answers) {
			return context.Canceled
		}
		return nil
	}
	var out bytes.Buffer
	cfg.Streams.Out, cfg.Streams.Err = &out, &out
	if code := New(cfg).Run(t.Context(), []string{"node", "safe-to-stop", "alpha", "--inhibit"}); code != 0 {
		t.Errorf("exit %d: %s", code, out.String())
	}
	for i := range l.log {
		l.log[i], _, _ = strings.Cut(l.log[i], " be lost: ")
	}
	copies, quorum, unknown := "no other good copy of backups", "no quorum without this node for backups", "it isn't known what would"
	want := []string{"block: " + copies, "block: " + copies, "let go: " + copies, "block: " + quorum, "let go: " + copies, "block: " + unknown,
		"let go: " + quorum, "let go: " + unknown}
	if !slices.Equal(l.log, want) {
		t.Errorf("%q\nwant %q\n%s", l.log, want, out.String())
	}
	if n := strings.Count(out.String(), "\n"); n != 6 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}

func TestInhibitMode(t *testing.T) {
	if got := run(conf("http://127.0.0.1:1"), "node", "safe-to-stop", "alpha", "--inhibit", "--mode", "maybe"); got.code == 0 || !strings.Contains(got.err, "block or delay") {
		t.Errorf("%+v", got)
	}
}
