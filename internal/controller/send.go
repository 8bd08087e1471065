package controller

import (
	"maps"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/state"
	"holdfast/internal/wire"
)

// send tells every session what it has to know and may be told now.
func (b *Brain) send(now time.Time) {
	if !b.started || b.readOnly != "" {
		return
	}
	for _, p := range b.sorted {
		s := p.sess
		if s == nil || !s.wants() || now.Before(s.may()) {
			continue
		}
		m := b.desired(p)
		if m == nil {
			continue
		}
		if s.seq == s.acked {
			s.oldest = now
		}
		s.seq++
		m.Order, m.Seq = b.order, s.seq
		copy(s.left[1:], s.left[:])
		s.left[0] = now
		b.out = append(b.out, Out{Node: p.name, Session: s.id, Msg: *m})
	}
}

// wants tells whether there is something to look at.
func (s *session) wants() bool {
	return s.claimed && s.seq-s.acked < unackedLimit && (!s.full || s.resync || s.dirtyPools || len(s.dirty) > 0)
}

// may is when the next message may leave: at once when idle, a few times a second when busy.
func (s *session) may() time.Time {
	at := s.left[0].Add(sendGap)
	if w := s.left[sendBurst-1].Add(sendWindow); w.After(at) {
		at = w
	}
	return at
}

func (s *session) wake(now time.Time, sending bool) time.Time {
	at := s.heard.Add(SilenceLimit)
	if s.nextPing.Before(at) {
		at = s.nextPing
	}
	if sending && s.wants() && s.may().Before(at) {
		at = s.may()
	}
	return at
}

// desired computes the whole for a new session, later what differs from what was sent; nil if nothing does.
func (b *Brain) desired(p *peer) *wire.Desired {
	s, snap := p.sess, b.cur
	m := &wire.Desired{}
	if !s.full || s.resync {
		m.Full = !s.full
		s.full, s.resync, s.dirtyPools = true, false, true
		for def := range s.sent {
			s.dirty[def] = struct{}{}
		}
		snap.OnNode(p.key, func(d *state.Definition) bool {
			s.dirty[d.UUID] = struct{}{}
			return true
		})
	}
	if s.dirtyPools {
		s.dirtyPools = false
		pools := nodestate.Pools(snap, p.key)
		devices := nodestate.DevicePools(snap, p.key)
		if h := sumPools(pools, devices); m.Full || h != s.sentPools {
			m.Pools, m.DevicePools, m.PoolsSet, s.sentPools = pools, devices, true, h
		}
	}
	for _, def := range slices.Sorted(maps.Keys(s.dirty)) {
		var specs []model.ResourceSpec
		if d := snap.DefinitionByID(def); d != nil {
			if err := b.guarded("the orders for "+d.Name, func() error { specs = nodestate.Resources(snap, d, p.key); return nil }); err != nil {
				continue // it stays as it was told; the rest goes on
			}
		}
		s.differ(m, def, specs)
	}
	clear(s.dirty)
	if !m.Full && !m.PoolsSet && len(m.Resources) == 0 && len(m.Dropped) == 0 {
		return nil
	}
	return m
}

// differ adds to m what the node doesn't know yet of one definition, and remembers it as sent.
func (s *session) differ(m *wire.Desired, def model.UUID, specs []model.ResourceSpec) {
	old := s.sent[def]
	var now []sum
	for _, spec := range specs {
		h := sum{spec.ID, sumSpec(&spec)}
		now = append(now, h)
		if !slices.Contains(old, h) {
			m.Resources = append(m.Resources, spec)
		}
	}
	for _, o := range old {
		if !slices.ContainsFunc(now, func(n sum) bool { return n.id == o.id }) {
			m.Dropped = append(m.Dropped, o.id)
		}
	}
	if len(now) == 0 {
		delete(s.sent, def)
	} else {
		s.sent[def] = now
	}
}
