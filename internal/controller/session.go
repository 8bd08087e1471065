package controller

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
	"holdfast/internal/wire"
)

// Out is something for a session: a message, or its end.
type Out struct {
	Node    string
	Session uint64
	Msg     wire.Message
	Close   bool
}

// session is an open channel to a satellite.
type session struct {
	id       uint64
	heard    time.Time
	nextPing time.Time
	nonce    uint64
	claimed  bool // the node's fingerprint is in the store: orders may leave
	online   bool // the first full report was here

	// what it reported: replica -> definition and generation
	seen    map[model.UUID]heard
	strange map[model.UUID]bool // replicas of others that it named

	// what it was told
	seq, acked uint64
	oldest     time.Time // when the oldest unanswered Desired left
	full       bool
	sent       map[model.UUID][]sum // by definition
	sentPools  uint64
	left       [sendBurst]time.Time // when the last messages left, newest first

	// what it must be told
	dirty      map[model.UUID]struct{}
	dirtyPools bool
	resync     bool // look at everything
}

type heard struct {
	def model.UUID
	gen uint64
}

// sum stands for a spec that was sent.
type sum struct {
	id  model.UUID
	sum uint64
}

// Outbox hands over what is to be sent; it is empty then. The messages of a session are in order.
func (b *Brain) Outbox() []Out {
	o := b.out
	b.out = nil
	return o
}

// Connected opens the session that DialPlan asked for. fingerprint is that of the certificate that the satellite showed.
func (b *Brain) Connected(node string, id uint64, fingerprint string, w wire.Welcome, now time.Time) {
	p := b.peers[model.Key(node)]
	if p == nil || p.attempt != id {
		b.out = append(b.out, Out{Node: node, Session: id, Close: true})
		return
	}
	fail := func(status model.ConnectionStatus, why string) {
		b.out = append(b.out, Out{Node: p.name, Session: id, Close: true})
		b.DialFailed(node, id, status, why, now)
	}
	n := b.cur.Node(p.key)
	switch {
	case w.HighestEpoch > b.order.Epoch && p.pinned:
		why := newerEpoch(p.name, w.HighestEpoch, b.order.Epoch)
		b.turnReadOnly(why, w.HighestEpoch)
		fail(model.StatusOtherController, why)
		return
	case w.HighestEpoch > b.order.Epoch:
		fail(model.StatusOtherController, newerEpoch(p.name, w.HighestEpoch, b.order.Epoch))
		return
	case !slices.ContainsFunc(w.Features, func(f string) bool { return slices.Contains(wire.Features, f) }):
		fail(model.StatusVersionMismatch, fmt.Sprintf("Its release %s and this controller's %s have no feature in common: bring both to releases at most two apart.", w.Version, b.cfg.Version))
		return
	}
	p.attempt = 0
	p.sess = &session{id: id, heard: now, nextPing: now.Add(PingEvery), claimed: n.Fingerprint != "", seen: map[model.UUID]heard{},
		strange: map[model.UUID]bool{}, sent: map[model.UUID][]sum{}, dirty: map[model.UUID]struct{}{}}
	b.cfg.Log.Info("satellite connected", "node", p.name, "version", w.Version, "uname", w.Uname)
	key := p.key
	b.queue = append(b.queue, input{see: func(tx *state.Tx) {
		seen := &model.NodeObserved{Status: model.StatusConnected, Reason: "waiting for its first report", SinceMS: now.UnixMilli(),
			NodeReport: model.NodeReport{Uname: w.Uname, BootID: w.BootID, Version: w.Version}}
		if n := tx.Snapshot().Node(key); n != nil {
			seen.Fill = n.Seen.Fill
			if last := n.Seen.Past(); last != nil && last.BootID == w.BootID { // else it may have another kernel now
				seen.Last = last
			}
		}
		tx.SeeNode(key, seen)
	}})
	if !p.sess.claimed {
		b.claim(p, id, fingerprint, now)
	}
}

// claim keeps the fingerprint of a satellite that this cluster has just claimed. Nothing is ordered before it is stored.
func (b *Brain) claim(p *peer, id uint64, fingerprint string, now time.Time) {
	b.Submit(claimed{p.node, core.NodeClaimed{Node: p.name, Fingerprint: fingerprint}}, Options{Async: true, Notify: func(t *Ticket) {
		if p.sess == nil || p.sess.id != id {
			return
		}
		if _, err := t.Result(); err != nil {
			status := model.StatusOffline
			if fault.Is(err, fault.Refused) {
				status = model.StatusAuthError
			}
			b.drop(p, status, err.Error(), now)
			return
		}
		b.cfg.Log.Info("satellite claimed", "node", p.name, "fingerprint", fingerprint)
		p.sess.claimed = true
	}}, now)
}

