package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"holdfast/lab/agentapi"
	"holdfast/lab/image"
)

// Lab is a set of machines. Its methods may be called from several goroutines.
type Lab struct {
	Machines []*Machine

	config   Config
	image    *image.Image
	template *template // nil: machines boot
	net      network
	run      *runDir
	dir      string

	mu       sync.Mutex
	cuts     [][2]int
	forwards []net.Listener
	closed   bool
	wg       sync.WaitGroup
}

// Up makes what is missing (image, template), starts the machines and waits for their agents. After an error nothing is
// left running.
func Up(ctx context.Context, c Config) (_ *Lab, err error) {
	if c, err = c.filled(); err != nil {
		return nil, fmt.Errorf("bring up lab: %w", err)
	}
	l := &Lab{config: c}
	defer func() {
		if err != nil {
			l.Close()
			err = fmt.Errorf("bring up lab: %w", err)
		}
	}()
	if l.image, err = image.Ensure(ctx, image.Options{Home: c.Home, Source: c.Source, Modules: c.Extra, ZFS: c.ZFS, Log: c.Log}); err != nil {
		return nil, err
	}
	if l.net, err = newNetwork(c.Network, c.Log); err != nil {
		return nil, err
	}
	base := l.image.Root
	if !c.Cold {
		if l.template, err = ensureTemplate(ctx, l.image, c, l.net); err != nil {
			return nil, err
		}
		base = l.template.root
	}
	size, err := fileSize(base)
	if err != nil {
		return nil, err
	}
	if l.run, err = newRunDir(c.Home); err != nil {
		return nil, err
	}
	l.dir = l.run.path
	for id := 1; id <= c.Machines; id++ {
		m := &Machine{ID: id, Name: agentapi.Name(id), Address: agentapi.DataAddress(id), lab: l}
		m.Agent = NewAgent(m.Name, m.DialAgent)
		if m.drives, err = openDrives(l.dir, m.Name, base, size, c.Disks, c.Seed*1000+uint64(id)*10); err != nil {
			return nil, err
		}
		l.Machines = append(l.Machines, m)
	}
	return l, l.each(func(m *Machine) error { return m.Start(ctx) })
}

// each runs f for all machines at once.
func (l *Lab) each(f func(*Machine) error) error {
	errs := make([]error, len(l.Machines))
	var wg sync.WaitGroup
	for i, m := range l.Machines {
		wg.Go(func() { errs[i] = f(m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (l *Lab) spec(m *Machine) qemuSpec {
	return qemuSpec{
		id: m.ID, kernel: l.image.Kernel, initrd: l.image.Initrd, memory: l.config.Memory, cpus: l.config.CPUs, modules: l.config.Modules, udev: l.config.ZFS,
		sockets: sockets(m.drives), net: l.net, console: m.Console(),
	}
}

// Machine by name; it panics if there is none, since only a test's author can be wrong about that.
func (l *Lab) Machine(name string) *Machine {
	m, err := l.find(name)
	if err != nil {
		panic(err)
	}
	return m
}

func (l *Lab) find(name string) (*Machine, error) {
	for _, m := range l.Machines {
		if m.Name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("no machine %q in this lab", name)
}

// Dir is where this lab keeps disks, consoles and sockets until Close.
func (l *Lab) Dir() string { return l.dir }

// Network tells which kind of data network this lab has: tap or dgram.
func (l *Lab) Network() string { return l.net.kind() }

// Release is the kernel's version in the machines, as uname -r says.
func (l *Lab) Release() string { return l.image.Release }

// Cut silently drops everything between two machines on the data network, both ways, until Heal.
func (l *Lab) Cut(a, b string) error { return l.setCut(a, b, true) }

// Heal ends Cut.
func (l *Lab) Heal(a, b string) error { return l.setCut(a, b, false) }

func (l *Lab) setCut(a, b string, cut bool) error {
	x, err := l.find(a)
	if err != nil {
		return err
	}
	y, err := l.find(b)
	if err != nil {
		return err
	}
	if x == y {
		return fmt.Errorf("cut %s from itself", a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p := pair(x.ID, y.ID)
	cuts := slices.DeleteFunc(slices.Clone(l.cuts), func(q [2]int) bool { return q == p })
	if cut {
		cuts = append(cuts, p)
	}
	return l.apply(cuts)
}

// Isolate cuts a machine from all others.
func (l *Lab) Isolate(name string) error {
	for _, m := range l.Machines {
		if m.Name != name {
			if err := l.Cut(name, m.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// HealAll ends all cuts.
func (l *Lab) HealAll() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.apply(nil)
}

func (l *Lab) apply(cuts [][2]int) error {
	if err := l.net.cut(cuts); err != nil {
		return fmt.Errorf("cut network: %w", err)
	}
	l.cuts = cuts
	return nil
}

// Cuts lists the pairs of machines that are cut from each other.
func (l *Lab) Cuts() (pairs [][2]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.cuts {
		pairs = append(pairs, [2]string{agentapi.Name(p[0]), agentapi.Name(p[1])})
	}
	return pairs
}

// Dial connects the host to a TCP port on a machine's data address. It goes through the machine's agent, so it works
// whatever was cut, and the machine sees itself as the caller.
func (l *Lab) Dial(ctx context.Context, name string, port int) (net.Conn, error) {
	m, err := l.find(name)
	if err != nil {
		return nil, err
	}
	return m.Dial(ctx, net.JoinHostPort(m.Address, strconv.Itoa(port)))
}

// HTTPClient is a client for which URLs like http://alpha:3370 or http://10.77.0.1:3370 lead to the machines.
func (l *Lab) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		host, p, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		port, err := strconv.Atoi(p)
		if err != nil {
			return nil, err
		}
		for _, m := range l.Machines {
			if m.Name == host || m.Address == host {
				return l.Dial(ctx, m.Name, port)
			}
		}
		return nil, fmt.Errorf("no machine %q in this lab", host)
	}}}
}

// Forward listens on a TCP address of the host ("127.0.0.1:0": any free port) and leads what comes to a port on a
// machine's data address, also after the machine was restarted. It returns the address, and lasts until Close.
func (l *Lab) Forward(listen, name string, port int) (string, error) {
	if _, err := l.find(name); err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return "", errors.New("lab is closed")
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return "", fmt.Errorf("forward to %s: %w", name, err)
	}
	l.forwards = append(l.forwards, ln)
	l.wg.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := l.Dial(context.Background(), name, port)
				if err != nil {
					return
				}
				defer far.Close()
				join(near, far)
			}()
		}
	})
	return ln.Addr().String(), nil
}

// join copies both ways until both have ended.
func join(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(a, b)
		closeWrite(a)
	}()
	io.Copy(b, a)
	closeWrite(b)
	<-done
}

func closeWrite(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
		return
	}
	c.Close()
}

// Close ends everything that this lab started and removes its disks.
func (l *Lab) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	for _, f := range l.forwards {
		f.Close()
	}
	l.mu.Unlock()
	l.wg.Wait()
	var errs []error
	errs = append(errs, l.each(func(m *Machine) error {
		err := m.KillKeeping(0)
		for _, d := range m.drives {
			d.Off()
			err = errors.Join(err, d.Close())
		}
		return err
	}))
	if l.net != nil {
		errs = append(errs, l.net.close())
	}
	if l.run != nil {
		errs = append(errs, l.run.remove())
	}
	if l.template != nil {
		errs = append(errs, l.template.hold.Close())
	}
	if l.image != nil {
		errs = append(errs, l.image.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close lab: %w", err)
	}
	return nil
}

// dialPort connects to an agent whose port is known.
func dialPort(port int) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
}
