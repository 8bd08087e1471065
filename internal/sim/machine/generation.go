package machine

import (
	"maps"
	"slices"

	"holdfast/internal/tool/drbd"
)

// Data generations, as DRBD has them (see "The generation identifiers" in its
// guide, and the traces): a disk has a current UUID; for each peer that it runs
// ahead of, a bitmap UUID (the generation in which they parted) and a bitmap;
// and a history of older ones. When a Primary writes without a peer that has a
// disk, a new current UUID is made and the old one becomes that peer's bitmap
// UUID. When two meet, these decide who is ahead.

// side is what one end brings to a handshake.
type side struct {
	md   *metadata
	slot *slot // for the other
	good bool  // the disk isn't Inconsistent
	best bool  // it's UpToDate
	used bool  // Primary now
}

type verdict int

const (
	same      verdict = iota
	aAhead            // a's bitmap says what b lacks
	bAhead            //
	aFull             // b gets everything
	bFull             //
	fresh             // both just made
	split             // split brain
	unrelated         // not of one family
)

func compare(a, b side, aFirst bool) verdict {
	ac, bc := a.md.current, b.md.current
	switch {
	case ac == justCreated && bc == justCreated:
		return fresh
	case ac == justCreated:
		return bFull
	case bc == justCreated:
		return aFull
	case ac == bc:
		switch {
		case a.md.format == drbd.V08 && (a.slot.uuid == 0) != (b.slot.uuid == 0): // one was the source of a sync, maybe to a third
			if a.slot.uuid != 0 {
				return aAhead
			}
			return bAhead
		case (a.md.crashed || b.md.crashed) && a.used: // what is in use goes on
			return aAhead
		case (a.md.crashed || b.md.crashed) && b.used:
			return bAhead
		case (a.md.crashed || b.md.crashed) && a.md.format == drbd.V09 && a.best != b.best: // "due to disk states"
			if a.best {
				return aAhead
			}
			return bAhead
		case a.md.crashed && !b.md.crashed:
			return aAhead
		case b.md.crashed && !a.md.crashed:
			return bAhead
		case a.md.crashed && b.md.crashed:
			if aFirst {
				return aAhead
			}
			return bAhead
		case !a.good && b.good:
			return bAhead
		case a.good && !b.good:
			return aAhead
		}
		return same
	case a.slot.uuid == bc:
		return aAhead
	case b.slot.uuid == ac:
		return bAhead
	case a.good != b.good && (slices.Contains(a.md.history, bc) || slices.Contains(b.md.history, ac)):
		if a.good { // the other was in the middle of a sync from a third
			return aFull
		}
		return bFull
	case slices.Contains(a.md.history, bc):
		return aFull
	case slices.Contains(b.md.history, ac):
		return bFull
	case a.slot.uuid != 0 && a.slot.uuid == b.slot.uuid:
		return split
	}
	for _, h := range a.md.history {
		if slices.Contains(b.md.history, h) || h == b.slot.uuid {
			return split
		}
	}
	if slices.Contains(b.md.history, a.slot.uuid) && a.slot.uuid != 0 {
		return split
	}
	return unrelated
}

func (md *metadata) remember(uuid uint64) {
	if uuid == 0 || uuid == justCreated || slices.Contains(md.history, uuid) {
		return
	}
	md.history = append([]uint64{uuid}, md.history...)
	most := 32
	if md.format == drbd.V08 {
		most = 2
	}
	if len(md.history) > most {
		md.history = md.history[:most]
	}
}

