package run

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// MaxOutput bounds what is kept of a program's output, in bytes.
const MaxOutput = 64 << 20

// reapWait is how long a killed program may take to die before it counts as
// stuck in the kernel.
const reapWait = 2 * time.Second

// sbin is searched after PATH: LVM and DRBD live there, and a daemon's or a
// user's PATH may lack it.
var sbin = []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"}

// OS is the real machine. Log may be nil; each argv goes there at debug level.
type OS struct {
	Log *slog.Logger
}

var _ Host = OS{}

func lookup(name string) (string, error) {
	if strings.ContainsRune(name, '/') {
		if _, err := os.Stat(name); err != nil {
			return "", fmt.Errorf("%s: %w", name, ErrNotFound)
		}
		return name, nil
	}
	for _, d := range slices.Concat(filepath.SplitList(os.Getenv("PATH")), sbin) {
		if !filepath.IsAbs(d) {
			continue
		}
		p := filepath.Join(d, name)
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, ErrNotFound)
}

func environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "LC_") || strings.HasPrefix(s, "LANG") || strings.HasPrefix(s, "PATH=")
	})
	path := strings.Join(slices.Concat(filepath.SplitList(os.Getenv("PATH")), sbin), ":")
	return append(env, "LC_ALL=C", "LANG=C", "LVM_SUPPRESS_FD_WARNINGS=1", "PATH="+path)
}

func (o OS) command(argv []string) (*exec.Cmd, error) {
	if len(argv) == 0 {
		return nil, fmt.Errorf("start program: empty argv")
	}
	path, err := lookup(argv[0])
	if err != nil {
		return nil, err
	}
	if o.Log != nil {
		o.Log.Debug("run", "argv", argv)
	}
	return &exec.Cmd{
		Path: path, Args: argv, Env: environ(), Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}, nil
}

// Run implements Runner.
func (o OS) Run(ctx context.Context, c Cmd) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	cmd, err := o.command(c.Argv)
	if err != nil {
		return Result{}, err
	}
	if c.Detach {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return Result{}, fmt.Errorf("start %s: %w", c.Argv[0], err)
		}
		go cmd.Wait() // else its end would leave a zombie
		return Result{}, nil
	}
	// The buffers belong to the waiting goroutine until it says done.
	var out, errb capped
	cmd.Stdout, cmd.Stderr = &out, &errb
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	cmd.WaitDelay = reapWait // a grandchild may keep the pipes
	if err := cmd.Start(); err != nil {
		return Result{}, fmt.Errorf("start %s: %w", c.Argv[0], err)
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait() // the state tells
		close(done)
	}()
	limit := c.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	var cause error
	select {
	case <-done:
		if out.over || errb.over {
			return Result{}, fmt.Errorf("%s: %w", c.Argv[0], ErrTooLong)
		}
		return Result{Exit: status(cmd.ProcessState), Stdout: out.Bytes(), Stderr: errb.Bytes()}, nil
	case <-deadline.C:
	case <-ctx.Done():
		cause = ctx.Err()
	}
	pid := cmd.Process.Pid
	syscall.Kill(-pid, syscall.SIGKILL)
	reap := time.NewTimer(reapWait)
	defer reap.Stop()
	select {
	case <-done:
		if cause != nil {
			return Result{}, fmt.Errorf("%s: %w", c.Argv[0], cause)
		}
		return Result{}, &HungError{Pid: pid, Argv: c.Argv, After: limit, Reaped: true}
	case <-reap.C:
		return Result{}, &HungError{Pid: pid, Argv: c.Argv, After: limit}
	}
}

func status(p *os.ProcessState) int {
	if p == nil {
		return 255
	}
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ExitCode()
}

// capped is a buffer that stops growing at MaxOutput and says so.
type capped struct {
	bytes.Buffer
	over bool
}

func (b *capped) Write(p []byte) (int, error) {
	if b.Len()+len(p) > MaxOutput {
		b.over = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

// Stream implements Streamer.
func (o OS) Stream(ctx context.Context, argv []string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cmd, err := o.command(argv)
	if err != nil {
		return nil, err
	}
	var errb tail
	cmd.Stderr = &errb
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	cmd.Stdout = w
	cmd.WaitDelay = reapWait
	if err := cmd.Start(); err != nil {
		r.Close()
		w.Close()
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	w.Close()
	s := &stream{r: r, pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		if x := status(cmd.ProcessState); x != 0 {
			s.err = &ExitError{Argv: argv, Exit: x, Stderr: errb.b}
		}
		close(s.done)
	}()
	s.stop = context.AfterFunc(ctx, func() { s.kill() })
	return s, nil
}

type stream struct {
	r    *os.File
	pid  int
	done chan struct{} // closed when reaped
	err  error         // valid after done
	stop func() bool
}

func (s *stream) kill() {
	select {
	case <-s.done: // the pid may be another's by now
	default:
		syscall.Kill(-s.pid, syscall.SIGKILL)
	}
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != io.EOF {
		return n, err
	}
	t := time.NewTimer(reapWait)
	defer t.Stop()
	select {
	case <-s.done:
		if s.err != nil {
			return n, s.err
		}
	case <-t.C:
	}
	return n, io.EOF
}

func (s *stream) Close() error {
	s.stop()
	s.kill()
	return s.r.Close()
}

// tail keeps the first 8 KiB of what is written.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	if room := 8<<10 - len(t.b); room > 0 {
		t.b = append(t.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// ReadFile implements FS.
func (OS) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// WriteFile implements FS: a hidden temporary file beside it, fsync, rename,
// fsync of the folder. There must be one writer for a path.
func (OS) WriteFile(path string, data []byte, perm uint32) (err error) {
	dir := filepath.Dir(path)
	tmp := filepath.Join(dir, "."+filepath.Base(path)+".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(perm))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp)
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(fs.FileMode(perm)) // the file may be left from before
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err = os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(dir)
}

// Remove implements FS.
func (OS) Remove(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Rename implements FS.
func (OS) Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if a, b := filepath.Dir(from), filepath.Dir(to); a != b {
		if err := syncDir(a); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(to))
}

// ReadDir implements FS.
func (OS) ReadDir(path string) ([]string, error) {
	es, err := os.ReadDir(path) // sorted
	names := make([]string, len(es))
	for i, e := range es {
		names[i] = e.Name()
	}
	return names, err
}

// Stat implements FS. It follows symbolic links.
func (OS) Stat(path string) (Stat, error) {
	fi, err := os.Stat(path)
	if os.IsNotExist(err) {
		return Stat{}, nil
	}
	if err != nil {
		return Stat{}, err
	}
	s := Stat{Exists: true, Dir: fi.IsDir(), Size: fi.Size()}
	if t, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.Allocated = t.Blocks * 512
	}
	return s, nil
}

// MkdirAll implements FS. Folders that it makes are durable.
func (OS) MkdirAll(path string, perm uint32) error {
	path = filepath.Clean(path)
	st, err := os.Stat(path)
	if err == nil && st.IsDir() {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := (OS{}).MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, fs.FileMode(perm)); err != nil && !os.IsExist(err) {
		return err
	}
	return syncDir(parent)
}

// Truncate implements FS.
func (OS) Truncate(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() > size {
		return fmt.Errorf("truncate %s to %d bytes: %w", path, size, ErrShrink)
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}
