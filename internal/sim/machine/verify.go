package machine

// verify is `drbdadm verify`: all volumes are compared with all connected peers. The texts are those of drbd-utils' table of
// the kernel's codes (documented; not seen in the lab).
func (x *call) verify(r *resource) {
	if r.option("net", "verify-alg") == "" {
		x.fail(10, "%d: Failure: (146) VERIFYAlgNotAvail", r.vols[0].minor)
		return
	}
	for _, v := range r.vols {
		for _, c := range r.conns {
			pv := c.vols[v.num]
			if c.diskless || pv == nil || pv.disk == "Diskless" {
				continue
			}
			if c.state != "Connected" || pv.repl != "Established" || v.disk == nil || v.state != "UpToDate" || pv.disk != "UpToDate" {
				x.fail(11, "%d: State change failed: (-15) Need a connection to start verify or resync", v.minor)
				return
			}
		}
	}
	for _, v := range r.vols {
		for _, c := range r.conns {
			pv := c.vols[v.num]
			_, _, pc := x.m.net.other(x.m, r, c)
			if c.diskless || pv == nil || pv.disk == "Diskless" || pc == nil || pc.vols[v.num] == nil {
				continue
			}
			pv.repl, pv.left, pc.vols[v.num].repl = "VerifyS", v.sizeKiB, "VerifyT"
		}
	}
	x.m.effect("verify %s", r.name)
}

// compare goes on with a verify; at its end what differs is marked on both sides.
func (n *Network) compare(c *conn, v *volume, pc *conn, tv *volume, kib int64) bool {
	pv := c.vols[v.num]
	if tv == nil || tv.disk == nil || v.disk == nil || pc.vols[v.num] == nil {
		return false
	}
	if pv.left -= kib; pv.left > 0 {
		return false
	}
	pv.left, pv.repl, pc.vols[v.num].repl = 0, "Established", "Established"
	a, b := v.disk.md.slot(c.peerID), tv.disk.md.slot(pc.peerID)
	if v.disk.base != tv.disk.base {
		a.setAll(v.sizeKiB)
		b.setAll(v.sizeKiB)
	}
	for id := range v.disk.blocks { // in any order
		if !tv.disk.blocks[id] {
			a.mark(id)
			b.mark(id)
		}
	}
	for id := range tv.disk.blocks {
		if !v.disk.blocks[id] {
			a.mark(id)
			b.mark(id)
		}
	}
	return true
}

// Rot changes a block of a backing device behind everybody's back.
func (m *Machine) Rot(path string) bool {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d := m.diskAt(path)
	if d == nil {
		return false
	}
	m.net.writes++
	d.blocks[m.net.writes] = true
	return true
}
