// Package tooltest reads recorded runs of real programs and plays them back,
// for the tests of the tool packages and of the model machine.
package tooltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"holdfast/internal/tool/run"
)

// Trace is one recorded run.
type Trace struct {
	Command string // argv joined by blanks
	run.Result
}

// Dir is the folder of recorded runs.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "testdata", "traces")
}

// Load reads one trace, such as "lvm/lvcreate". Its form: `$ argv`, `exit N`,
// `--- stdout`, lines, `--- stderr`, lines.
func Load(t testing.TB, name string) Trace {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := parse(string(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return tr
}

// List gives the names of the traces in a folder whose names end so.
func List(t testing.TB, folder, suffix string) []string {
	t.Helper()
	es, err := os.ReadDir(filepath.Join(Dir(), folder))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range es {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, folder+"/"+e.Name())
		}
	}
	return names
}

func parse(s string) (tr Trace, err error) {
	head, rest, ok1 := strings.Cut(s, "\n--- stdout\n")
	out, errs, ok2 := strings.Cut("\n"+rest, "\n--- stderr\n")
	cmd, exit, ok3 := strings.Cut(head, "\nexit ")
	if !ok1 || !ok2 || !ok3 || !strings.HasPrefix(cmd, "$ ") {
		return tr, fmt.Errorf("not a trace")
	}
	tr.Command = strings.TrimPrefix(cmd, "$ ")
	if tr.Exit, err = strconv.Atoi(exit); err != nil {
		return tr, err
	}
	if out = strings.TrimPrefix(out, "\n"); out != "" {
		tr.Stdout = []byte(out + "\n")
	}
	if errs != "" {
		tr.Stderr = []byte(errs)
	}
	return tr, nil
}

// Player is a Runner that answers each command with the next of Results and
// keeps the commands.
type Player struct {
	Results []run.Result
	Argv    [][]string
}

// Play makes a Player of traces.
func Play(t testing.TB, names ...string) *Player {
	p := &Player{}
	for _, n := range names {
		p.Results = append(p.Results, Load(t, n).Result)
	}
	return p
}

// Run implements run.Runner.
func (p *Player) Run(_ context.Context, c run.Cmd) (run.Result, error) {
	if len(p.Argv) >= len(p.Results) {
		return run.Result{}, fmt.Errorf("%s: no more recorded results", c.Argv[0])
	}
	p.Argv = append(p.Argv, slices.Clone(c.Argv))
	return p.Results[len(p.Argv)-1], nil
}
