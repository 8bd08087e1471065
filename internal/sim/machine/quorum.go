package machine

import (
	"slices"
	"strconv"

	"holdfast/internal/tool/drbd"
)

// DRBD 9's quorum, as 9.2.18 counts it (drbd_state.c, calc_quorum). A node votes where it has a disk, or had one that isn't
// forgotten. A disk in reach counts whatever its state, even one that is Inconsistent; only quorum-minimum-redundancy asks
// for UpToDate ones. Whoever left while this node had quorum can't have any without it, and isn't missed: so the last one
// keeps quorum where the others went one by one. Nodes without a disk break a tie, but only to keep quorum.

// votes are what one node counts for a volume.
type votes struct {
	upToDate, present           int // in reach
	outdated, quorumless, lost  int // not in reach: known to be behind, to have no quorum, nothing known
	witnesses, missingWitnesses int
	quoratePeers                int // UpToDate ones with quorum: a node without a disk believes them
}

func (v votes) away() int { return v.outdated + v.quorumless + v.lost }

// threshold is how many of so many an option asks for.
func threshold(option string, of int) int {
	switch n, err := strconv.Atoi(option); {
	case option == "majority":
		return of/2 + 1
	case option == "all":
		return of
	case err == nil:
		return n
	}
	return 0
}

// countQuorum counts for all volumes, and tells those without a disk.
func (m *Machine) countQuorum(r *resource) {
	if r.gen != drbd.Gen9 {
		return
	}
	q := r.option("options", "quorum")
	r.noQuorum = false
	for _, v := range r.vols {
		r.notePeers(v)
		v.quorate = q == "" || q == "off" || r.hasQuorum(v, q)
		if !v.quorate {
			r.noQuorum = true
		}
	}
	for _, c := range r.conns { // those without a disk believe it
		if c.state != "Connected" {
			continue
		}
		p, pr, pc := m.net.other(m, r, c)
		if pc == nil || pc.state != "Connected" {
			continue
		}
		again := false
		for _, v := range r.vols {
			w, pv := pc.vols[v.num], pr.vol(v.num)
			if w != nil && w.quorate != v.quorate {
				w.quorate = v.quorate
				again = again || pv != nil && pv.disk == nil
			}
		}
		if again {
			p.countQuorum(pr)
		}
	}
}

// notePeers keeps in a disk's metadata who has or had a disk, who has been met, and who is known to be behind.
func (r *resource) notePeers(v *volume) {
	if v.disk == nil {
		return
	}
	md := v.disk.md
	for _, c := range r.conns {
		p := c.vols[v.num]
		if c.diskless {
			if c.state == "Connected" && !slices.Contains(md.witnesses, c.peerID) {
				md.witnesses = append(md.witnesses, c.peerID)
			}
			continue
		}
		s := md.slot(c.peerID)
		s.voter, s.outdated = true, p != nil && (p.disk == "Inconsistent" || p.disk == "Outdated")
		s.seen = s.seen || p != nil && (s.outdated || p.disk == "UpToDate" || p.disk == "Consistent")
	}
}

func (r *resource) hasQuorum(v *volume, q string) bool {
	n := r.count(v)
	if n.away() >= threshold(q, n.away()+n.upToDate+n.present) { // together, they might have it
		n.lost, n.quorumless = n.lost+n.quorumless, 0
	}
	voters := n.upToDate + n.present
	if n.lost > 0 {
		voters += n.away()
	}
	need := threshold(q, voters)
	here := n.upToDate + n.present
	if n.quoratePeers > 0 || here >= need && n.upToDate >= threshold(r.option("options", "quorum-minimum-redundancy"), voters) {
		return true
	}
	return voters > 0 && voters%2 == 0 && here == need-1 && n.witnesses >= threshold("majority", n.witnesses+n.missingWitnesses) && v.quorate
}

func (r *resource) count(v *volume) (n votes) {
	away := func(id int, behind bool) {
		switch {
		case behind:
			n.outdated++
		case v.quorate && !slices.Contains(r.members, id):
			n.quorumless++
		default:
			n.lost++
		}
	}
	switch {
	case v.disk != nil && v.state == "UpToDate":
		n.upToDate++
	case v.disk != nil:
		n.present++
	case v.client:
		n.witnesses++
	default:
		n.lost++
	}
	for _, c := range r.conns {
		p := c.vols[v.num]
		up := c.state == "Connected" && p != nil && p.repl != "Off"
		switch {
		case c.option("allow-remote-read") == "no" || c.idle:
		case c.diskless && !up:
			if v.disk == nil || slices.Contains(v.disk.md.witnesses, c.peerID) {
				n.missingWitnesses++
			}
		case !up:
			away(c.peerID, p != nil && (p.disk == "Inconsistent" || p.disk == "Outdated"))
		case p.disk == "Diskless" && (c.diskless || v.disk == nil):
			n.witnesses++
		case p.disk == "UpToDate":
			n.upToDate++
			if v.disk == nil && p.quorate {
				n.quoratePeers++
			}
		default:
			n.present++
		}
	}
	if v.disk == nil {
		return n
	}
	for id, s := range v.disk.md.slots { // in any order: who isn't configured any more, but not forgotten
		if s.voter && id != r.nodeID && !slices.ContainsFunc(r.conns, func(c *conn) bool { return c.peerID == id }) {
			away(id, s.outdated)
		}
	}
	return n
}

// lose loses a connection, and both ends count what they have left.
func (n *Network) lose(m *Machine, r *resource, c *conn) {
	p, pr, pc := n.other(m, r, c)
	ends := pc != nil && pc.state == "Connected"
	n.drop(m, r, c)
	m.countQuorum(r)
	if ends {
		p.countQuorum(pr)
	}
}

