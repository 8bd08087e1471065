package machine

import (
	"context"
	"path"
	"strings"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// What checkers look at, without a program, and whether the machine is on or not.

// DiskView is a volume of a volume group, or a sparse file.
type DiskView struct {
	Path  string // /dev/VG/LV, or the file's
	Label string // incarnation that it was made for; "" for none
	// Initialised: it has metadata of a data generation. Fresh: metadata that were just made.
	Initialised, Fresh bool
	// Good: its metadata say that it is UpToDate; also while it isn't attached.
	Good bool
	d    *Disk
}

// Has tells whether the write is on it.
func (v DiskView) Has(write int) bool { return v.d.blocks[write] }

// Remembers lists the node-ids of peers that its metadata (v09) have a slot for, in order.
func (v DiskView) Remembers() []int {
	if v.d.md == nil || v.d.md.format != drbd.V09 {
		return nil
	}
	var out []int
	for _, id := range sortedKeys(v.d.md.slots) {
		if s := v.d.md.slots[id]; s.uuid != 0 || s.all || s.voter || len(s.dirty) > 0 {
			out = append(out, id)
		}
	}
	return out
}

// View is what is on it.
func (v DiskView) View() View { return v.d.view() }

// Writes counts the writes on it.
func (v DiskView) Writes() int { return len(v.d.blocks) }

// Base is what its unwritten blocks hold; see View.
func (v DiskView) Base() int { return v.d.base }

const labelPrefix = "holdfast:"

func (m *Machine) eachDisk(yield func(path, label string, d *Disk)) {
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			label := ""
			for _, t := range v.tags {
				if l, ok := strings.CutPrefix(t, labelPrefix); ok {
					label = l
				}
			}
			yield("/dev/"+g.name+"/"+v.name, label, v.disk.content())
		}
	}
	for _, p := range m.zpools {
		for _, v := range p.vols {
			yield("/dev/zvol/"+p.whole(v), v.props["holdfast:label"], v.disk.content())
			for _, s := range v.snaps {
				if !strings.HasPrefix(s.name, "gone:") { // removed, but for what a clone needs
					yield("/dev/zvol/"+p.whole(v)+"@"+s.name, s.props["holdfast:snapshot"], s.disk.content())
				}
			}
		}
	}
	for _, p := range sortedKeys(m.files) {
		f := m.files[p]
		if f.data != nil || path.Ext(p) != ".img" {
			continue
		}
		label := ""
		if l := m.files[strings.TrimSuffix(p, ".img")+".label"]; l != nil {
			label = strings.TrimPrefix(strings.TrimSpace(string(l.data)), labelPrefix)
		}
		yield(p, label, f.disk.content())
	}
}

// Disks lists all, in order.
func (m *Machine) Disks() []DiskView {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	var out []DiskView
	m.eachDisk(func(path, label string, d *Disk) {
		out = append(out, DiskView{Path: path, Label: label, d: d,
			Initialised: d.md != nil && d.md.current != justCreated, Fresh: d.md != nil && d.md.current == justCreated,
			Good: d.md != nil && d.md.consistent && d.md.upToDate})
	})
	return out
}

// ResourceView is a resource in the kernel.
type ResourceView struct {
	Name, Role, Suspended string
	Unanswered            bool // requests wait for ever, since I/O was suspended
	Standstill            int  // the number of the last time that I/O was suspended, and hadn't been before; no two in a network have the same
	NodeID                int
	Volumes               []VolumeView
	Peers                 []PeerView
}

// VolumeView is a volume in the kernel.
type VolumeView struct {
	Number, Minor int
	State         string
	Label         string // of the disk, if attached
	Path          string
	Open          bool
	SizeKiB       int64
}

// PeerView is a connection.
type PeerView struct {
	Node  string // machine at the other end; "" while there is none
	ID    int
	State string
	Role  string
	Disks map[int]string // by volume
	// Labels are of the disks at the other end, by volume, while connected.
	Labels map[int]string
}

// Kernel lists what DRBD has.
func (m *Machine) Kernel() []ResourceView {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if len(m.kernel) == 0 {
		return nil
	}
	labels := map[*Disk]string{}
	m.eachDisk(func(_, label string, d *Disk) { labels[d] = label })
	var out []ResourceView
	for _, name := range sortedKeys(m.kernel) {
		r := m.kernel[name]
		v := ResourceView{Name: name, Role: r.role, Suspended: r.suspended(), Unanswered: r.unanswered(), Standstill: r.standstill, NodeID: r.nodeID}
		for _, x := range r.vols {
			w := VolumeView{Number: x.num, Minor: x.minor, State: x.state, Path: x.path, Open: x.open > 0, SizeKiB: x.sizeKiB}
			if x.disk != nil {
				w.Label = labels[x.disk]
			}
			v.Volumes = append(v.Volumes, w)
		}
		for _, c := range r.conns {
			p := PeerView{ID: c.peerID, State: c.state, Role: c.peerRole, Disks: map[int]string{}}
			if far, fr, fc := m.net.other(m, r, c); fc != nil {
				p.Node = far.name
				if c.state == "Connected" {
					p.Labels = far.labels(fr)
				}
			}
			for n, pv := range c.vols {
				p.Disks[n] = pv.disk
			}
			v.Peers = append(v.Peers, p)
		}
		out = append(out, v)
	}
	return out
}

// On tells whether the machine has power.
func (m *Machine) On() bool {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return m.on
}

// LogSince is the log from line n on.
func (m *Machine) LogSince(n int) []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return append([]string(nil), m.log[min(n, len(m.log)):]...)
}

// Logged is how many lines the log has.
func (m *Machine) Logged() int {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return len(m.log)
}

// Operator runs a program as a person at the machine would: whether the process lives or not, and past the faults that
// are meant for it.
func (m *Machine) Operator(argv ...string) run.Result {
	m.net.mu.Lock()
	if !m.on {
		m.net.mu.Unlock()
		return run.Result{Exit: 255, Stderr: []byte("no power")}
	}
	dead, stop, hang, fail := m.dead, m.stopAt, m.hang, m.fail
	m.dead, m.stopAt, m.hang, m.fail = false, 0, map[string]bool{}, map[string]int{}
	before := m.effects
	m.net.mu.Unlock()
	r, err := m.Run(context.Background(), run.Cmd{Argv: argv})
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.dead, m.hang, m.fail = dead, hang, fail
	if stop > 0 {
		m.stopAt = stop + m.effects - before
	}
	if err != nil {
		return run.Result{Exit: 255, Stderr: []byte(err.Error())}
	}
	return r
}

// Generation of the loaded module: 8, 9, or 0 for none.
func (m *Machine) Generation() int {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return int(generation(m.loaded))
}

// Option of a resource in the kernel; "" if it isn't set.
func (m *Machine) Option(res, section, key string) string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if r := m.kernel[res]; r != nil {
		return r.option(section, key)
	}
	return ""
}

// labels of a resource's disks, by volume.
func (m *Machine) labels(r *resource) map[int]string {
	out := map[int]string{}
	m.eachDisk(func(_, label string, d *Disk) {
		for _, v := range r.vols {
			if v.disk == d {
				out[v.num] = label
			}
		}
	})
	return out
}
