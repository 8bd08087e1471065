package machine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/tool/drbd"
)

// Why Write and Open fail.
var (
	ErrNotPrimary = errors.New("not Primary")
	ErrSuspended  = errors.New("I/O is suspended")
	ErrIO         = errors.New("input/output error")
	ErrNoVolume   = errors.New("no such volume")
)

func (m *Machine) find(res string, vol int) (*resource, *volume, error) {
	r := m.kernel[res]
	if !m.on || r == nil || r.vol(vol) == nil {
		return nil, nil, fmt.Errorf("%s/%d on %s: %w", res, vol, m.name, ErrNoVolume)
	}
	return r, r.vol(vol), nil
}

// Write writes one block of its own on a Primary and gives its number, which is
// unique in the network. Without error the write is acknowledged: it's on every
// disk that counts (protocol C, flushed). Who was cut off is noticed here.
func (m *Machine) Write(res string, vol int) (id int, err error) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	defer m.net.settle()
	r, v, err := m.find(res, vol)
	if err != nil {
		return 0, err
	}
	return m.put(r, v)
}

// put writes a block of its own to a volume.
func (m *Machine) put(r *resource, v *volume) (id int, err error) {
	res := r.name
	if r.role != "Primary" || r.oneVolume && r.primary != v.num {
		return 0, fmt.Errorf("%s on %s: %w", res, m.name, ErrNotPrimary)
	}
	m.net.link()
	m.countQuorum(r)
	if r.suspended() != "no" || r.unanswered() {
		return 0, fmt.Errorf("%s on %s: %w", res, m.name, ErrSuspended)
	}
	if r.noQuorum || !m.reachable(r, v) {
		return 0, fmt.Errorf("%s on %s: %w", res, m.name, ErrIO)
	}
	members := m.net.members(m, r, v)
	m.net.rotate(m, r, v)
	m.net.expose(m, r, v)
	m.net.writes++
	id = m.net.writes
	for _, x := range members {
		if x.v.disk == nil {
			continue
		}
		x.v.disk.blocks[id] = true
		x.v.writtenKiB += 4
		for _, c := range x.r.conns {
			if x.missing(m.net, c, members) {
				x.v.disk.md.slot(c.peerID).mark(id)
			}
		}
	}
	return id, nil
}

// View is what a reader finds on a node.
type View struct {
	Writes []int // sorted
	Base   int   // what unwritten blocks hold: 0 zeros, else leftovers
}

// Read is what a Primary on this node would read: of its own UpToDate disk, or
// of a peer's in reach. It needs no role; whether the node may be Primary is
// another question. A Primary without quorum reads nothing.
func (m *Machine) Read(res string, vol int) (View, error) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	r, v, err := m.find(res, vol)
	if err != nil {
		return View{}, err
	}
	m.countQuorum(r)
	if r.role == "Primary" && r.noQuorum {
		return View{}, fmt.Errorf("%s/%d on %s: no quorum: %w", res, vol, m.name, ErrIO)
	}
	if v.disk != nil && v.state == "UpToDate" {
		return v.disk.view(), nil
	}
	for _, x := range m.net.members(m, r, v)[1:] {
		if x.v.disk != nil && x.v.state == "UpToDate" && m.net.reach(m, x.m) {
			return x.v.disk.view(), nil
		}
	}
	return View{}, fmt.Errorf("%s/%d on %s: %w", res, vol, m.name, ErrIO)
}

func (d *Disk) view() View { return View{Writes: sortedKeys(d.blocks), Base: d.base} }

// Readable says whether a write is in what Read gives.
func (m *Machine) Readable(res string, vol, id int) bool {
	w, err := m.Read(res, vol)
	_, ok := slices.BinarySearch(w.Writes, id)
	return err == nil && ok
}

// OnDisk is what a backing device or sparse file holds, whatever its state:
// path as in /dev/VG/LV or the file's own. It also looks at inactive volumes
// and machines that are off.
func (m *Machine) OnDisk(path string) (View, bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if d := m.diskAt(path); d != nil {
		return d.content().view(), true
	}
	return View{}, false
}

// WriteDisk writes one block of its own by hand, past all layers above; path as for OnDisk. It says whether that is there.
func (m *Machine) WriteDisk(path string) bool {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d := m.diskAt(path)
	if d == nil {
		return false
	}
	m.net.writes++
	d.content().blocks[m.net.writes] = true
	return true
}

func (m *Machine) diskAt(path string) *Disk {
	if name, ok := strings.CutPrefix(path, "/dev/zvol/"); ok {
		if _, v := m.zfind(name); v != nil {
			return v.disk
		}
	}
	if f := m.files[path]; f != nil {
		return f.disk
	}
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			if path == "/dev/"+g.name+"/"+v.name {
				return v.disk
			}
		}
	}
	return nil
}

// Open is a program that opens a DRBD device and keeps it. On a Secondary 9
// promotes by itself if it may; 8.4 refuses.
func (m *Machine) Open(res string, vol int) error {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	defer m.net.settle()
	r, v, err := m.find(res, vol)
	if err != nil {
		return err
	}
	if r.role != "Primary" {
		if r.gen == drbd.Gen8 || r.option("options", "auto-promote") == "no" {
			return fmt.Errorf("%s on %s: wrong medium type: %w", res, m.name, ErrNotPrimary)
		}
		x := &call{m: m}
		m.quiet = true // it's no effect of the satellite's
		ok := m.promote(x, r, -1, false)
		m.quiet = false
		if !ok {
			return fmt.Errorf("%s on %s: %s: %w", res, m.name, x.err.String(), ErrNotPrimary)
		}
		r.auto = true
	}
	v.open++
	return nil
}

// Close is the opposite of Open.
func (m *Machine) Close(res string, vol int) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	defer m.net.settle()
	r, v, err := m.find(res, vol)
	if err != nil || v.open == 0 {
		return
	}
	v.open--
	if r.auto && !r.open() {
		r.role, r.auto = "Secondary", false
		m.roleChanged(r)
	}
}

// Hold opens a backing device by hand, or lets it go.
func (m *Machine) Hold(dev string, on bool) error {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d := m.device(dev)
	if d == nil || on && d.holder != "" {
		return fmt.Errorf("%s on %s: %w", dev, m.name, ErrNoVolume)
	}
	if on {
		d.holder = "user"
	} else if d.holder == "user" {
		m.release(d)
	}
	return nil
}

// Format makes a file system on a backing device by hand, up to its end.
func (m *Machine) Format(dev string) error {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d := m.device(dev)
	if d == nil || d.holder != "" {
		return fmt.Errorf("%s on %s: %w", dev, m.name, ErrNoVolume)
	}
	d.fs, d.md = true, nil
	return nil
}

// KernelResources names what is up in the kernel, sorted, for checkers.
func (m *Machine) KernelResources() []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return sortedKeys(m.kernel)
}

// VolumeState is what a checker wants to know of a volume, without a program.
type VolumeState struct {
	Role, Disk, Suspended string
	Current               uint64 // current UUID, 0 without a disk
	Quorum                bool
}

// Volume tells a volume's state in the kernel.
func (m *Machine) Volume(res string, vol int) (VolumeState, bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	r, v, err := m.find(res, vol)
	if err != nil {
		return VolumeState{}, false
	}
	s := VolumeState{Role: r.role, Disk: v.state, Suspended: r.suspended(), Quorum: !r.noQuorum}
	if v.disk != nil {
		s.Current = v.disk.md.current
	}
	return s, true
}
