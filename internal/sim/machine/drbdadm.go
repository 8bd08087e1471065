package machine

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/tool/drbd"
)

// dialect is what drbdadm would understand: of the loaded module, else of the
// one on disk, else 9's.
func (m *Machine) dialect() drbd.Generation {
	v := m.loaded
	if v == "" {
		v = m.module
	}
	if v == "" {
		v = "9"
	}
	return generation(v)
}

var only9RE = regexp.MustCompile(`(?m)^\s*(node-id|connection|connection-mesh|quorum|on-no-quorum|auto-promote|transport)\b`)

// read parses the file of -c as drbdadm would.
func (x *call) read(file string) (drbd.Resource, bool) {
	f := x.m.files[file]
	if f == nil {
		x.fail(20, "Can not open '%s'.\n.", file)
		return drbd.Resource{}, false
	}
	bad := func(line int, got string) (drbd.Resource, bool) {
		x.fail(10, "%s:%d: Parse error: 'an option keyword' expected,\n\tbut got '%s'", file, line, got)
		return drbd.Resource{}, false
	}
	text := string(f.data)
	if x.m.dialect() == drbd.Gen8 {
		if i := only9RE.FindStringSubmatchIndex(text); i != nil {
			return bad(1+strings.Count(text[:i[2]], "\n"), text[i[2]:i[3]])
		}
	}
	r, err := drbd.Parse(f.data)
	if err != nil {
		return bad(1, "?")
	}
	r.Generation, r.Local = x.m.dialect(), x.m.name
	return r, true
}