// handshake connects two ends that wait for each other. It says whether
// anything changed.
func (n *Network) handshake(a *Machine, ar *resource, ac *conn, b *Machine, br *resource, bc *conn) bool {
	refuse := func(why string) bool {
		for _, m := range []*Machine{a, b} {
			m.log = append(m.log, "kernel: "+ar.name+": "+a.name+" and "+b.name+" refuse each other: "+why)
		}
		ac.reset("StandAlone")
		bc.reset("StandAlone")
		return true
	}
	if ar.gen == drbd.Gen9 && br.gen == drbd.Gen9 && (ac.peerID != br.nodeID || bc.peerID != ar.nodeID) {
		return false // "Peer presented a node_id of 3 instead of 0": they try again
	}
	if ac.secret != bc.secret || ar.gen != br.gen || ar.role == "Primary" && br.role == "Primary" {
		return refuse("other secret, generation, or both Primary")
	}
	ar.giveUp() // with a new peer the rest is assumed to be over, too
	br.giveUp()
	// One source at a time: a target that's busy lets others wait.
	for _, v := range ar.vols {
		if syncing(ar, v.num) || syncing(br, v.num) {
			return false
		}
	}
	type step struct {
		av, bv *volume
		what   verdict
	}
	var steps []step
	for _, av := range ar.vols {
		bv := br.vol(av.num)
		if bv == nil {
			continue
		}
		s := step{av: av, bv: bv}
		if av.disk != nil && bv.disk != nil {
			am, bm := av.disk.md, bv.disk.md
			s.what = compare(side{am, am.slot(ac.peerID), av.state != "Inconsistent", av.state == "UpToDate", ar.role == "Primary"},
				side{bm, bm.slot(bc.peerID), bv.state != "Inconsistent", bv.state == "UpToDate", br.role == "Primary"}, a.name < b.name)
			if ag, bg := av.state != "Inconsistent", bv.state != "Inconsistent"; ag != bg && (s.what == split || s.what == unrelated && ar.gen == drbd.Gen9) {
				// "Becoming sync source due to disk states": an interrupted sync is no data of its own. (For 9, with data that
				// came from a third node that is gone, this is assumed.)
				s.what = bFull
				if ag {
					s.what = aFull
				}
			}
			switch s.what {
			case split, unrelated:
				return refuse("split brain, or data of another origin")
			case aAhead, aFull:
				if br.role == "Primary" && bv.state == "UpToDate" || av.state == "Inconsistent" {
					return refuse("the one ahead is Inconsistent, or the one behind in use")
				}
			case bAhead, bFull:
				if ar.role == "Primary" && av.state == "UpToDate" || bv.state == "Inconsistent" {
					return refuse("the one ahead is Inconsistent, or the one behind in use")
				}
			}
			if wrongData(ar, av, bv) || wrongData(br, bv, av) {
				return refuse("a Primary without its data")
			}
			av.offeredKiB, bv.offeredKiB = bv.disk.seenKiB(br.gen), av.disk.seenKiB(ar.gen)
			size := n.grantedKiB(a, ar, av, b, br, bv)
			if am.current != justCreated && size < am.sizeKiB || bm.current != justCreated && size < bm.sizeKiB {
				return refuse("the disk is too small") // "The peer's disk size is too small!"
			}
		}
		if av.disk == nil && bv.disk != nil && wrongData(ar, av, bv) || bv.disk == nil && av.disk != nil && wrongData(br, bv, av) {
			return refuse("a Primary without its data")
		}
		steps = append(steps, s)
	}
	ac.state, bc.state = "Connected", "Connected"
	ac.peerRole, bc.peerRole = br.role, ar.role
	for _, s := range steps {
		ap, bp := ac.vols[s.av.num], bc.vols[s.bv.num]
		if ap == nil || bp == nil {
			continue
		}
		ap.repl, bp.repl = "Established", "Established"
		if s.av.disk != nil && s.bv.disk != nil {
			if s.av.disk.md.current == s.bv.disk.md.current {
				agree(s.av.disk.md, s.bv.disk.md)
			}
			size := n.grantedKiB(a, ar, s.av, b, br, s.bv)
			if ar.gen == drbd.Gen9 && (away(ar, s.av, ac) || away(br, s.bv, bc)) {
				size = min(size, agreedKiB(s.av.disk.md, s.bv.disk.md))
			}
			for _, v := range []*volume{s.av, s.bv} {
				if ar.gen == drbd.Gen8 || size > v.disk.md.sizeKiB {
					v.disk.moveMetadata()
				}
				v.disk.md.sizeKiB, v.sizeKiB = size, size
			}
			n.spread(a, ar, s.av)
			n.spread(b, br, s.bv)
			switch s.what {
			case fresh:
				s.av.disk.md.slot(ac.peerID).setAll(size)
				s.bv.disk.md.slot(bc.peerID).setAll(size)
			case same:
				if s.av.state == "UpToDate" || s.bv.state == "UpToDate" || ar.gen == drbd.Gen8 && s.av.state == "Outdated" {
					s.av.state, s.bv.state = "UpToDate", "UpToDate"
				}
				s.av.disk.md.slot(ac.peerID).clear()
				s.bv.disk.md.slot(bc.peerID).clear()
				s.av.disk.md.crashed, s.bv.disk.md.crashed = false, false
			case aAhead, aFull:
				n.agreeOnSync(ac, s.av, bc, s.bv, s.what == aFull)
			case bAhead, bFull:
				n.agreeOnSync(bc, s.bv, ac, s.av, s.what == bFull)
			}
		} else {
			// A diskless end: its size is the other's.
			if s.av.disk == nil && s.bv.disk != nil {
				s.av.sizeKiB = s.bv.sizeKiB
			}
			if s.bv.disk == nil && s.av.disk != nil {
				s.bv.sizeKiB = s.av.sizeKiB
			}
		}
		ap.disk, bp.disk = s.bv.state, s.av.state
	}
	n.showDisks(a, ar)
	n.showDisks(b, br)
	n.outdate(a, ar)
	for _, x := range n.component(a, ar) {
		for _, id := range []int{ar.nodeID, br.nodeID} {
			if !slices.Contains(x.r.members, id) {
				x.r.members = append(slices.Clone(x.r.members), id)
			}
		}
	}
	n.round(a, ar)
	return true
}