// regroup is what those do who lost a peer of DRBD 9: they ask around who is left. It tells whether anybody had to.
func (n *Network) regroup() (moved bool) {
	for _, m := range n.machines {
		for _, name := range sortedKeys(m.kernel) {
			if r := m.kernel[name]; r.bereft {
				r.bereft, moved = false, true
				n.round(m, r)
				n.noteWeak(m, r)
			}
		}
	}
	return moved
}

// noteWeak: a Primary that isn't connected to who asks around, but hears of it, knows that this one is behind from now on.
func (n *Network) noteWeak(m *Machine, r *resource) {
	for _, y := range n.component(m, r)[1:] {
		for _, c := range y.r.conns {
			if _, pr, _ := n.other(y.m, y.r, c); y.r.role != "Primary" || pr != r || c.state == "Connected" || r.gen != drbd.Gen9 {
				continue
			}
			for _, p := range c.vols {
				if p.disk == "DUnknown" {
					p.disk = "Outdated"
				}
			}
			y.m.countQuorum(y.r)
		}
	}
}

// round is a cluster-wide state change that this node starts: all in reach learn who takes part, if they have quorum, and
// who sees a Primary only by way of others is behind from now on.
func (n *Network) round(m *Machine, r *resource) {
	if r.gen != drbd.Gen9 {
		return
	}
	all := n.component(m, r)
	ids := []int{}
	for _, x := range all {
		ids = append(ids, x.r.nodeID)
	}
	for _, x := range all {
		quorate := !x.r.noQuorum || slices.ContainsFunc(x.r.conns, func(c *conn) bool {
			return c.state == "Connected" && slices.ContainsFunc(x.r.vols, func(v *volume) bool { return c.vols[v.num] != nil && c.vols[v.num].quorate })
		})
		if x.r == r || quorate {
			x.r.members = ids
		}
	}
	n.weaken(all)
	for _, x := range all {
		x.m.countQuorum(x.r)
	}
}

// weaken outdates who isn't connected to a Primary that has its data, but to somebody who knows of it.
func (n *Network) weaken(all []member) {
	for _, x := range all {
		if x.r.role == "Primary" {
			continue
		}
		for _, y := range all {
			if y.r.role != "Primary" || slices.ContainsFunc(x.r.conns, func(c *conn) bool {
				_, pr, _ := n.other(x.m, x.r, c)
				return c.state == "Connected" && pr == y.r
			}) || slices.ContainsFunc(y.r.vols, func(v *volume) bool { return !y.m.reachable(y.r, v) }) {
				continue
			}
			for _, v := range x.r.vols {
				if v.disk != nil && y.r.vol(v.num) != nil && (v.state == "UpToDate" || v.state == "Consistent") {
					v.state = "Outdated"
					n.showDisks(x.m, x.r)
				}
			}
		}
	}
}

// part ends a connection in agreement with the peer. A Secondary that leaves a Primary knows that it is behind from now on,
// or is told so; a Primary that would lose its quorum or its data by that declines: then part says why.
func (n *Network) part(m *Machine, r *resource, c *conn) (declined string) {
	p, pr, pc := n.other(m, r, c)
	if r.gen != drbd.Gen9 || c.state != "Connected" || pc == nil || pc.state != "Connected" || !n.reach(m, p) {
		if c.state == "Connected" {
			n.lose(m, r, c)
		}
		c.reset("StandAlone")
		return ""
	}
	quorum := func(r *resource) string { return r.option("options", "quorum") }
	behind := func(t *resource, back *conn) {
		for _, v := range t.vols {
			if v.disk != nil && (v.state == "UpToDate" || v.state == "Consistent") {
				v.state = "Outdated"
			}
			if w := back.vols[v.num]; w != nil && w.disk != "Diskless" && w.disk != "Inconsistent" {
				w.disk = "Outdated"
			}
		}
	}
	var undo []func()
	keep := func(r *resource, c *conn) {
		state, role, bereft, no := c.state, c.peerRole, r.bereft, r.noQuorum
		undo = append(undo, func() { c.state, c.peerRole, r.bereft, r.noQuorum = state, role, bereft, no })
		for _, v := range r.vols {
			state, quorate := v.state, v.quorate
			undo = append(undo, func() { v.state, v.quorate = state, quorate })
			if w := c.vols[v.num]; w != nil {
				old := *w
				undo = append(undo, func() { *w = old })
			}
		}
	}
	keep(r, c)
	keep(pr, pc)
	able := func(m *Machine, r *resource) bool {
		return r.role != "Primary" || !r.noQuorum && !slices.ContainsFunc(r.vols, func(v *volume) bool { return !m.reachable(r, v) })
	}
	could, peerCould := able(m, r), able(p, pr)
	switch {
	case quorum(r) == "" || quorum(r) == "off":
	case r.role == "Primary" && pr.role != "Primary":
		behind(pr, c)
	case pr.role == "Primary" && r.role != "Primary":
		behind(r, pc)
	}
	c.reset("StandAlone")
	pc.reset("Connecting")
	r.giveUp()
	pr.giveUp()
	m.countQuorum(r)
	p.countQuorum(pr)
	if could && !able(m, r) || peerCould && !able(p, pr) {
		for _, f := range slices.Backward(undo) {
			f()
		}
		m.countQuorum(r)
		p.countQuorum(pr)
		n.showDisks(m, r)
		n.showDisks(p, pr)
		return "State change was refused by peer node"
	}
	n.showDisks(m, r)
	n.showDisks(p, pr)
	n.round(m, r)
	n.round(p, pr)
	return ""
}