func (x *call) drbdadm() {
	if x.take("--version") {
		fmt.Fprintf(&x.out, "DRBDADM_API_VERSION=1\nDRBD_KERNEL_VERSION_CODE=0x000000\nDRBDADM_VERSION_CODE=0x091600\nDRBDADM_VERSION=9.22.0\n")
		return
	}
	file := x.value("-c")
	dry, force, clear := x.take("-d"), x.take("--force"), x.take("--clear-bitmap")
	if file == "" || len(x.argv) == 0 {
		x.fail(1, "drbdadm: the model wants -c FILE and a command")
		return
	}
	cmd := x.argv[0]
	r, ok := x.read(file)
	if !ok || cmd == "sh-nop" {
		return
	}
	if len(x.argv) != 2 {
		x.fail(1, "drbdadm: unrecognized option '%s'\ntry 'drbdadm help'", strings.Join(x.argv[1:], " "))
		return
	}
	arg := x.argv[1]
	name, peer, _ := strings.Cut(arg, ":")
	name, volText, hasVol := strings.Cut(name, "/")
	local, isMine := r.Node(x.m.name)
	vol := -1
	if hasVol {
		n, err := strconv.Atoi(volText)
		if err != nil || !slices.ContainsFunc(local.Volumes, func(v drbd.Volume) bool { return v.Number == n }) {
			isMine = false
		}
		vol = n
	}
	if peer != "" {
		if _, ok := r.Node(peer); !ok || x.m.dialect() == drbd.Gen8 {
			isMine = false
		}
	}
	if name != r.Name || !isMine {
		x.fail(1, "'%s' not defined in your config (for this host).", arg)
		return
	}
	if cmd == "dump" {
		x.out.Write(x.m.files[file].data)
		return
	}
	if dry {
		x.fail(1, "drbdadm: the model has no dry run")
		return
	}
	if !x.load() {
		if cmd == "adjust" {
			x.exit = 1
		}
		return
	}
	k := x.m.kernel[r.Name]
	switch cmd {
	case "up":
		if k != nil {
			for _, v := range k.vols {
				if v.disk != nil {
					x.fail(1, "Device '%d' is configured!\nCommand 'drbdmeta %d %s %s internal apply-al' terminated with exit code 20", v.minor, v.minor, k.gen.Format(), v.path)
				}
			}
			if x.exit != 0 {
				return
			}
		}
		x.adjust(r, local, strings.Contains(string(x.m.files[file].data), "none.invalid"))
		return
	case "adjust":
		x.adjust(r, local, strings.Contains(string(x.m.files[file].data), "none.invalid"))
		return
	case "down":
		if k != nil {
			x.m.stop(x, k)
		}
		return
	}
	if k == nil {
		x.unknown(local, r)
		return
	}
	if k.stuck {
		x.hung = true
		return
	}
	switch cmd {
	case "primary":
		x.m.promote(x, k, vol, force)
	case "secondary":
		if vol >= 0 && k.gen == drbd.Gen8 && !k.oneVolume {
			if v := k.vol(vol); v != nil && v.open > 0 {
				x.fail(11, "%d: State change failed: (-12) Device is held open by someone", v.minor)
			}
			return // the role shown is that of the other volumes
		}
		if k.open() {
			x.fail(11, "%d: State change failed: (-12) Device is held open by someone", k.vols[0].minor)
			return
		}
		if k.role == "Primary" {
			k.role, k.auto, k.oneVolume = "Secondary", false, false
			x.m.roleChanged(k)
			x.m.effect("secondary %s", k.name)
		}
	case "new-current-uuid":
		if !clear {
			x.fail(1, "drbdadm: the model only knows --clear-bitmap")
			return
		}
		x.skipSync(k, k.vol(vol))
	case "attach":
		for _, v := range k.vols {
			if vol >= 0 && v.num != vol {
				continue
			}
			if v.disk != nil {
				x.fail(20, "Device '%d' is configured!\nCommand 'drbdmeta %d %s %s internal apply-al' terminated with exit code 20", v.minor, v.minor, k.gen.Format(), v.path)
				return
			}
			if s, ok := x.m.attach(k, v, device(local, v.num)); !ok {
				x.fail(1, "%s", s)
				return
			}
			if v.state == negotiating {
				x.hung, x.hungBy = true, negotiating+" "+itoa(v.minor)
				return
			}
		}
	case "detach":
		for _, v := range k.vols {
			if vol >= 0 && v.num != vol || v.disk == nil {
				continue
			}
			if k.role == "Primary" && !force && !peerUpToDate(k, v.num) {
				x.fail(17, "%d: State change failed: (-2) Need access to UpToDate data", v.minor)
				return
			}
			x.m.detach(k, v)
		}
	case "verify":
		x.verify(k)
	case "suspend-io", "resume-io":
		for _, v := range k.vols {
			x.freeze(k, v, cmd == "suspend-io")
		}
	case "resize":
		for _, v := range k.vols {
			if vol < 0 || v.num == vol {
				if x.resize(k, v, false); x.exit == 0 && v.disk != nil {
					x.m.notePlace(v.minor, v.disk, v.path) // whether anything was moved or not
				}
			}
		}
	case "connect", "disconnect":
		for _, c := range k.conns {
			if peer != "" && c.peer != peer {
				continue
			}
			switch {
			case cmd == "connect" && c.state == "StandAlone":
				if x.unconnectable(k, c) {
					return
				}
				c.reset("Connecting")
				x.m.effect("connect %s to %s", k.name, c.peer)
			case cmd == "connect" && k.gen == drbd.Gen8:
				x.fail(10, "%s: Failure: (102) Local address(port) already in use.", k.name)
			case cmd == "disconnect" && c.state != "StandAlone":
				if why := x.m.net.part(x.m, k, c); why != "" {
					x.fail(11, "%s: State change failed: (-10) %s\nadditional info from kernel:\nDeclined by peer %s (id: %d), see the kernel log there", k.name, why, c.peer, c.peerID)
					return
				}
				x.m.effect("disconnect %s from %s", k.name, c.peer)
			case cmd == "disconnect" && k.gen == drbd.Gen8:
				x.fail(10, "??: Failure: (162) Invalid configuration request\nadditional info from kernel:\nunknown connection")
			}
		}
	default:
		x.fail(1, "drbdadm: Unknown command '%s'", cmd)
	}
}

func peerUpToDate(r *resource, vol int) bool {
	return slices.ContainsFunc(r.conns, func(c *conn) bool {
		p := c.vols[vol]
		return c.state == "Connected" && p != nil && p.disk == "UpToDate"
	})
}

