package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/lab/agentapi"
)

// kernelArgs make the kernel start quickly; none of them changes what a test would see.
const kernelArgs = "console=ttyS0 quiet loglevel=4 mitigations=off nokaslr audit=0 apparmor=0 selinux=0 nowatchdog " +
	"cryptomgr.notests random.trust_cpu=on rcupdate.rcu_expedited=1 8250.nr_uarts=1 panic=-1"

// qemuSpec is all that a QEMU is started with.
type qemuSpec struct {
	id             int
	kernel, initrd string
	memory, cpus   int // MiB, number
	modules        []string
	udev           bool
	sockets        []string // of the disks' servers; the first is the root disk
	net            network
	console        string // file
	ram            string // file that is the memory; empty: none
	ramShared      bool   // writes go to that file (when a template is made), else they are private
	incoming       bool   // wait for a saved state
}

func (s qemuSpec) args(netdev string, qmpFD int) []string {
	machine := []string{"-M", "pc", "-m", strconv.Itoa(s.memory)}
	if s.ram != "" {
		share := map[bool]string{true: "on", false: "off"}[s.ramShared]
		machine = []string{"-M", "pc,memory-backend=ram", "-m", strconv.Itoa(s.memory),
			"-object", fmt.Sprintf("memory-backend-file,id=ram,size=%dM,mem-path=%s,share=%s", s.memory, s.ram, share)}
	}
	mtu := ""
	if s.net.mtu() != 1500 {
		mtu = fmt.Sprintf(",host_mtu=%d", s.net.mtu())
	}
	a := append(machine, "-name", agentapi.Name(s.id), "-accel", accel(), "-smp", strconv.Itoa(s.cpus),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", s.kernel, "-initrd", s.initrd,
		"-append", fmt.Sprintf("%s lab.id=%d lab.name=%s lab.mtu=%d lab.mods=%s", kernelArgs, s.id, agentapi.Name(s.id), s.net.mtu(), strings.Join(s.modules, ",")),
		"-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con",
		"-chardev", fmt.Sprintf("socket,id=qmp,fd=%d", qmpFD), "-mon", "chardev=qmp,mode=control",
		"-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
		"-netdev", "user,id=ctl,restrict=on,hostfwd=tcp:127.0.0.1:0-"+agentapi.Address,
		"-device", "virtio-net-pci,netdev=ctl,romfile=,mac="+controlMAC(s.id),
		"-netdev", netdev, "-device", "virtio-net-pci,id=nic0,netdev=data,romfile=,mac="+dataMAC(s.id)+mtu)
	if s.udev {
		i := slices.Index(a, "-append") + 1
		a[i] += " lab.udev=1 net.ifnames=0"
	}
	for i, path := range s.sockets {
		name, where := "root", ",addr=1e" // out of the way: the data disks are found first
		if i > 0 {
			name, where = fmt.Sprintf("disk%d", i-1), ""
		}
		a = append(a, "-blockdev", fmt.Sprintf("driver=nbd,node-name=%s,server.type=unix,server.path=%s,discard=unmap,cache.direct=off,cache.no-flush=off", name, path),
			"-device", fmt.Sprintf("virtio-blk-pci,drive=%s,serial=%s,write-cache=on%s", name, name, where))
	}
	if s.incoming {
		a = append(a, "-incoming", "defer")
	}
	return a
}

// accel is software emulation unless $HOLDFAST_LAB_ACCEL says otherwise (kvm).
func accel() string {
	if a := os.Getenv("HOLDFAST_LAB_ACCEL"); a != "" {
		return a
	}
	return "tcg,thread=multi"
}

// qemu is a running QEMU.
type qemu struct {
	qmp   *qmp
	port  int // of the agent, on 127.0.0.1
	pid   int
	ready chan struct{} // the agent said so on the console
	gone  chan struct{} // the process has ended and is waited for
	cmd   *exec.Cmd
	log   *console
}

// console keeps what QEMU and the machine print.
type console struct {
	mu    sync.Mutex
	file  *os.File
	line  []byte
	tail  []string
	ready chan struct{}
	once  sync.Once
}

// tailLines is how much of the console an error shows.
const tailLines = 12

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p {
		if b != '\n' {
			c.line = append(c.line, b)
			continue
		}
		l := strings.TrimRight(string(c.line), "\r")
		c.line = c.line[:0]
		c.tail = append(c.tail, l)
		if len(c.tail) > tailLines {
			c.tail = c.tail[1:]
		}
		if strings.Contains(l, agentapi.ReadyLine) {
			c.once.Do(func() { close(c.ready) })
		}
	}
	return c.file.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(append(c.tail[:len(c.tail):len(c.tail)], string(c.line)), "\n")
}

