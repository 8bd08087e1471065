// All runs every test of the project in stages, each announced, each test of the slow stages with its time, and sums up.
// Its exit status is 0 only if all passed.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// stage is one `go` command. With each, every test is named with its time, else every package.
type stage struct {
	name string
	what string
	each bool
	rest bool // all packages that no other stage names
	long bool // only when it is named: `make lab-full`
	env  []string
	args []string
}

var stages = []stage{
	{name: "vet", what: "what the compiler doesn't see", args: []string{"vet", "./..."}},
	{name: "unit", what: "every package but those below", args: []string{"test", "-json"}, rest: true},
	{name: "simulator", what: "3,000 seeds, and the broken variants that must be found", each: true, env: []string{"HOLDFAST_SEEDS=3000"},
		args: []string{"test", "-json", "-count=1", "-timeout=20m", "./internal/sim"}},
	{name: "matrix", what: "every operation, with a death after every single step", each: true, long: true, env: []string{"HOLDFAST_MATRIX=1"},
		args: []string{"test", "-json", "-count=1", "-timeout=60m", "-run=^TestMatrix$", "./internal/sim"}},
	{name: "contract", what: "the public Python client against a real controller", each: true, env: []string{"HOLDFAST_CONTRACT=1"},
		args: []string{"test", "-json", "-count=1", "-timeout=20m", "./test/contract"}},
	{name: "lab", what: "virtual machines with the real kernel, LVM and DRBD", each: true, env: []string{"HOLDFAST_LAB=1"},
		args: []string{"test", "-json", "-count=1", "-timeout=100m", "-p=1", "-parallel=2", "./lab", "./test/scenario"}},
}

type tally struct{ passed, failed, skipped int }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	var sum tally
	var lines []string
	bad := false
	for _, s := range stages {
		if s.long && len(os.Args) == 1 || len(os.Args) > 1 && !strings.Contains(strings.Join(os.Args[1:], " "), s.name) {
			continue
		}
		fmt.Printf("\n== %s: %s\n", s.name, s.what)
		begin := time.Now()
		t, err := s.run(ctx)
		state := "ok"
		if err != nil {
			state, bad = "FAILED", true
			fmt.Println("   " + err.Error())
		}
		sum.passed, sum.failed, sum.skipped = sum.passed+t.passed, sum.failed+t.failed, sum.skipped+t.skipped
		lines = append(lines, fmt.Sprintf("%-10s %-7s %7.1f s  %5d passed %3d failed %3d skipped", s.name, state, time.Since(begin).Seconds(), t.passed, t.failed, t.skipped))
	}
	fmt.Printf("\n%s\n%-10s %-7s %7.1f s\n\n%d passed, %d failed, %d skipped\n", strings.Join(lines, "\n"), "all", map[bool]string{false: "ok", true: "FAILED"}[bad],
		time.Since(start).Seconds(), sum.passed, sum.failed, sum.skipped)
	if bad {
		os.Exit(1)
	}
}

// event of `go test -json` (test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

func (s stage) run(ctx context.Context) (t tally, err error) {
	args := s.args
	if s.rest {
		if args, err = others(ctx, args); err != nil {
			return t, err
		}
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stderr = os.Stdout
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return t, err
	}
	if err := cmd.Start(); err != nil {
		return t, err
	}
	said := map[string][]string{} // output by test, shown where it failed or was skipped
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var e event
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			fmt.Println(sc.Text())
			continue
		}
		s.tell(e, said, &t)
	}
	return t, cmd.Wait()
}

// others adds the packages that no stage names.
func others(ctx context.Context, args []string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	for _, p := range strings.Fields(string(out)) {
		if !slices.ContainsFunc(stages, func(s stage) bool { return slices.Contains(s.args, strings.Replace(p, "holdfast/", "./", 1)) }) {
			args = append(args, p)
		}
	}
	return args, nil
}

func (s stage) tell(e event, said map[string][]string, t *tally) {
	key := e.Package + " " + e.Test
	pkg := strings.TrimPrefix(e.Package, "holdfast/")
	top := e.Test != "" && !strings.Contains(e.Test, "/")
	switch e.Action {
	case "run":
		if s.each && top && os.Getenv("CI") == "" {
			fmt.Printf("   ... %s\n", e.Test)
		}
	case "output", "build-output":
		said[key] = append(said[key], e.Output)
	case "pass":
		if e.Test == "" && !s.each && e.Elapsed > 0 {
			fmt.Printf("   %-40s %6.1f s\n", pkg, e.Elapsed)
		}
		if e.Test != "" {
			t.passed++
			if s.each && top {
				fmt.Printf("   ok    %-50s %6.1f s\n", e.Test, e.Elapsed)
			}
		}
		delete(said, key)
	case "skip":
		if e.Test != "" {
			t.skipped++
			if s.each {
				fmt.Printf("   SKIP  %-50s %s", e.Test, reason(said[key]))
			}
		}
		delete(said, key)
	case "fail", "build-fail":
		if e.Test != "" {
			t.failed++
		}
		if len(said[key]) > 0 {
			fmt.Printf("   FAIL  %s %s (%.1f s)\n%s", pkg, e.Test, e.Elapsed, strings.Join(said[key], ""))
		}
		delete(said, key)
	}
}

// reason is what a skipped test said.
func reason(out []string) string {
	for _, l := range out {
		if !strings.HasPrefix(strings.TrimSpace(l), "=== ") && !strings.HasPrefix(strings.TrimSpace(l), "--- ") {
			return strings.TrimLeft(l, " ")
		}
	}
	return "\n"
}
