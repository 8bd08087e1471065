package satellite

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
	"holdfast/internal/tool/run"
)

// The guard resumes what is still suspended under its lease, and only that.
func TestGuard(t *testing.T) {
	for _, c := range []struct {
		name, quiet string
		of          string // whose I/O was suspended
		noRecord    bool
		resumes     bool
	}{
		{name: "held still", quiet: "lease", resumes: true},
		{name: "resumed in time", quiet: ""},
		{name: "held anew", quiet: "later"},
		{name: "no record", noRecord: true, resumes: true},
		{name: "the record is gone", of: "backups", noRecord: true, resumes: true},
		{name: "all is gone, and the minor is another's", of: "mail", noRecord: true},
	} {
		h := &asked{Machine: machine.NewNetwork().Add("alpha", machine.Options{Module: "9.2.18"})}
		if err := h.MkdirAll("/var/lib", 0o755); err != nil {
			t.Fatal(err)
		}
		if !c.noRecord {
			b, err := json.Marshal(record{ID: "r", Resource: "backups", Quiet: model.UUID(c.quiet)})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.WriteFile("/var/lib/r.json", b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := suspendedResource(h, "/var/lib/r.json"), map[bool]string{false: "backups"}[c.noRecord]; got != want {
			t.Errorf("%s: it is %q's, want %q", c.name, got, want)
		}
		if err := guard(context.Background(), h, "/var/lib/r.json", c.of, "", "lease", []int{1000}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if h.resumed != c.resumes {
			t.Errorf("%s: resumed %v", c.name, h.resumed)
		}
	}
}

// What a busy machine takes to start the guard counts.
func TestProcessAge(t *testing.T) {
	h := machine.NewNetwork().Add("alpha", machine.Options{})
	if got := processAge(h); got != 0 {
		t.Errorf("nothing known: %v", got)
	}
	for file, text := range map[string]string{"/proc/self/stat": "77 (hold) fast) S 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9", "/proc/uptime": "125.45 230.00\n"} {
		if err := h.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := h.WriteFile(file, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := processAge(h), 2*time.Second; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := processAge(run.OS{}); got < 0 || got > time.Hour {
		t.Errorf("of this very process: %v", got)
	}
}

// asked has one resource whose I/O is suspended by a command.
type asked struct {
	*machine.Machine
	resumed bool
}

func (h *asked) Run(_ context.Context, c run.Cmd) (run.Result, error) {
	switch c.Argv[1] {
	case "events2":
		return run.Result{Stdout: []byte("exists resource name:backups role:Primary suspended:user write-ordering:flush\n" +
			"exists device name:backups volume:0 minor:1000 disk:UpToDate\nexists -\n")}, nil
	case "resume-io":
		h.resumed = true
	}
	return run.Result{}, nil
}
