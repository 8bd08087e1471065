package satellite

import (
	"context"
	"encoding/json"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
	"holdfast/internal/tool/run"
)

// The guard resumes what is still suspended under its lease, and only that.
func TestGuard(t *testing.T) {
	for _, c := range []struct {
		name, quiet string
		noRecord    bool
		resumes     bool
	}{
		{name: "held still", quiet: "lease", resumes: true},
		{name: "resumed in time", quiet: ""},
		{name: "held anew", quiet: "later"},
		{name: "no record", noRecord: true, resumes: true},
	} {
		h := &asked{Machine: machine.NewNetwork().Add("alpha", machine.Options{Module: "9.2.18"})}
		if err := h.MkdirAll("/var/lib", 0o755); err != nil {
			t.Fatal(err)
		}
		if !c.noRecord {
			b, err := json.Marshal(record{ID: "r", Quiet: model.UUID(c.quiet)})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.WriteFile("/var/lib/r.json", b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := guard(context.Background(), h, "/var/lib/r.json", "", "lease", []int{1000}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if h.resumed != c.resumes {
			t.Errorf("%s: resumed %v", c.name, h.resumed)
		}
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