// startQEMU starts it and has its control channel open; the machine may not have begun to boot.
func startQEMU(s qemuSpec) (q *qemu, err error) {
	netdev, data, err := s.net.attach(s.id)
	if err != nil {
		return nil, fmt.Errorf("attach to network: %w", err)
	}
	defer data.Close()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket pair: %w", err)
	}
	theirs, ours := os.NewFile(uintptr(fds[0]), "qmp"), os.NewFile(uintptr(fds[1]), "qmp")
	defer theirs.Close()
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("make socket pair: %w", err)
	}
	file, err := os.OpenFile(s.console, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		conn.Close()
		return nil, err
	}
	log := &console{file: file, ready: make(chan struct{})}
	cmd := exec.Command("qemu-system-x86_64", s.args(fmt.Sprintf(netdev, 3), 4)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{data, theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := forever(cmd.Start); err != nil {
		conn.Close()
		file.Close()
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	q = &qemu{pid: cmd.Process.Pid, ready: log.ready, gone: make(chan struct{}), cmd: cmd, log: log}
	go func() {
		cmd.Wait()
		file.Close()
		conn.Close()
		close(q.gone)
	}()
	theirs.Close() // else its end is never seen
	if q.qmp, err = newQMP(conn); err == nil {
		q.port, err = q.agentPort()
	}
	if err != nil {
		q.kill()
		return nil, fmt.Errorf("start QEMU: %w\n%s", err, log)
	}
	return q, nil
}

var starter = sync.OnceValue(func() chan func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// forever runs f on a thread that lives as long as this process: the kernel kills a child with Pdeathsig when the
// thread that started it ends.
func forever(f func() error) error {
	done := make(chan error)
	starter() <- func() { done <- f() }
	return <-done
}

var forwarded = regexp.MustCompile(`TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)`)

// agentPort asks which port QEMU got for the way to the agent.
func (q *qemu) agentPort() (int, error) {
	b, err := q.qmp.do("human-monitor-command", map[string]any{"command-line": "info usernet"})
	if err != nil {
		return 0, err
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return 0, err
	}
	m := forwarded.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("find the agent's port in %q", text)
	}
	return strconv.Atoi(m[1])
}

// kill ends the process and waits for its end.
func (q *qemu) kill() {
	q.cmd.Process.Kill()
	<-q.gone
}

func (q *qemu) alive() bool {
	select {
	case <-q.gone:
		return false
	default:
		return true
	}
}

// booted waits for the agent after a cold start.
func (q *qemu) booted(ctx context.Context) error {
	select {
	case <-q.ready:
		return nil
	case <-q.gone:
		return fmt.Errorf("QEMU ended: %s\n%s", q.cmd.ProcessState, q.log)
	case <-ctx.Done():
		return fmt.Errorf("boot: %w\n%s", ctx.Err(), q.log)
	}
}

// shareMemory leaves the memory out of the saved state: it is in a file that both sides map.
func (q *qemu) shareMemory() error {
	_, err := q.qmp.do("migrate-set-capabilities", map[string]any{
		"capabilities": []any{map[string]any{"capability": "x-ignore-shared", "state": true}}})
	return err
}

// save stops the machine and writes the state of its devices to a file.
func (q *qemu) save(ctx context.Context, path string) error {
	if _, err := q.qmp.do("stop", nil); err != nil {
		return err
	}
	if err := q.shareMemory(); err != nil {
		return err
	}
	if _, err := q.qmp.do("migrate", map[string]any{"uri": "exec:cat > " + quote(path)}); err != nil {
		return err
	}
	return q.migrated(ctx)
}

// resume loads a state into a QEMU that waits for one, and lets the machine run.
func (q *qemu) resume(ctx context.Context, path string) error {
	if err := q.shareMemory(); err != nil {
		return err
	}
	if _, err := q.qmp.do("migrate-incoming", map[string]any{"uri": "exec:cat " + quote(path)}); err != nil {
		return err
	}
	if err := q.migrated(ctx); err != nil {
		return err
	}
	_, err := q.qmp.do("cont", nil)
	return err
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (q *qemu) migrated(ctx context.Context) error {
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for {
		b, err := q.qmp.do("query-migrate", nil)
		if err != nil {
			return err
		}
		var s struct {
			Status    string
			ErrorDesc string `json:"error-desc"`
		}
		if err := json.NewDecoder(bytes.NewReader(b)).Decode(&s); err != nil {
			return err
		}
		switch s.Status {
		case "completed":
			return nil
		case "failed":
			return fmt.Errorf("move machine state: %w\n%s", errors.New(s.ErrorDesc), q.log)
		}
		select {
		case <-t.C:
		case <-q.gone:
			return fmt.Errorf("QEMU ended: %s\n%s", q.cmd.ProcessState, q.log)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