func device(n drbd.Node, vol int) string {
	for _, v := range n.Volumes {
		if v.Number == vol {
			return v.Device
		}
	}
	return ""
}

// unknown is the answer where a resource isn't up.
func (x *call) unknown(local drbd.Node, r drbd.Resource) {
	if x.m.dialect() == drbd.Gen9 || len(local.Volumes) == 0 {
		x.fail(10, "%s: Failure: (158) Unknown resource", r.Name)
		return
	}
	x.fail(10, "%d: Failure: (127) Device minor not allocated\nadditional info from kernel:\nunknown minor", local.Volumes[0].Minor)
}

// adjust brings the kernel to what the file says.
func (x *call) adjust(r drbd.Resource, local drbd.Node, standIn bool) {
	m := x.m
	k := m.kernel[r.Name]
	if k != nil && k.stuck {
		x.hung = true
		return
	}
	if k == nil {
		k = &resource{name: r.Name, gen: generation(m.loaded), nodeID: local.NodeID, role: "Secondary", options: r.Options}
		if k.gen == drbd.Gen8 {
			k.nodeID = 0
		}
		k.members = []int{k.nodeID}
		m.kernel[r.Name] = k
		m.effect("new resource %s", r.Name)
	}
	if !sameOptions(k.options, r.Options) {
		k.options = r.Options
		m.effect("options of %s", r.Name)
	}
	// Volumes.
	for _, v := range slices.Clone(k.vols) {
		if slices.ContainsFunc(local.Volumes, func(w drbd.Volume) bool { return w.Number == v.num && w.Minor == v.minor }) {
			continue
		}
		if v.open > 0 {
			x.fail(10, "%d: Failure: (126) Device has a disk attached or is open", v.minor)
			return
		}
		m.detach(k, v)
		k.vols = slices.DeleteFunc(k.vols, func(o *volume) bool { return o == v })
		for _, c := range k.conns {
			delete(c.vols, v.num)
		}
		m.effect("del-minor %s/%d", r.Name, v.num)
	}
	for _, w := range local.Volumes {
		if k.vol(w.Number) != nil {
			continue
		}
		if o, _ := m.minor(itoa(w.Minor)); o != nil {
			x.fail(10, "%s: Failure: (161) Device minor already exists\nadditional info from kernel:\nminor exists in different resource", r.Name)
			return
		}
		k.vols = append(k.vols, &volume{num: w.Number, minor: w.Minor, state: "Diskless", client: local.Diskless})
		slices.SortFunc(k.vols, func(a, b *volume) int { return a.num - b.num })
		m.effect("new-minor %s/%d %d", r.Name, w.Number, w.Minor)
	}
	// Peers.
	want := wanted(k.gen, r, local)
	if k.gen == drbd.Gen8 && len(r.Nodes) == 1 && !standIn {
		want = nil
	}
	for _, c := range slices.Clone(k.conns) {
		if i := slices.IndexFunc(want, func(w conn) bool {
			return w.peerID == c.peerID && w.local == c.local && w.remote == c.remote && w.peer == c.peer
		}); i >= 0 {
			c.diskless = want[i].diskless
			if c.secret != want[i].secret {
				c.secret = want[i].secret
				m.effect("secret of %s", r.Name)
			}
			continue
		}
		if why := m.net.part(m, k, c); why != "" {
			x.fail(11, "%s: State change failed: (-10) %s\nadditional info from kernel:\nDeclined by peer %s (id: %d), see the kernel log there", k.name, why, c.peer, c.peerID)
			return
		}
		k.conns = slices.DeleteFunc(k.conns, func(o *conn) bool { return o == c })
		m.effect("del-peer %s %s", r.Name, c.peer)
	}
	for _, w := range want {
		if slices.ContainsFunc(k.conns, func(c *conn) bool { return c.peerID == w.peerID }) {
			continue
		}
		if other := m.portUser(w.local); other != "" && other != r.Name {
			x.fail(10, "%s: Failure: (102) Local address(port) already in use.", r.Name)
			return
		}
		if k.gen == drbd.Gen8 && m.remoteUsed(w.remote, r.Name) {
			x.fail(10, "%s: Failure: (103) Remote address(port) already in use.", r.Name)
			return
		}
		c := w
		c.idle = true
		c.vols = map[int]*peerVol{}
		c.reset("StandAlone")
		k.conns = append(k.conns, &c)
		slices.SortFunc(k.conns, func(a, b *conn) int { return a.peerID - b.peerID })
		m.effect("new-peer %s %s", r.Name, c.peer)
	}
	for _, c := range k.conns {
		for _, v := range k.vols {
			if c.vols[v.num] == nil {
				c.vols[v.num] = &peerVol{repl: "Off", disk: "DUnknown"}
				if c.state == "Connected" { // the peer may have it too
					m.net.drop(m, k, c)
				}
			}
		}
	}
	// Disks. One that fails leaves the others attached, and nothing is connected.
	for _, w := range local.Volumes {
		v := k.vol(w.Number)
		switch {
		case local.Diskless && v.disk != nil:
			if k.role == "Primary" && !peerUpToDate(k, v.num) {
				x.fail(17, "%d: State change failed: (-2) Need access to UpToDate data", v.minor)
				continue
			}
			m.detach(k, v)
			v.client = true
		case !local.Diskless && v.disk == nil:
			v.client = false
			if s, ok := m.attach(k, v, w.Device); !ok {
				x.fail(1, "%s", s)
			}
			if v.state == negotiating {
				x.hung, x.hungBy = true, negotiating+" "+itoa(v.minor)
				return
			}
		}
	}
	if x.exit != 0 {
		return
	}
	if k.gen == drbd.Gen8 && len(k.conns) == 0 {
		x.fail(1, "%s:1: in resource %s:\n\tMissing section 'on <PEER> { ... }'.\nresource %s: cannot configure network without knowing my peer.", "file", r.Name, r.Name)
		return
	}
	for _, c := range k.conns {
		if c.state == "StandAlone" {
			if x.unconnectable(k, c) {
				return
			}
			c.reset("Connecting")
			m.effect("connect %s to %s", r.Name, c.peer)
		}
	}
}