// agree lets two of the same data generation share what they know of third
// nodes: whom one of them has brought to this generation isn't behind.
func agree(a, b *metadata) {
	for _, id := range sortedKeys(a.slots) {
		x, y := a.slots[id], b.slots[id]
		if id == a.nodeID || id == b.nodeID || y == nil || a.format == drbd.V08 {
			continue
		}
		if x.uuid == 0 && !x.all && len(x.dirty) == 0 || y.uuid == 0 && !y.all && len(y.dirty) == 0 {
			a.remember(x.uuid)
			b.remember(y.uuid)
			x.clear()
			y.clear()
		}
	}
}

// outdate tells those who are behind another in reach, though not connected to
// it, by way of third nodes.
func (n *Network) outdate(m *Machine, r *resource) {
	all := n.component(m, r)
	for _, o := range all {
		for _, v := range o.r.vols {
			if v.disk == nil || v.state != "UpToDate" || o.r.role == "Primary" {
				continue
			}
			for _, p := range all {
				if w := p.r.vol(v.num); w != nil && w.disk != nil && w.state == "UpToDate" && slices.Contains(w.disk.md.history, v.disk.md.current) {
					v.state = "Outdated"
					n.showDisks(o.m, o.r)
					break
				}
			}
		}
	}
}

// wrongData says that a Primary which reads from peers has shown its user
// newer data than this peer has: "Can only connect to data with current UUID=".
func wrongData(r *resource, v, peer *volume) bool {
	return r.role == "Primary" && v.state != "UpToDate" && v.exposed != 0 && peer.disk.md.current != v.exposed
}

// expose remembers which data a Primary works with.
func (n *Network) expose(m *Machine, r *resource, v *volume) {
	for _, x := range n.members(m, r, v) {
		if x.v.disk != nil && x.v.state == "UpToDate" {
			v.exposed = x.v.disk.md.current
			return
		}
	}
}

func syncing(r *resource, vol int) bool {
	return slices.ContainsFunc(r.conns, func(c *conn) bool {
		p := c.vols[vol]
		return p != nil && slices.Contains([]string{"SyncSource", "SyncTarget", "WFBitMapS", "WFBitMapT"}, p.repl)
	})
}

// showDisks tells all connected peers this node's disk states.
func (n *Network) showDisks(m *Machine, r *resource) {
	for _, c := range r.conns {
		if c.state != "Connected" {
			continue
		}
		_, _, pc := n.other(m, r, c)
		if pc == nil {
			continue
		}
		for _, v := range r.vols {
			if p := pc.vols[v.num]; p != nil {
				p.disk = v.state
			}
		}
	}
}

