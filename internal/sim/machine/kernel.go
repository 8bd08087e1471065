package machine

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/tool/drbd"
)

// resource is one in the kernel.
type resource struct {
	name       string
	gen        drbd.Generation
	nodeID     int
	role       string // Primary, Secondary
	frozen     bool   // suspend-io
	standstill int    // the number of the last one
	underWay   bool   // 8.4: requests that were under way at suspend-io, not answered yet
	stuck      bool   // 8.4: suspended without a disk; only a power cut helps
	auto       bool   // promoted by an open (9)
	oneVolume  bool   // 8.4: only one volume is Primary
	primary    int    // that one
	options    map[string]map[string]string
	vols       []*volume // by number
	conns      []*conn   // by the peer's node-id
	noQuorum   bool
	members    []int // node-ids of those that were in reach, over others too, at the last state change of all (9)
	bereft     bool  // a peer is gone, and those left haven't been asked yet who is there (9)
}

type volume struct {
	num, minor int
	state      string // Diskless, Inconsistent, Outdated, Consistent, UpToDate
	path       string // backing device, while attached
	disk       *Disk  // nil: not attached
	client     bool   // diskless by intent
	sizeKiB    int64
	offeredKiB int64 // by the peer at the last handshake, also one that was refused (8.4)
	open       int
	writtenKiB int64
	quorate    bool   // has quorum
	exposed    uint64 // data generation that a Primary works with
}

type conn struct {
	peerID        int
	peer          string
	secret        string
	diskless      bool // the peer has no disk by intent
	local, remote netip.AddrPort
	state         string // StandAlone, Connecting, Connected
	idle          bool   // nobody has told it to connect yet
	peerRole      string
	vols          map[int]*peerVol
	gen           drbd.Generation
	options       map[string]string // net, of this connection
}

type peerVol struct {
	repl   string    // Off, Established, WFBitMapS, WFBitMapT, SyncSource, SyncTarget, VerifyS, VerifyT
	agrees time.Time // of WFBitMapS: since when
	left   int64     // KiB still to compare, of VerifyS
	disk   string    // the peer's

	quorate bool // the peer's
}

func (r *resource) vol(n int) *volume {
	i := slices.IndexFunc(r.vols, func(v *volume) bool { return v.num == n })
	if i < 0 {
		return nil
	}
	return r.vols[i]
}

func (r *resource) open() bool {
	return slices.ContainsFunc(r.vols, func(v *volume) bool { return v.open > 0 })
}

func (r *resource) option(section, key string) string { return r.options[section][key] }

func (r *resource) suspended() string {
	var s []string
	if r.frozen {
		s = append(s, "user")
	}
	if r.noQuorum && r.role == "Primary" && r.option("options", "on-no-quorum") == "suspend-io" {
		s = append(s, "quorum")
	}
	if s == nil {
		return "no"
	}
	return strings.Join(s, ",")
}

// unanswered tells whether requests wait that were under way when I/O was suspended: resume-io doesn't answer them, only the
// end of the connection does (8.4.11).
func (r *resource) unanswered() bool {
	if r.underWay && !r.frozen && (r.role != "Primary" || !slices.ContainsFunc(r.conns, func(c *conn) bool { return c.state == "Connected" })) {
		r.underWay = false
	}
	return r.underWay
}

// reset is what a connection knows of its peer while there is none.
func (c *conn) reset(state string) {
	c.state, c.peerRole = state, "Unknown"
	for _, p := range c.vols {
		p.repl, p.quorate = "Off", false
		if c.gen != drbd.Gen9 || p.disk != "Inconsistent" && p.disk != "Outdated" { // 9 remembers who is behind
			p.disk = "DUnknown"
		}
	}
}

// option is of the connection's net section.
func (c *conn) option(key string) string { return c.options[key] }

// minor finds a volume by its device path or number.
func (m *Machine) minor(p string) (*volume, *resource) {
	p = strings.TrimPrefix(p, "/dev/drbd")
	n, err := strconv.Atoi(p)
	if err != nil {
		return nil, nil
	}
	for _, name := range sortedKeys(m.kernel) {
		for _, v := range m.kernel[name].vols {
			if v.minor == n {
				return v, m.kernel[name]
			}
		}
	}
	return nil, nil
}