// unconnectable refuses to connect where the one more to vote would cost a Primary its quorum: 9.2.18 counts at any change of state, and
// refuses those that a user asks for (is_valid_soft_transition; seen in the lab).
func (x *call) unconnectable(r *resource, c *conn) bool {
	idle := c.idle
	c.idle = false
	if r.gen != drbd.Gen9 || r.role != "Primary" {
		return false
	}
	q := r.option("options", "quorum")
	if q == "" || q == "off" || !slices.ContainsFunc(r.vols, func(v *volume) bool { return v.quorate && !r.hasQuorum(v, q) }) {
		return false
	}
	c.idle = idle
	x.fail(11, "%s: State change failed: (-25) No quorum\nCommand 'drbdsetup connect %s %d' terminated with exit code 11", r.name, r.name, c.peerID)
	return true
}

// wanted are the connections that the file gives this node. 8.4 knows one
// peer, whose node-id counts as 0; without one there's the stand-in.
func wanted(gen drbd.Generation, r drbd.Resource, local drbd.Node) []conn {
	var out []conn
	me := netip.AddrPortFrom(local.Address, uint16(local.Port))
	for _, n := range r.Nodes {
		if n.Name == local.Name || n.Diskless && local.Diskless {
			continue
		}
		c := conn{gen: gen, peerID: n.NodeID, peer: n.Name, secret: r.Secret, diskless: n.Diskless, local: me, remote: netip.AddrPortFrom(n.Address, uint16(n.Port))}
		if gen == drbd.Gen8 {
			c.peerID = 0
		}
		out = append(out, c)
	}
	if gen == drbd.Gen8 && len(out) == 0 {
		out = append(out, conn{peer: "none.invalid", local: me, remote: drbd.NoPeer(local.Port), secret: r.Secret})
	}
	return out
}