// agreeOnSync: two that met agree on what has to go, for as long as SyncDelay; then the sync starts. Until then the target knows that it
// is behind, and nothing of it is replaced (8.4.11: WFBitMapT, disk UpToDate -> Outdated). Cut off then, it stays Outdated. With 9, where
// several may sync at once, they start at once: what a third does meanwhile wasn't looked up.
func (n *Network) agreeOnSync(sc *conn, s *volume, tc *conn, t *volume, full bool) {
	if s.disk.md.format == drbd.V08 {
		s.state = "UpToDate" // who has been found ahead was Outdated for nobody in reach (8.4, sanitize_state)
	}
	if n.SyncDelay == 0 || s.disk.md.format != drbd.V08 {
		n.startSync(sc, s, tc, t, full)
		return
	}
	ss, ts := s.disk.md.slot(sc.peerID), t.disk.md.slot(tc.peerID)
	if full {
		ss.all, ss.left = true, max(ss.left, s.sizeKiB)
	}
	ts.left = max(ss.left, ts.left)
	sp := sc.vols[s.num]
	sp.repl, sp.agrees, tc.vols[t.num].repl = "WFBitMapS", n.last, "WFBitMapT"
	if t.state == "UpToDate" {
		t.state = "Outdated"
	}
}

// startSync: s is the source's, t the target's.
func (n *Network) startSync(sc *conn, s *volume, tc *conn, t *volume, full bool) {
	sm, tm := s.disk.md, t.disk.md
	ss, ts := sm.slot(sc.peerID), tm.slot(tc.peerID)
	if full {
		ss.all, ss.left = true, max(ss.left, s.sizeKiB)
	}
	// Blocks that only the target changed have to go too.
	if ts.all {
		ss.setAll(s.sizeKiB)
	}
	for b := range ts.dirty {
		ss.mark(b)
	}
	if ts.left > 0 && ss.left < ts.left {
		ss.left = ts.left
	}
	ss.left = min(ss.left, s.sizeKiB)          // the target's device may be larger
	if ss.uuid == 0 || sm.format == drbd.V08 { // 8.4 names it anew at each start
		sm.remember(ss.uuid)
		ss.uuid = n.newUUID()
	}
	// While it syncs, the target is of the generation that the source's bitmap
	// counts from: cut off now, the source knows it as behind.
	tm.remember(tm.current)
	tm.current = ss.uuid
	voter, seen, outdated := ts.voter, ts.seen, ts.outdated
	*ts = *ss.clone()
	ts.uuid, ts.voter, ts.seen, ts.outdated = 0, voter, seen, outdated
	sm.crashed, tm.crashed = false, false
	sc.vols[s.num].repl, tc.vols[t.num].repl = "SyncSource", "SyncTarget"
	t.state = "Inconsistent"
}