// claimed is NodeClaimed, unless another node has taken the name over meanwhile.
type claimed struct {
	node model.UUID
	core.NodeClaimed
}

func (c claimed) Apply(tx *state.Tx, env core.Env) (core.Reply, error) {
	if n := tx.Snapshot().Node(c.Node); n == nil || n.UUID != c.node {
		return core.Reply{}, fault.New(fault.NotFound, fault.Node, "Node '%s' was deleted meanwhile.", c.Node)
	}
	return c.NodeClaimed.Apply(tx, env)
}

// Lost says that a session ended.
func (b *Brain) Lost(node string, id uint64, reason string, now time.Time) {
	p := b.peers[model.Key(node)]
	switch {
	case p == nil:
	case p.sess != nil && p.sess.id == id:
		b.drop(p, model.StatusOffline, reason, now)
	case p.attempt == id:
		b.DialFailed(node, id, model.StatusOffline, reason, now)
	}
}

// drop ends a session; what the node said in it counts no more.
func (b *Brain) drop(p *peer, status model.ConnectionStatus, reason string, now time.Time) {
	seen := p.sess.seen
	b.out = append(b.out, Out{Node: p.name, Session: p.sess.id, Close: true})
	b.cfg.Log.Info("session ended", "node", p.name, "reason", reason)
	p.sess = nil
	b.later(p, now)
	b.status(p, status, reason, now)
	b.queue = append(b.queue, input{see: func(tx *state.Tx) { forget(tx, seen) }})
}

// forget takes statuses away.
func forget(tx *state.Tx, seen map[model.UUID]heard) {
	ids := make([]model.UUID, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		tx.SeeResource(seen[id].def, id, nil)
	}
}

// Message takes what a satellite sent in a session.
func (b *Brain) Message(node string, id uint64, m wire.Message, now time.Time) {
	p := b.peers[model.Key(node)]
	if p == nil || p.sess == nil || p.sess.id != id {
		return
	}
	p.sess.heard = now
	switch m := m.(type) {
	case wire.Pong:
	case wire.Ping:
		b.out = append(b.out, Out{Node: p.name, Session: id, Msg: wire.Pong(m)})
	case wire.Report:
		b.report(p, m, now)
	case wire.Refused:
		b.heardEpoch(&peer{name: p.name, pinned: p.sess.claimed}, m)
		b.drop(p, refusedStatus(m.Why), m.Text, now)
	default:
		b.drop(p, model.StatusOffline, fmt.Sprintf("it sent %T out of order", m), now)
	}
}

// report takes what a node says of itself and its replicas. It is written down in the writer's next batch.
func (b *Brain) report(p *peer, r wire.Report, now time.Time) {
	s := p.sess
	if len(b.queue) >= queueLimit {
		b.drop(p, model.StatusOffline, "the store has not answered for so long that no more reports are taken", now)
		return
	}
	if r.AckSeq > s.seq {
		b.drop(p, model.StatusOffline, fmt.Sprintf("it acknowledged order %d before it was sent", r.AckSeq), now)
		return
	}
	if r.AckSeq > s.acked {
		s.acked, s.oldest = r.AckSeq, now
	}
	if r.Full && !s.online {
		s.online = true
		p.backoff = 0
		b.cfg.Log.Info("node is online", "node", p.name)
	}
	gone := map[model.UUID]heard{}
	if r.Full {
		gone = s.seen
		s.seen = make(map[model.UUID]heard, len(r.Resources))
	}
	for _, id := range r.Forgotten {
		if h, ok := s.seen[id]; ok {
			gone[id] = h
			delete(s.seen, id)
		}
	}
	var news []*model.ResourceStatus
	for i := range r.Resources {
		st := &r.Resources[i]
		h, ok := s.seen[st.ID]
		if !ok {
			h = gone[st.ID]
		}
		delete(gone, st.ID)
		// Late: a newer word of this session was here. A generation that we never had (the store was rolled back) is no
		// measure.
		d := b.cur.DefinitionByID(st.Definition)
		if st.Generation < h.gen && (d == nil || h.gen <= d.Generation) {
			s.seen[st.ID] = h
			continue
		}
		if d != nil {
			st = shared(d.ResourceDefinition, st)
		}
		s.seen[st.ID] = heard{st.Definition, st.Generation}
		news = append(news, st)
	}
	key, online := p.key, s.online
	b.queue = append(b.queue, input{see: func(tx *state.Tx) {
		seeNode(tx, key, r.Node, online, now)
		forget(tx, gone)
		for _, st := range news {
			b.seeReplica(tx, p, s, st)
		}
	}})
}

