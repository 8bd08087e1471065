package machine

import (
	"slices"
	"strings"

	"holdfast/internal/tool/drbd"
)

// DRBD 9 agrees on the data in messages when a disk is attached over connections that are there already. 9.2.18 takes an answer that
// comes before its own state has changed for none (drbd_receiver.c, receive_state: the disk isn't D_NEGOTIATING yet); then the disk
// stays Negotiating, with who attached it in the kernel, until a connection is lost. It is what its metadata say from then on
// (drbd_state.c, sanitize_state), and over the connections that are left nobody negotiates any more.

const negotiating = "Negotiating"

// LoseAnswers lets the next disks that are attached over a connection have no answer, or have one again.
func (m *Machine) LoseAnswers(on bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.mute = on
}

// noAnswer attaches with no answer from any peer, if there is one that would have to answer.
func (m *Machine) noAnswer(r *resource, v *volume) bool {
	if !m.mute || r.gen != drbd.Gen9 || !slices.ContainsFunc(r.conns, func(c *conn) bool {
		p, _, pc := m.net.other(m, r, c)
		w := c.vols[v.num]
		return c.state == "Connected" && pc != nil && pc.state == "Connected" && m.net.reach(m, p) && w != nil && w.disk == "UpToDate"
	}) {
		return false
	}
	v.state = negotiating
	m.net.showDisks(m, r)
	return true
}

// giveUp ends all negotiations of a resource: a connection is lost.
func (r *resource) giveUp() {
	for _, v := range r.vols {
		if v.state != negotiating {
			continue
		}
		v.state = "Inconsistent"
		if v.disk.md.consistent {
			v.state = "Outdated"
		}
	}
}

// negotiates tells whether what makes a program hang is a disk of that name, which is Negotiating.
func (m *Machine) negotiates(what string) bool {
	minor, is := strings.CutPrefix(what, negotiating+" ")
	if !is {
		return false
	}
	v, _ := m.minor(minor)
	return v != nil && v.state == negotiating
}