// progress moves a sync on by up to kib, seen from its source. It tells whether one ended.
func (n *Network) progress(m *Machine, r *resource, c *conn, kib int64) (moved bool) {
	p, pr, pc := n.other(m, r, c)
	if pc == nil || c.state != "Connected" {
		return false
	}
	for _, v := range r.vols {
		pv := c.vols[v.num]
		tv := pr.vol(v.num)
		if pv != nil && pv.repl == "VerifyS" {
			moved = n.compare(c, v, pc, tv, kib) || moved
			continue
		}
		if pv == nil || tv == nil || tv.disk == nil || v.disk == nil {
			continue
		}
		if pv.repl == "WFBitMapS" && !n.last.Before(pv.agrees.Add(n.SyncDelay)) {
			n.startSync(c, v, pc, tv, false)
			moved = true
		}
		if pv.repl != "SyncSource" {
			continue
		}
		ss, ts := v.disk.md.slot(c.peerID), tv.disk.md.slot(pc.peerID)
		ss.left = max(0, ss.left-kib)
		ts.left = ss.left
		if ss.left > 0 {
			continue
		}
		all, got := ss.all, maps.Clone(ss.dirty)
		tv.writtenKiB += 4 * int64(len(ss.dirty)) // the kernel counts syncs to here, too
		if ss.all {
			tv.disk.copyOf(v.disk)
			tv.writtenKiB += tv.sizeKiB
		}
		for b := range ss.dirty {
			if v.disk.blocks[b] {
				tv.disk.blocks[b] = true
			} else {
				delete(tv.disk.blocks, b)
			}
		}
		sm, tm := v.disk.md, tv.disk.md
		sm.remember(ss.uuid)
		ss.clear()
		tm.remember(tm.current)
		for _, h := range slices.Backward(sm.history) {
			tm.remember(h)
		}
		tm.current = sm.current
		tm.history = slices.DeleteFunc(tm.history, func(u uint64) bool { return u == tm.current })
		// What the source knows of third nodes holds for the target too.
		for id, s := range sm.slots { // in any order
			if id != c.peerID && id != r.nodeID && id != pr.nodeID {
				t := tm.slot(id)
				voter, seen, outdated := t.voter, t.seen, t.outdated
				*t = *s.clone()
				t.voter, t.seen, t.outdated = voter, seen, outdated
			}
		}
		// A third node hasn't got these either, unless the source sees it, and knows that it has (9.2.18: recv_resync_read sets all
		// peers out of sync, P_PEERS_IN_SYNC takes back).
		for _, oc := range pr.conns {
			if oc.peerID == pc.peerID || oc.diskless {
				continue
			}
			at := slices.IndexFunc(r.conns, func(x *conn) bool { return x.peerID == oc.peerID })
			if at >= 0 && r.conns[at].state == "Connected" {
				continue
			}
			third := tm.slot(oc.peerID)
			if all {
				third.setAll(tv.sizeKiB)
			}
			for b := range got { // in any order
				third.mark(b)
			}
		}
		ts.clear()
		tv.state = v.state // not better than its source
		pv.repl, pc.vols[v.num].repl = "Established", "Established"
		// Others that have the very same data are told so.
		for _, oc := range pr.conns {
			o, or, ooc := n.other(p, pr, oc)
			if oc.state != "Connected" || ooc == nil || o == m {
				continue
			}
			if ov := or.vol(v.num); ov != nil && ov.disk != nil && ov.state == "UpToDate" && tv.state == "UpToDate" && ov.disk.md.current == tm.current {
				tm.slot(oc.peerID).clear()
				ov.disk.md.slot(ooc.peerID).clear()
			}
		}
		n.showDisks(p, pr)
		n.showDisks(m, r)
		if r.gen == drbd.Gen9 {
			n.weaken(n.component(p, pr))
		}
		p.log = append(p.log, "synced "+r.name)
		moved = true
	}
	return moved
}

// Unsynced is what the syncs and verifies that run have left, in KiB.
func (n *Network) Unsynced() (kib int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.machines {
		for _, name := range sortedKeys(m.kernel) {
			for _, c := range m.kernel[name].conns {
				for _, v := range m.kernel[name].vols {
					switch p := c.vols[v.num]; {
					case p == nil || v.disk == nil:
					case p.repl == "SyncSource":
						kib += v.disk.md.slot(c.peerID).left
					case p.repl == "VerifyS":
						kib += p.left
					}
				}
			}
		}
	}
	return kib
}

// catchUp starts a sync to a peer that was left behind while it was connected here but not to the Primary, once that one
// is gone: DRBD 9's reconciliation. It tells whether one started.
func (n *Network) catchUp(m *Machine, r *resource, c *conn, p *Machine, pr *resource, pc *conn) (moved bool) {
	for _, v := range r.vols {
		tv, pv := pr.vol(v.num), c.vols[v.num]
		if v.disk == nil || v.state != "UpToDate" || pv == nil || pv.repl != "Established" || tv == nil || tv.disk == nil || tv.state != "Outdated" ||
			syncing(r, v.num) || syncing(pr, v.num) ||
			slices.ContainsFunc(n.component(m, r), func(x member) bool { return x.r.role == "Primary" }) {
			continue
		}
		n.startSync(c, v, pc, tv, false)
		n.showDisks(p, pr)
		moved = true
	}
	return moved
}