// attach takes a backing device. The error is drbdmeta's text.
func (m *Machine) attach(r *resource, v *volume, dev string) (string, bool) {
	d := m.device(dev)
	switch {
	case d == nil:
		return fmt.Sprintf("open(%s) failed: No such file or directory\nCommand 'drbdmeta %d %s %s internal apply-al' terminated with exit code 20", dev, v.minor, r.gen.Format(), dev), false
	case d.holder != "":
		return fmt.Sprintf("open(%s) failed: Device or resource busy\nCommand 'drbdmeta %d %s %s internal apply-al' terminated with exit code 20", dev, v.minor, r.gen.Format(), dev), false
	case !m.findMetadata(v.minor, d) || d.md.format != r.gen.Format():
		return "No valid meta data found", false
	case r.gen == drbd.Gen9 && d.md.nodeID >= 0 && d.md.nodeID != r.nodeID:
		return fmt.Sprintf("%d: Failure: (173) Node ID mismatch\nCommand 'drbdsetup attach %d %s %s internal' terminated with exit code 10", v.minor, v.minor, dev, dev), false
	}
	md := d.md
	if r.gen == drbd.Gen9 { // a bitmap for each peer with a disk, and for those not forgotten
		ids := map[int]bool{}
		for id := range md.slots {
			ids[id] = true
		}
		for _, c := range r.conns {
			if !c.diskless {
				ids[c.peerID] = true
			}
		}
		if len(ids) > md.maxPeers {
			return fmt.Sprintf("%d: Failure: (153) Peer-devices need more bitmap slots than the metadata have\nCommand 'drbdsetup attach %d %s %s internal' terminated with exit code 10", v.minor, v.minor, dev, dev), false
		}
	}
	d.holder = fmt.Sprintf("drbd%d", v.minor)
	v.disk, v.path, v.client = d, dev, false
	if md.primary { // it crashed: what the activity log covers counts as changed
		md.crashed = true
		for _, s := range md.slots {
			if !s.all {
				s.left += 4096
			}
		}
	}
	md.unclean = true
	if r.gen == drbd.Gen9 {
		md.nodeID = r.nodeID
	}
	if md.sizeKiB == 0 {
		md.sizeKiB = d.usableKiB()
	}
	v.sizeKiB, v.offeredKiB = md.sizeKiB, 0
	if md.current == justCreated { // all is out of sync with everyone
		for _, c := range r.conns {
			if !c.diskless {
				md.slot(c.peerID).setAll(v.sizeKiB)
			}
		}
	}
	v.state = "Inconsistent"
	if md.consistent {
		v.state = "Outdated"
		if md.upToDate {
			v.state = "UpToDate"
			if f := r.option("net", "fencing") + r.option("disk", "fencing"); f != "" && f != "dont-care" {
				v.state = "Consistent"
			}
		}
	}
	if r.gen == drbd.Gen9 {
		for _, c := range r.conns {
			if p := c.vols[v.num]; p != nil && c.state != "Connected" && !c.diskless && md.slot(c.peerID).outdated {
				p.disk = "Outdated"
			}
		}
	}
	m.notePlace(v.minor, d, dev)
	// Over a connection that is there already the two have to agree on the data.
	if m.noAnswer(r, v) {
		m.effect("attach %s/%d to %s, and no peer answers", r.name, v.num, dev)
		return "", true
	}
	for _, c := range r.conns {
		if p, pr, pc := m.net.other(m, r, c); c.state == "Connected" && pc != nil {
			m.net.drop(m, r, c)
			if m.net.reach(m, p) {
				m.net.handshake(m, r, c, p, pr, pc)
			}
		}
	}
	m.effect("attach %s/%d to %s", r.name, v.num, dev) // the kernel is done, whatever becomes of who asked it
	return "", true
}

func (m *Machine) detach(r *resource, v *volume) {
	if v.disk == nil {
		return
	}
	m.saveFlags()
	d := v.disk
	v.disk, v.state, v.path = nil, "Diskless", ""
	m.release(d)
	for _, c := range r.conns {
		if c.state != "Connected" {
			continue
		}
		if p := c.vols[v.num]; p != nil && p.repl != "Off" {
			p.repl = "Established"
		}
		if _, _, pc := m.net.other(m, r, c); pc != nil && pc.vols[v.num] != nil {
			pc.vols[v.num].disk, pc.vols[v.num].repl = "Diskless", "Established"
		}
	}
	m.effect("detach %s/%d", r.name, v.num)
}

