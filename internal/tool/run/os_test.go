package run

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRunGivesExitAndOutput(t *testing.T) {
	r, err := OS{}.Run(context.Background(), Cmd{Argv: []string{"sh", "-c", "cat; echo no >&2; echo $LC_ALL; exit 5"}, Stdin: []byte("in ")})
	if err != nil {
		t.Fatal(err)
	}
	want := Result{Exit: 5, Stdout: []byte("in C\n"), Stderr: []byte("no\n")}
	if d := cmp.Diff(want, r); d != "" {
		t.Error(d)
	}
	_, err = Check(context.Background(), OS{}, Cmd{Argv: []string{"sh", "-c", "echo gone >&2; exit 3"}}, func(Result) error { return fs.ErrNotExist })
	var x *ExitError
	if !errors.As(err, &x) || x.Exit != 3 || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "gone") {
		t.Errorf("%v", err)
	}
}

func TestRunMissingProgram(t *testing.T) {
	for _, p := range []string{"no-such-program-here", "/no/such"} {
		if _, err := (OS{}).Run(context.Background(), Cmd{Argv: []string{p}}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if _, err := (OS{}).Stream(context.Background(), []string{"no-such-program-here"}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestRunDeadlineKillsTheGroup(t *testing.T) {
	start := time.Now()
	_, err := (OS{}).Run(context.Background(), Cmd{Argv: []string{"sh", "-c", "sleep 600 & sleep 600"}, Timeout: 50 * time.Millisecond})
	var h *HungError
	if !errors.As(err, &h) || !h.Reaped || h.Pid == 0 || h.After != 50*time.Millisecond {
		t.Fatalf("%v", err)
	}
	if time.Since(start) > 30*time.Second {
		t.Error("waited for the children")
	}
}

// Who is detached isn't waited for (it waits for us here), and is in a session of its own.
func TestRunDetached(t *testing.T) {
	dir := t.TempDir()
	out, in := filepath.Join(dir, "out"), filepath.Join(dir, "in")
	for _, f := range []string{out, in} {
		if err := syscall.Mkfifo(f, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (OS{}).Run(t.Context(), Cmd{Argv: []string{"sh", "-c", "echo $(cut -d' ' -f6 /proc/$$/stat) $$ >" + out + "; read x <" + in}, Detach: true}); err != nil {
		t.Fatal(err)
	}
	b, err1 := os.ReadFile(out)
	err2 := os.WriteFile(in, []byte("end\n"), 0o600)
	ids := strings.Fields(string(b))
	if err := errors.Join(err1, err2); err != nil || len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("session and process: %q, %v", b, err)
	}
	if _, err := (OS{}).Run(t.Context(), Cmd{Argv: []string{"no-such-program-here"}, Detach: true}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a program that isn't there: %v", err)
	}
}

func TestRunContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := (OS{}).Run(ctx, Cmd{Argv: []string{"sleep", "600"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestStream(t *testing.T) {
	s, err := (OS{}).Stream(context.Background(), []string{"sh", "-c", "echo one; echo two; exec sleep 600"})
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(s)
	for _, want := range []string{"one", "two"} {
		if !sc.Scan() || sc.Text() != want {
			t.Fatalf("got %q, want %q", sc.Text(), want)
		}
	}
	s.Close()
	if sc.Scan() {
		t.Error("more after Close")
	}
	s, err = (OS{}).Stream(context.Background(), []string{"sh", "-c", "echo one; echo bad >&2; exit 20"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sc = bufio.NewScanner(s)
	for sc.Scan() {
	}
	var x *ExitError
	if !errors.As(sc.Err(), &x) || x.Exit != 20 || string(x.Stderr) != "bad\n" {
		t.Errorf("%v", sc.Err())
	}
}

func TestFiles(t *testing.T) {
	d := t.TempDir()
	var h Host = OS{}
	sub := filepath.Join(d, "a", "b")
	if err := h.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(sub, "x.res")
	for _, s := range []string{"one", "two"} {
		if err := h.WriteFile(p, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := h.ReadFile(p); err != nil || string(b) != "two" {
		t.Errorf("%q %v", b, err)
	}
	img := filepath.Join(sub, "v.img")
	if err := h.Truncate(img, 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := h.Truncate(img, 2<<20); err != nil {
		t.Fatal(err)
	}
	if err := h.Truncate(img, 1<<20); !errors.Is(err, ErrShrink) {
		t.Errorf("shrink: %v", err)
	}
	if st, err := h.Stat(img); err != nil || st.Size != 2<<20 || st.Allocated >= 2<<20 || !st.Exists {
		t.Errorf("%+v %v", st, err)
	}
	if err := h.Rename(p, p+"2"); err != nil {
		t.Fatal(err)
	}
	names, err := h.ReadDir(sub)
	if d := cmp.Diff([]string{"v.img", "x.res2"}, names); d != "" || err != nil {
		t.Error(d, err)
	}
	if err := h.Remove(p + "2"); err != nil {
		t.Fatal(err)
	}
	if err := h.Remove(p + "2"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := h.ReadFile(p); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if st, err := h.Stat(p); err != nil || st.Exists {
		t.Error(st, err)
	}
}

func TestBusy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	if _, err := (OS{}).Busy(file); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if busy, err := (OS{}).Busy(file); busy || err != nil { // nobody claims a plain file
		t.Error(busy, err)
	}
}

// Whatever the file system of this machine can, cp must agree, and nothing is left.
func TestReflinks(t *testing.T) {
	dir := t.TempDir()
	can, err := (OS{}).Reflinks(dir)
	if err != nil {
		t.Skip(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("%v %v", names, err)
	}
	if err := os.WriteFile(dir+"/a", make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := OS{}.Run(t.Context(), Cmd{Argv: []string{"cp", "--reflink=always", dir + "/a", dir + "/b"}})
	if err != nil || (r.Exit == 0) != can {
		t.Errorf("%v, but cp: %+v %v", can, r, err)
	}
	if _, err := (OS{}).Reflinks(dir + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
