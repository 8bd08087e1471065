package machine

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"holdfast/internal/tool/drbd"
)

// DefaultRate is how fast volumes sync, in KiB a second.
const DefaultRate = 100 << 10

// Network joins machines.
type Network struct {
	RateKiB   int64         // of each sync, per second
	SyncDelay time.Duration // before a sync begins, see agreeOnSync

	mu          sync.Mutex
	more        *sync.Cond // streams have more to read
	machines    []*Machine
	cut         map[[2]string]bool
	last        time.Time
	uuids       uint64 // last data generation UUID made
	writes      int    // last write made
	standstills int    // last standstill of I/O
	fs          fsBlocks
	// overwritten: see Overwritten
	overwritten []string
	garbage     int  // last kind of old contents
	stirred     bool // a program may have changed what DRBD does
	version     int
}

// NewNetwork has no machine yet.
func NewNetwork() *Network {
	n := &Network{RateKiB: DefaultRate, cut: map[[2]string]bool{}, fs: fsBlocks{}}
	n.more = sync.NewCond(&n.mu)
	return n
}

// Options describe a machine.
type Options struct {
	Address netip.Addr
	Module  string           // version of the DRBD module on its disk, such as 8.4.11 or 9.2.18; empty: none
	VGs     map[string]int64 // volume groups and their sizes in KiB
	Zpools  map[string]int64 // zpools and their sizes in KiB
	DiskKiB int64            // size of the file system; 0: 10 GiB
}

// Add makes a machine, switched on.
func (n *Network) Add(name string, o Options) *Machine {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := &Machine{
		net: n, name: name, addr: o.Address, module: o.Module, on: true, diskKiB: o.DiskKiB,
		files: map[string]*file{}, dirs: map[string]bool{"/": true},
		kernel: map[string]*resource{}, fail: map[string]int{}, hang: map[string]bool{}, hung: map[int]string{},
	}
	if m.diskKiB == 0 {
		m.diskKiB = 10 << 20
	}
	for _, d := range []string{"/dev", "/proc", "/run", "/etc/drbd.d", "/var/lib"} {
		m.mkdir(d)
	}
	for _, p := range sortedKeys(o.Zpools) {
		m.addZpool(p, o.Zpools[p])
	}
	for _, vg := range sortedKeys(o.VGs) {
		m.addVG(vg, o.VGs[vg])
	}
	n.machines = append(n.machines, m)
	return m
}

// Machine finds one by name, or gives nil.
func (n *Network) Machine(name string) *Machine {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.machines, func(m *Machine) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return n.machines[i]
}

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// Cut breaks the link between two machines. DRBD notices at the next Tick, or
// when it wants to write.
func (n *Network) Cut(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[pair(a, b)] = true
}

// Heal mends the link; connections come back at the next Tick.
func (n *Network) Heal(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cut, pair(a, b))
}

// Linked says whether two machines are on and reach each other.
func (n *Network) Linked(a, b string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	x, y := -1, -1
	for i, m := range n.machines {
		if m.name == a {
			x = i
		}
		if m.name == b {
			y = i
		}
	}
	return x >= 0 && y >= 0 && n.reach(n.machines[x], n.machines[y])
}

func (n *Network) reach(a, b *Machine) bool {
	return a.on && b.on && !n.cut[pair(a.name, b.name)]
}

// Tick lets time pass up to now: links that are gone are noticed, connections
// made, syncs moved on. The first call only sets the clock.
func (n *Network) Tick(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var kib int64
	if !n.last.IsZero() && now.After(n.last) {
		kib = int64(now.Sub(n.last).Seconds() * float64(n.RateKiB))
	}
	if n.last.IsZero() || now.After(n.last) {
		n.last = now
	}
	moved := n.link()
	for _, m := range n.machines {
		moved = m.guarded(n.last) || moved
	}
	for _, m := range n.machines {
		for _, name := range sortedKeys(m.kernel) {
			for _, c := range m.kernel[name].conns {
				moved = n.progress(m, m.kernel[name], c, kib) || moved
			}
		}
	}
	if moved {
		n.link()
		n.settle()
	}
}

// Version changes whenever something did, or may have: files, volumes, DRBD's state. Times and syncs that go on don't
// count.
func (n *Network) Version() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
}

// link drops connections without a link and makes those that can be made,
// until nothing changes. It tells whether anything did.
func (n *Network) link() (moved bool) {
	for again := true; again; {
		again = n.unlink()
		again = n.regroup() || again
		moved = moved || again
		for _, m := range n.machines {
			for _, name := range sortedKeys(m.kernel) {
				r := m.kernel[name]
				for _, c := range r.conns {
					p, pr, pc := n.other(m, r, c)
					switch c.state {
					case "Connected":
						if pc != nil && n.catchUp(m, r, c, p, pr, pc) {
							again, moved = true, true
						}
					case "Connecting":
						if pc != nil && pc.state == "Connecting" && n.reach(m, p) && n.handshake(m, r, c, p, pr, pc) {
							again, moved = true, true
						}
					}
				}
			}
		}
	}
	return moved
}

// unlink drops connections without a link. It tells whether there was one.
func (n *Network) unlink() (moved bool) {
	for _, m := range n.machines {
		for _, name := range sortedKeys(m.kernel) {
			r := m.kernel[name]
			for _, c := range r.conns {
				if p, _, pc := n.other(m, r, c); c.state == "Connected" && (pc == nil || pc.state != "Connected" || !n.reach(m, p)) {
					n.lose(m, r, c)
					moved = true
				}
			}
		}
	}
	return moved
}

// other finds the far end of a connection: the one with the addresses the
// other way round.
func (n *Network) other(m *Machine, r *resource, c *conn) (*Machine, *resource, *conn) {
	for _, p := range n.machines {
		if p == m || !p.answers(c.remote.Addr()) {
			continue
		}
		if pr := p.kernel[r.name]; pr != nil { // as nearly always
			if pc := pr.to(c); pc != nil {
				return p, pr, pc
			}
		}
		for _, name := range sortedKeys(p.kernel) {
			if pc := p.kernel[name].to(c); pc != nil {
				return p, p.kernel[name], pc
			}
		}
	}
	return nil, nil, nil
}

// to is r's end of a connection, or nil.
func (r *resource) to(c *conn) *conn {
	for _, pc := range r.conns {
		if pc.local == c.remote && pc.remote == c.local {
			return pc
		}
	}
	return nil
}

// newUUID makes a data generation's name. The lowest bit is DRBD's own (Primary).
func (n *Network) newUUID() uint64 {
	n.uuids++
	// Spread over 64 bits, so that they look as they do elsewhere.
	return (n.uuids*0x9E3779B97F4A7C15 | 1<<63) &^ 1
}

// settle makes what the kernel writes to metadata by itself durable, and tells
// those who watch.
func (n *Network) settle() {
	n.version++
	for _, m := range n.machines {
		m.saveFlags()
		m.tell()
	}
	n.more.Broadcast()
}

func (n *Network) String() string { return fmt.Sprintf("network of %d machines", len(n.machines)) }

func generation(module string) drbd.Generation {
	switch {
	case module == "":
		return drbd.Absent
	case module[0] == '8':
		return drbd.Gen8
	}
	return drbd.Gen9
}