// drop loses a connection that both ends want: they try again.
func (n *Network) drop(m *Machine, r *resource, c *conn) {
	_, pr, pc := n.other(m, r, c)
	c.reset("Connecting")
	r.bereft = true
	r.giveUp()
	if pc != nil && pc.state == "Connected" {
		pc.reset("Connecting")
		pr.bereft = true
		pr.giveUp()
	}
}

// rotate makes a new data generation if a peer that should have a disk doesn't
// see what is written from now on, and hasn't been left behind already. Members
// of the same generation go along; without a disk here, the peers do it.
func (n *Network) rotate(m *Machine, r *resource, v *volume) {
	members := n.members(m, r, v)
	for _, x := range members {
		if x.v.disk != nil && x.v.state == "UpToDate" {
			n.rotateFrom(x.v.disk.md.current, members)
		}
	}
	// Who is in reach only by way of others learns that it's behind.
	for _, o := range n.component(m, r) {
		ov := o.r.vol(v.num)
		if ov != nil && ov.disk != nil && ov.state == "UpToDate" && !slices.ContainsFunc(members, func(x member) bool { return x.r == o.r }) {
			ov.state = "Outdated"
			n.showDisks(o.m, o.r)
		}
	}
}

// component is the node and all that it's connected to, over others too.
func (n *Network) component(m *Machine, r *resource) []member {
	out := []member{{m: m, r: r}}
	for i := 0; i < len(out); i++ {
		for _, c := range out[i].r.conns {
			p, pr, pc := n.other(out[i].m, out[i].r, c)
			if c.state == "Connected" && pc != nil && !slices.ContainsFunc(out, func(x member) bool { return x.r == pr }) {
				out = append(out, member{m: p, r: pr})
			}
		}
	}
	return out
}

func (n *Network) rotateFrom(old uint64, members []member) {
	if old == justCreated {
		return
	}
	var next uint64
	for _, x := range members {
		if x.v.disk == nil || x.v.disk.md.current != old {
			continue
		}
		for _, c := range x.r.conns {
			if !x.missing(n, c, members) {
				continue
			}
			if s := x.v.disk.md.slot(c.peerID); s.uuid == 0 {
				if next == 0 {
					next = n.newUUID()
				}
				s.uuid = old
			}
		}
	}
	if next == 0 {
		return
	}
	for _, x := range members {
		if x.v.disk != nil && x.v.disk.md.current == old {
			x.v.disk.md.remember(old)
			x.v.disk.md.current = next
		}
	}
}

// seize is a forced promotion: these data are the good ones from now on.
func (n *Network) seize(m *Machine, r *resource, v *volume) {
	md := v.disk.md
	old := md.current
	md.current = n.newUUID()
	if old != justCreated {
		md.remember(old)
	}
	for _, c := range r.conns {
		if c.diskless {
			continue
		}
		s := md.slot(c.peerID)
		s.setAll(v.sizeKiB)
		if s.uuid == 0 && old != justCreated {
			s.uuid = old
		}
		p, pr, pc := n.other(m, r, c)
		if pc == nil || c.state != "Connected" || pr.vol(v.num) == nil || pr.vol(v.num).disk == nil {
			continue
		}
		n.startSync(c, v, pc, pr.vol(v.num), true)
		n.showDisks(p, pr)
	}
	n.showDisks(m, r)
}

// member is a replica that sees the same writes.
type member struct {
	m *Machine
	r *resource
	v *volume // nil in a component
}

// members are this node and those connected to it.
func (n *Network) members(m *Machine, r *resource, v *volume) []member {
	ms := []member{{m, r, v}}
	for _, c := range r.conns {
		p, pr, pc := n.other(m, r, c)
		if c.state == "Connected" && pc != nil && pr.vol(v.num) != nil {
			ms = append(ms, member{p, pr, pr.vol(v.num)})
		}
	}
	return ms
}

// missing says whether the peer should have a disk and isn't among the members
// with one.
func (x member) missing(n *Network, c *conn, members []member) bool {
	if c.diskless {
		return false
	}
	p, pr, _ := n.other(x.m, x.r, c)
	for _, o := range members {
		if p != nil && o.m == p && o.r == pr && o.v.disk != nil {
			return false
		}
	}
	return true
}