// saveFlags is what the kernel keeps up to date in the metadata by itself.
func (m *Machine) saveFlags() {
	for _, name := range sortedKeys(m.kernel) {
		r := m.kernel[name]
		for _, v := range r.vols {
			if v.disk == nil || v.state == negotiating {
				continue
			}
			md := v.disk.md
			md.consistent = v.state == "Outdated" || v.state == "Consistent" || v.state == "UpToDate"
			md.upToDate = v.state == "UpToDate" || v.state == "Consistent"
			md.primary = r.role == "Primary"
		}
		m.countQuorum(r)
	}
}

// reachable says whether a volume's data are within reach.
func (m *Machine) reachable(r *resource, v *volume) bool {
	if v.state == "UpToDate" {
		return true
	}
	return slices.ContainsFunc(r.conns, func(c *conn) bool {
		p := c.vols[v.num]
		return c.state == "Connected" && p != nil && p.disk == "UpToDate"
	})
}

// stop is `drbdsetup down`: demote, disconnect, detach, delete.
func (m *Machine) stop(x *call, r *resource) bool {
	if r.stuck {
		x.hung = true
		return false
	}
	if r.open() {
		x.fail(11, "%s: State change failed: (-12) Device is held open by someone\nadditional info from kernel:\nfailed to demote", r.name)
		return false
	}
	if r.role == "Primary" {
		r.role = "Secondary"
		m.roleChanged(r)
		m.effect("secondary %s", r.name)
	}
	for _, c := range r.conns {
		if c.state != "StandAlone" {
			if why := m.net.part(m, r, c); why != "" {
				x.fail(11, "%s: State change failed: (-10) %s\nadditional info from kernel:\nDeclined by peer %s (id: %d), see the kernel log there", r.name, why, c.peer, c.peerID)
				return false
			}
			m.effect("disconnect %s", r.name)
		}
	}
	for _, v := range r.vols {
		m.detach(r, v)
	}
	delete(m.kernel, r.name)
	m.effect("delete resource %s", r.name)
	return true
}

// roleChanged tells the peers.
func (m *Machine) roleChanged(r *resource) {
	for _, c := range r.conns {
		if c.state == "Connected" {
			if _, _, pc := m.net.other(m, r, c); pc != nil {
				pc.peerRole = r.role
			}
		}
	}
}

// promote is `drbdsetup primary`, of all volumes (vol < 0) or of one, where 8.4
// has a role for each: the others' data generation stays then. The model keeps
// one role for all, the highest, as 8.4 shows it.
func (m *Machine) promote(x *call, r *resource, vol int, force bool) bool {
	one := vol >= 0 && r.gen == drbd.Gen8
	if r.role == "Primary" && !one {
		r.oneVolume = false
		return true
	}
	m.net.unlink() // it asks its peers, and finds out who is gone
	m.net.regroup()
	vols := r.vols
	if one {
		v := r.vol(vol)
		if v == nil {
			x.fail(10, "'%s/%d' not defined in your config (for this host).", r.name, vol)
			return false
		}
		if r.role == "Primary" && (v.disk == nil || m.reachable(r, v)) {
			return true
		}
		vols = []*volume{v}
	}
	first := r.name
	if len(r.vols) > 0 && r.gen == drbd.Gen8 {
		first = strconv.Itoa(r.vols[0].minor)
	}
	for _, o := range m.net.component(m, r)[1:] {
		if o.r.role == "Primary" {
			x.fail(11, "%s: State change failed: (-1) Multiple primaries not allowed by config", first)
			return false
		}
	}
	m.countQuorum(r)
	for _, v := range vols {
		if m.reachable(r, v) && !r.noQuorum {
			continue
		}
		ok := force && v.disk != nil && !r.noQuorum && !m.reachable(r, v)
		if !ok && v.state == "Consistent" && v.disk != nil && !r.noQuorum { // no fencing handler: it counts as fenced
			ok = true
		}
		if !ok {
			x.fail(17, "%s: State change failed: (-2) Need access to UpToDate data", first)
			return false
		}
	}
	r.oneVolume = one && (r.role != "Primary" || r.oneVolume)
	r.primary = vol
	r.role = "Primary"
	for _, v := range vols {
		if v.disk == nil {
			m.net.expose(m, r, v)
			continue
		}
		forced := false
		if v.state != "UpToDate" && !m.reachable(r, v) {
			forced = v.state != "Consistent"
			v.state = "UpToDate"
		}
		if forced {
			m.net.seize(m, r, v)
		} else if r.gen == drbd.Gen8 { // 9 waits for the first write
			m.net.rotate(m, r, v)
		}
		m.net.expose(m, r, v)
	}
	m.roleChanged(r)
	m.net.round(m, r)
	m.effect("primary %s", r.name)
	return true
}
