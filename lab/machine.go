package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"holdfast/lab/agentapi"
	"holdfast/lab/nbd"
)

// bootLimit is how long a machine may take to start where the context has no deadline.
const bootLimit = 2 * time.Minute

// errOff is the answer of a machine that does not run.
var errOff = errors.New("machine is off")

// Machine is one virtual machine. Its agent's methods (Run, Exec, Sh, Spawn, Put, Get ...) are its own.
type Machine struct {
	*Agent
	ID      int
	Name    string
	Address string // on the data network

	lab    *Lab
	drives []*drive // the first is the root disk

	mu      sync.Mutex
	qemu    *qemu // nil: never started, or killed
	resumed bool  // it has used up its copy of the template
}

// drive is a disk and the server that QEMU reaches it by.
type drive struct {
	*nbd.Disk
	server *nbd.Server
	socket string
}

func newDrive(c nbd.Config, socket string) (*drive, error) {
	d, err := nbd.Open(c)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("serve disk: %w", err)
	}
	return &drive{Disk: d, server: nbd.Serve(ln, d), socket: socket}, nil
}

func (d *drive) Close() error { return errors.Join(d.server.Close(), d.Disk.Close()) }

// openDrives makes the root disk over base and empty data disks; files and sockets go to dir.
func openDrives(dir, name, base string, rootSize int64, disks []int64, seed uint64) (all []*drive, err error) {
	defer func() {
		if err != nil {
			for _, d := range all {
				d.Close()
			}
			all = nil
		}
	}()
	for i := range len(disks) + 1 {
		c := nbd.Config{Path: filepath.Join(dir, name+".root"), Base: base, Size: rootSize, Seed: seed + uint64(i)}
		if i > 0 {
			c.Path, c.Base, c.Size = filepath.Join(dir, fmt.Sprintf("%s.disk%d", name, i-1)), "", disks[i-1]
		}
		d, err := newDrive(c, filepath.Join(dir, fmt.Sprintf("%s.%d.nbd", name, i)))
		if err != nil {
			return all, err
		}
		all = append(all, d)
	}
	return all, nil
}

func sockets(all []*drive) (paths []string) {
	for _, d := range all {
		paths = append(paths, d.socket)
	}
	return paths
}

func (m *Machine) running() (*qemu, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.qemu == nil || !m.qemu.alive() {
		return nil, fmt.Errorf("%s: %w", m.Name, errOff)
	}
	return m.qemu, nil
}

// DialAgent connects to the agent itself.
func (m *Machine) DialAgent(ctx context.Context) (net.Conn, error) {
	q, err := m.running()
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(q.port)))
}

// Start powers the machine on and waits for its agent. The first start resumes the template's copy, if there is one;
// every later one is a cold boot from the machine's own disks.
func (m *Machine) Start(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, bootLimit)
		defer cancel()
	}
	m.mu.Lock()
	if m.qemu != nil && m.qemu.alive() {
		m.mu.Unlock()
		return fmt.Errorf("start %s: it runs", m.Name)
	}
	t := m.lab.template
	resume := t != nil && !m.resumed
	m.resumed = true
	s := m.lab.spec(m)
	if resume {
		s.ram, s.incoming = t.ram, true
	}
	for _, d := range m.drives {
		d.On()
	}
	q, err := startQEMU(s)
	m.qemu = q
	m.mu.Unlock()
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	if !resume {
		err = q.booted(ctx)
	} else if err = q.resume(ctx, t.state); err == nil {
		err = m.identify(ctx)
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	return nil
}

// identify makes a copy of the template this machine.
func (m *Machine) identify(ctx context.Context) error {
	seed := make([]byte, 64)
	rand.Read(seed)
	return m.call(ctx, http.MethodPost, agentapi.PathIdentity, nil, agentapi.Identity{
		ID: m.ID, Name: m.Name, Address: m.Address + "/24", MAC: dataMAC(m.ID), Seed: seed, UnixNano: time.Now().UnixNano(),
	}, nil)
}

// Running tells whether it is powered on.
func (m *Machine) Running() bool {
	_, err := m.running()
	return err == nil
}

// Pid is QEMU's process id; 0: it does not run.
func (m *Machine) Pid() int {
	if q, err := m.running(); err == nil {
		return q.pid
	}
	return 0
}

// Kill is a power cut: the machine stops at once, and of what it wrote without a flush a random part is lost
// (Config.Keep and Seed decide). A machine that is off stays off.
func (m *Machine) Kill() error { return m.KillKeeping(m.lab.config.Keep) }

// KillKeeping is Kill with another probability that an unflushed page survives: 0 loses all of them, 1 none.
func (m *Machine) KillKeeping(keep float64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.qemu == nil {
		return nil
	}
	for _, d := range m.drives {
		d.Off()
	}
	m.qemu.kill()
	m.qemu = nil
	var errs []error
	for _, d := range m.drives {
		errs = append(errs, d.Lose(keep))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cut power of %s: %w", m.Name, err)
	}
	return nil
}

// Link plugs data0's cable in or pulls it: unlike Cut, the machine sees that the carrier is gone.
func (m *Machine) Link(up bool) error {
	q, err := m.running()
	if err != nil {
		return err
	}
	if _, err := q.qmp.do("set_link", map[string]any{"name": "nic0", "up": up}); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// Freeze stops the machine's processors without its knowledge, as a long stall of a host does; Thaw lets them go on.
func (m *Machine) Freeze() error { return m.tell("stop") }

// Thaw ends Freeze.
func (m *Machine) Thaw() error { return m.tell("cont") }

func (m *Machine) tell(command string) error {
	q, err := m.running()
	if err != nil {
		return err
	}
	if _, err := q.qmp.do(command, nil); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// Disks are the counters of the disks: the root disk, then the data disks.
func (m *Machine) Disks() (all []nbd.Stats) {
	for _, d := range m.drives {
		all = append(all, d.Stats())
	}
	return all
}

// Console is the file that has all that the machine printed.
func (m *Machine) Console() string { return filepath.Join(m.lab.dir, m.Name+".console") }