// seeNode notes what a node says of itself; nil: nothing (new). A node isn't online before it is known what it has: by its own
// word in this session, or by what it said in the last one if it wasn't booted since.
func seeNode(tx *state.Tx, key string, r *model.NodeReport, online bool, now time.Time) {
	n := tx.Snapshot().Node(key)
	if n == nil || n.Online() && r == nil {
		return
	}
	seen := *n.Seen
	if online && r == nil && seen.Last == nil {
		if seen.Reason != lookedAt {
			seen.Reason = lookedAt
			tx.SeeNode(key, &seen)
		}
		return
	}
	last := seen.Last
	switch {
	case r != nil:
		seen.NodeReport, seen.Last = *r, nil
		if pools := unread(n, r, last); len(pools) > 0 {
			seen.Pools, seen.Last = append(slices.Clone(r.Pools), pools...), last
		}
		seen.Fill = plan.Fill(seen.Fill, r.Pools, func(id model.UUID) bool {
			return slices.ContainsFunc(n.Pools, func(p model.StoragePool) bool { return p.UUID == id && p.Kind.Thin() })
		}, now.UnixMilli())
	case online:
		uname, version := seen.Uname, seen.Version
		seen.NodeReport = *last
		seen.Uname, seen.Version = uname, version
	}
	if online && seen.Status != model.StatusOnline {
		seen.Status, seen.Reason, seen.SinceMS = model.StatusOnline, "", now.UnixMilli()
	}
	tx.SeeNode(key, &seen)
}

// lookedAt is why a node with a session isn't online yet.
const lookedAt = "its satellite still looks at the machine: which DRBD and which storage it has isn't known yet"

// unread are the pools that the node has and hasn't spoken of yet, as it knew them last.
func unread(n *state.Node, r, last *model.NodeReport) (out []model.PoolStatus) {
	if last == nil {
		return nil
	}
	for _, p := range last.Pools {
		if slices.ContainsFunc(n.Pools, func(o model.StoragePool) bool { return o.UUID == p.UUID }) &&
			!slices.ContainsFunc(r.Pools, func(o model.PoolStatus) bool { return o.UUID == p.UUID }) {
			out = append(out, p)
		}
	}
	return out
}

// forgetFill drops what was forecast of a past that is over.
func (b *Brain) forgetFill(key string, now time.Time) {
	if n := b.cur.Node(key); n == nil || !plan.FillStale(n.Seen.Fill, now.UnixMilli()) {
		return
	}
	b.queue = append(b.queue, input{see: func(tx *state.Tx) {
		n := tx.Snapshot().Node(key)
		if n == nil || !plan.FillStale(n.Seen.Fill, now.UnixMilli()) {
			return
		}
		seen := *n.Seen
		seen.Fill = slices.Clone(seen.Fill)
		for i := range seen.Fill {
			seen.Fill[i].FullMS, seen.Fill[i].MetaFullMS = 0, 0
		}
		tx.SeeNode(key, &seen)
	}})
}

// seeReplica writes one status down, if it is this node's to report.
func (b *Brain) seeReplica(tx *state.Tx, p *peer, s *session, st *model.ResourceStatus) {
	d := tx.Snapshot().DefinitionByID(st.Definition)
	if d == nil {
		return
	}
	node := d.NodeOf(st.ID)
	switch {
	case node == "":
	case model.Key(node) != p.key:
		if !s.strange[st.ID] {
			s.strange[st.ID] = true
			b.cfg.Log.Warn("node reports another node's replica; ignored", "node", p.name, "resource", d.Name, "replica", st.ID, "owner", node)
		}
	case d.Seen[st.ID] == nil || !reflect.DeepEqual(d.Seen[st.ID], st):
		tx.SeeResource(st.Definition, st.ID, st)
	}
}

// heartbeat pings, and ends sessions that have been silent.
func (b *Brain) heartbeat(now time.Time) {
	for _, p := range b.sorted {
		s := p.sess
		switch {
		case s == nil:
		case now.Sub(s.heard) >= SilenceLimit:
			b.drop(p, model.StatusOffline, fmt.Sprintf("it has been silent for %d s", SilenceLimit/time.Second), now)
		case s.seq > s.acked && now.Sub(s.oldest) >= ackLimit:
			b.drop(p, model.StatusOffline, fmt.Sprintf("it has not taken its orders for %d s", ackLimit/time.Second), now)
		case !now.Before(s.nextPing):
			s.nonce++
			s.nextPing = now.Add(PingEvery)
			b.out = append(b.out, Out{Node: p.name, Session: s.id, Msg: wire.Ping{Nonce: s.nonce}})
			b.forgetFill(p.key, now)
		}
	}
}
