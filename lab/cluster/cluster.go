// Package cluster runs Holdfast in a lab: satellites on every machine, the controller on alpha, a volume group on the
// first data disk of each, the command line on the host. The demo, `make lab` and the lab's scenarios share it.
package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"holdfast/lab"
)

// Binary's place in the machines, and the state directories of a real installation.
const (
	Binary  = "/usr/local/sbin/holdfast"
	VG      = "sw_ssd"
	logDir  = "/var/log/"
	RestTCP = 3370
)

// Config says what to bring up.
type Config struct {
	Lab lab.Config
	// Bare: nothing of Holdfast is started, the volume groups aren't made.
	Bare bool
	// ControllerOn names the machine of the controller; default alpha.
	ControllerOn string
	// NoSatellite names machines on which none is started.
	NoSatellite []string
}

// Cluster is a lab with Holdfast in it.
type Cluster struct {
	*lab.Lab
	URL string // of the REST API, on the host

	on    string
	cli   string // the binary on the host
	mu    sync.Mutex
	procs map[string]*lab.Process // "controller alpha", "satellite bravo"
}

// Up builds the program, starts the machines and Holdfast on them.
func Up(ctx context.Context, c Config) (_ *Cluster, err error) {
	bin, err := Build(ctx)
	if err != nil {
		return nil, err
	}
	l, err := lab.Up(ctx, c.Lab)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = l.Close()
		}
	}()
	cl := &Cluster{Lab: l, on: c.ControllerOn, cli: bin, procs: map[string]*lab.Process{}}
	if cl.on == "" {
		cl.on = l.Machines[0].Name
	}
	if err := cl.install(ctx, c.Bare); err != nil {
		return nil, err
	}
	addr, err := l.Forward("127.0.0.1:0", cl.on, RestTCP)
	if err != nil {
		return nil, err
	}
	cl.URL = "http://" + addr
	if c.Bare {
		return cl, nil
	}
	for _, m := range l.Machines {
		if slices.Contains(c.NoSatellite, m.Name) {
			continue
		}
		if err := cl.StartSatellite(ctx, m.Name); err != nil {
			return nil, err
		}
	}
	if err := cl.StartController(ctx); err != nil {
		return nil, err
	}
	return cl, nil
}

// Build compiles the program into build/holdfast of the checkout and links build/linstor to it.
func Build(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "build")
	if err := Compile(ctx, filepath.Join(dir, "holdfast"), "holdfast/cmd/holdfast"); err != nil {
		return "", err
	}
	link := filepath.Join(dir, "linstor")
	if err := os.Symlink("holdfast", link); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return link, nil
}

// Compile makes a static program of a package of this module. More linker flags may be given.
func Compile(ctx context.Context, bin, pkg string, ldflags ...string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", strings.Join(append([]string{"-s", "-w"}, ldflags...), " "), "-o", bin, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// PutProgram compiles a package and puts it into a machine.
func (c *Cluster) PutProgram(ctx context.Context, node, path, pkg string, ldflags ...string) error {
	dir, err := os.MkdirTemp("", "holdfast-lab")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, filepath.Base(path))
	if err := Compile(ctx, bin, pkg, ldflags...); err != nil {
		return err
	}
	return c.Machine(node).Put(ctx, bin, path)
}

func (c *Cluster) install(ctx context.Context, bare bool) error {
	return c.each(func(m *lab.Machine) error {
		if err := m.Put(ctx, c.cli, Binary); err != nil {
			return err
		}
		script := "ln -sf " + Binary + " /usr/local/sbin/linstor"
		if !bare {
			script += "; vgcreate -q " + VG + " /dev/vda && sync /dev/vda" // a power cut may come before anybody else flushes
		}
		// At each resync the kernel asks drbdadm for handlers, of which there are none: that takes seconds here.
		script += "; echo options drbd usermode_helper=/bin/true >/etc/modprobe.d/drbd-helper.conf; p=/sys/module/drbd/parameters/usermode_helper; [ ! -e $p ] || printf /bin/true >$p"
		// A power cut loses what was not flushed: that must not be the program under test.
		_, err := m.Sh(ctx, script+"; sync")
		return err
	})
}