// remoteUsed tells whether another resource connects to that address. Only 8.4 minds.
func (m *Machine) remoteUsed(a netip.AddrPort, but string) bool {
	for _, n := range sortedKeys(m.kernel) {
		for _, c := range m.kernel[n].conns {
			if c.remote == a && n != but {
				return true
			}
		}
	}
	return false
}

// portUser says which resource has an address and port.
func (m *Machine) portUser(a netip.AddrPort) string {
	for _, n := range sortedKeys(m.kernel) {
		for _, c := range m.kernel[n].conns {
			if c.local == a {
				return n
			}
		}
	}
	return ""
}

func sameOptions(a, b map[string]map[string]string) bool {
	return maps.EqualFunc(a, b, maps.Equal[map[string]string, map[string]string])
}

// skipSync is new-current-uuid --clear-bitmap: all peers with a disk must be
// connected, and all of them and this one freshly made.
func (x *call) skipSync(r *resource, v *volume) {
	refuse := func() {
		x.fail(10, "%d: Failure: (151) Need to be StandAlone\nCommand 'drbdsetup-84 new-current-uuid %d --clear-bitmap' terminated with exit code 10", v.minor, v.minor)
	}
	if v.disk == nil || v.disk.md.current != justCreated {
		refuse()
		return
	}
	members := x.m.net.members(x.m, r, v)
	for _, c := range r.conns {
		if members[0].missing(x.m.net, c, members) {
			refuse()
			return
		}
	}
	for _, o := range members {
		if o.v.disk != nil && o.v.disk.md.current != justCreated || !x.m.net.reach(x.m, o.m) && o.m != x.m {
			refuse()
			return
		}
	}
	if len(members) < 2 {
		refuse()
		return
	}
	fresh := x.m.net.newUUID()
	for _, o := range members {
		if o.v.disk == nil {
			continue
		}
		o.v.disk.md.current = fresh
		for _, s := range o.v.disk.md.slots {
			s.clear()
		}
		o.v.state = "UpToDate"
	}
	for _, o := range members {
		x.m.net.showDisks(o.m, o.r)
	}
	x.m.effect("skip first sync of %s/%d", r.name, v.num)
}

// forceSync is new-current-uuid --force-resync, of 9: the volume is good here from now on, and others sync from it. Whoever
// is connected must see it as just made; who isn't syncs when he comes.
func (x *call) forceSync(r *resource, v *volume, forced bool) {
	switch {
	case r.gen == drbd.Gen8 && !forced:
		x.rename(r, v)
		return
	case r.gen == drbd.Gen8 || !forced:
		x.fail(20, "drbdsetup: the model only knows --force-resync, of 9")
		return
	case v.disk == nil:
		x.fail(10, "%d: Failure: (138) Device does not have a disk-config", v.minor)
		return
	case v.disk.md.current != justCreated && len(x.m.net.members(x.m, r, v)) > 1:
		x.fail(10, "%d: Failure: (151) Need to be StandAlone", v.minor)
		return
	}
	v.state = "UpToDate"
	x.m.net.seize(x.m, r, v)
	x.m.effect("force first sync of %s/%d", r.name, v.num)
}

// rename is new-current-uuid of 8.4: the name of the data so far goes to the bitmap's place, and what was there to the history.
func (x *call) rename(r *resource, v *volume) {
	switch {
	case v.disk == nil:
		x.fail(10, "%d: Failure: (138) Device does not have a disk-config", v.minor)
		return
	case slices.ContainsFunc(r.conns, func(c *conn) bool { return c.state != "StandAlone" }):
		x.fail(10, "%d: Failure: (151) Need to be StandAlone", v.minor)
		return
	}
	md := v.disk.md
	s := md.slot(0)
	md.remember(s.uuid)
	s.uuid, md.current = md.current, x.m.net.newUUID()
	if r.role == "Primary" {
		v.exposed = md.current
	}
	x.m.effect("new-current-uuid %s/%d", r.name, v.num)
}