func (c *Cluster) each(f func(*lab.Machine) error) error {
	errs := make([]error, len(c.Machines))
	var wg sync.WaitGroup
	for i, m := range c.Machines {
		wg.Go(func() { errs[i] = f(m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (c *Cluster) spawn(ctx context.Context, what, node string, env ...string) error {
	p, err := c.Machine(node).Spawn(ctx, logDir+"holdfast-"+what+".log", lab.Command{Argv: []string{Binary, what}, Env: env})
	if err != nil {
		return fmt.Errorf("start the %s on %s: %w", what, node, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.procs[what+" "+node] = p
	return nil
}

func (c *Cluster) proc(what, node string) *lab.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.procs[what+" "+node]
}

// StartSatellite starts it and doesn't wait.
func (c *Cluster) StartSatellite(ctx context.Context, node string) error {
	return c.spawn(ctx, "satellite", node)
}

// StartSatelliteWith starts it with more environment (NAME=VALUE).
func (c *Cluster) StartSatelliteWith(ctx context.Context, node string, env ...string) error {
	return c.spawn(ctx, "satellite", node, env...)
}

// Alive tells whether a daemon ("controller", "satellite") runs on a machine.
func (c *Cluster) Alive(ctx context.Context, what, node string) (bool, error) {
	p := c.proc(what, node)
	if p == nil {
		return false, nil
	}
	return p.Running(ctx)
}

// StartController starts it and waits until it answers.
func (c *Cluster) StartController(ctx context.Context) error {
	if err := c.spawn(ctx, "controller", c.on); err != nil {
		return err
	}
	return c.WaitREST(ctx)
}

// WaitREST waits until the controller answers.
func (c *Cluster) WaitREST(ctx context.Context) error {
	return Wait(ctx, 30*time.Second, "the controller answers", func() (bool, string) {
		if _, err := c.Linstor(ctx, "controller", "version"); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
}

// Signal sends a signal to a daemon ("controller", "satellite") on a machine and, for one that ends it, waits for that.
func (c *Cluster) Signal(ctx context.Context, what, node string, s syscall.Signal) error {
	p := c.proc(what, node)
	if p == nil {
		return fmt.Errorf("no %s was started on %s", what, node)
	}
	if err := p.Signal(ctx, s); err != nil {
		return err
	}
	if s == syscall.SIGSTOP || s == syscall.SIGCONT || s == syscall.SIGHUP {
		return nil
	}
	_, err := p.Wait(ctx)
	return err
}

// StopController ends it; with SIGKILL it has no time to say goodbye.
func (c *Cluster) StopController(ctx context.Context, s syscall.Signal) error {
	return c.Signal(ctx, "controller", c.on, s)
}

// PowerOn boots a machine that was killed and starts on it what ran there before.
func (c *Cluster) PowerOn(ctx context.Context, node string) error {
	m := c.Machine(node)
	if err := m.Start(ctx); err != nil {
		return err
	}
	if c.proc("satellite", node) != nil {
		if err := c.StartSatellite(ctx, node); err != nil {
			return err
		}
	}
	if node == c.on && c.proc("controller", node) != nil {
		return c.StartController(ctx)
	}
	return nil
}

// Command is the command line on the host, aimed at this cluster.
func (c *Cluster) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.cli, args...)
	cmd.Env = append(os.Environ(), "LS_CONTROLLERS="+c.URL)
	return cmd
}

// Linstor runs a command line and returns what it printed; a failure carries both outputs.
func (c *Cluster) Linstor(ctx context.Context, args ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := c.Command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("linstor %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String(), nil
}

// Log is what a daemon printed on a machine.
func (c *Cluster) Log(ctx context.Context, what, node string) string {
	b, err := c.Machine(node).Get(ctx, logDir+"holdfast-"+what+".log")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Wait asks until ok, at most limit; the error tells what was waited for and what was last seen.
func Wait(ctx context.Context, limit time.Duration, what string, ok func() (bool, string)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		good, seen := ok()
		if good {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v until %s; last: %s", limit, what, seen)
		case <-tick.C:
		}
	}
}

// Pause waits that long, or until the context ends; then it returns its error.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
