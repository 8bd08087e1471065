package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/stored"
)

// Brain is the controller without goroutines, clock and I/O. All methods but Snapshot are for one goroutine.
type Brain struct {
	cfg   Config
	order model.Order
	base  uint64
	codec *stored.Codec

	cur       *state.Snapshot // committed; only the writer forks it
	rev       uint64
	published atomic.Pointer[state.Snapshot]
	problems  []string

	started    bool // our epoch is in the store
	readOnly   string
	heardOf    uint64 // highest epoch heard of
	needReload bool
	queue      []input
	batch      *batch // in flight
	retouch    []model.UUID
	retryAt    time.Time
	tendAt     time.Time

	waiting []*Ticket

	peers       map[string]*peer // by model.Key(node)
	sorted      []*peer
	lastSession uint64
	out         []Out
}

// input is a command, or something seen that is written to memory; seeing it twice does no harm.
type input struct {
	ticket *Ticket
	see    func(*state.Tx)
}

// CommitRequest is what the store must make durable before anything of it is seen. One is open at a time.
type CommitRequest struct {
	Epoch, Base uint64
	Changes     []store.Change
}

// New starts from what the store holds. The first Step commits the new epoch, and on an empty store the cluster itself.
// It fails if the store has records but no readable cluster record, or is another cluster's.
func New(cfg Config, l stored.Loaded) (*Brain, error) {
	c := l.Objects.Controller
	if c == nil && l.NextID > 1 {
		return nil, fmt.Errorf("start the controller: the store has no readable cluster record; `holdfast store check` says more: %q", l.Problems)
	}
	if c != nil && c.ClusterID != cfg.ClusterID {
		return nil, fmt.Errorf("start the controller: the store is cluster %s's, the keys are cluster %s's; put the keys that belong to this store in place",
			c.ClusterID, cfg.ClusterID)
	}
	b := &Brain{cfg: cfg, codec: l.Codec, base: l.Base, order: model.Order{Epoch: max(l.Epoch, cfg.MinEpoch) + 1, Instance: cfg.Instance},
		peers: map[string]*peer{}}
	snap, problems := state.Build(l.Objects)
	b.problems = append(slices.Clone(l.Problems), problems...)
	tx := state.Begin(snap)
	b.publish(tx)
	return b, nil
}

// Snapshot is the newest published state; from any goroutine.
func (b *Brain) Snapshot() *state.Snapshot { return b.published.Load() }

// Problems names what was left out at the last load.
func (b *Brain) Problems() []string { return b.problems }

// ReadOnly says why nothing may be changed any more; "" if it may.
func (b *Brain) ReadOnly() string { return b.readOnly }

// Order is this controller's.
func (b *Brain) Order() model.Order { return b.order }

// Started tells whether the epoch is in the store: before, nothing is answered and nobody dialled.
func (b *Brain) Started() bool { return b.started }

// NeedReload tells that the store's outcome is unknown: the driver loads it again and calls Reload.
func (b *Brain) NeedReload() bool { return b.needReload }

// publish makes tx's state the one that everybody sees.
func (b *Brain) publish(tx *state.Tx) {
	b.rev++
	b.published.Store(tx.Publish(b.rev))
	b.cur = tx.Snapshot()
}

// Step does what is due at now. If it gives a commit, the caller does it and calls Committed; until then further inputs
// queue.
func (b *Brain) Step(now time.Time) *CommitRequest {
	req := b.collect(now)
	b.timers(now)
	b.send(now)
	return req
}

func (b *Brain) collect(now time.Time) *CommitRequest {
	for b.batch == nil && !b.needReload {
		x := b.nextBatch(now)
		if x == nil {
			return nil
		}
		req, err := x.request(b)
		if err != nil { // a shape that doesn't encode is a defect
			b.batch = x
			b.Committed(0, err, now)
			continue
		}
		if req != nil {
			b.batch = x
			return req
		}
		b.settle(x, now)
	}
	return nil
}

// Committed tells the outcome of the commit that Step gave.
func (b *Brain) Committed(base uint64, err error, now time.Time) {
	x := b.batch
	b.batch = nil
	if err == nil {
		b.base, b.started = base, true
		b.settle(x, now)
		b.send(now)
		return
	}
	b.cfg.Log.Error("commit failed", "err", err)
	unknown := errors.Is(err, store.ErrOutcomeUnknown)
	switch {
	case errors.Is(err, store.ErrStaleEpoch):
		b.turnReadOnly("A newer controller has written to the store: "+err.Error(), 0)
	case unknown, errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNeedsLoad):
		b.needReload = true
	}
	for _, t := range x.tickets {
		switch {
		case unknown:
			t.answer(core.Reply{}, fault.New(fault.OutcomeUnknown, fault.Controller, "It is unknown whether the change was stored.").
				Because("%v", err).Do("Look at the object before you repeat the command."))
		case b.readOnly != "":
			t.answer(core.Reply{}, b.refuseReadOnly())
		default:
			f := fault.New(fault.Internal, fault.Controller, "The change was not stored; nothing was changed.").Because("%v", err).
				Do("Mend what the cause names on the controller's machine, then repeat the command.")
			f.Err = err
			t.answer(core.Reply{}, f)
		}
	}
	// What was seen is no secret of the store's: publish it, and run the rules again later.
	tx := state.Begin(b.cur)
	for _, see := range x.seen {
		b.guarded("what a node reported", func() error { see(tx); return nil })
	}
	b.retouch = append(b.retouch, tx.Touched()...)
	b.retouch = append(b.retouch, x.retouched...)
	b.retryAt = now.Add(retryCommit)
	b.publish(tx)
	b.tell(tx, now)
	b.send(now)
}

// Reload takes the store's content after an unknown outcome. What was seen of the nodes stays.
func (b *Brain) Reload(l stored.Loaded, now time.Time) error {
	if l.Objects.Controller == nil && b.started {
		return fmt.Errorf("reload the store: it has no readable cluster record")
	}
	if l.Epoch > b.order.Epoch {
		b.turnReadOnly(fmt.Sprintf("Another controller has written to the store with epoch %d; this one's is %d.", l.Epoch, b.order.Epoch), l.Epoch)
	}
	old := b.cur
	snap, problems := state.Build(l.Objects)
	b.problems = append(slices.Clone(l.Problems), problems...)
	b.base, b.codec, b.needReload, b.retryAt = l.Base, l.Codec, false, now
	tx := state.Begin(snap)
	if m := old.Master(); m != nil {
		tx.Unlock(m)
	}
	old.Nodes(func(n *state.Node) bool {
		tx.SeeNode(n.Name, n.Seen)
		return true
	})
	old.AllDefinitions(func(d *state.Definition) bool {
		for _, id := range slices.Sorted(maps.Keys(d.Seen)) {
			tx.SeeResource(d.UUID, id, d.Seen[id])
		}
		return true
	})
	b.retouch = nil
	tx.Snapshot().AllDefinitions(func(d *state.Definition) bool {
		b.retouch = append(b.retouch, d.UUID)
		return true
	})
	tx.Dirty()
	b.publish(tx)
	for _, p := range b.sorted {
		if p.sess != nil {
			p.sess.resync = true
		}
	}
	b.dialSet(now)
	for _, t := range slices.Clone(b.waiting) {
		b.judge(t, now)
	}
	return nil
}

func (b *Brain) turnReadOnly(why string, epoch uint64) {
	b.heardOf = max(b.heardOf, b.order.Epoch, epoch)
	if b.readOnly != "" {
		return
	}
	b.readOnly = why
	b.cfg.Log.Error("this controller turns read-only", "reason", why)
	b.answerQueued(func(*Ticket) error { return b.refuseReadOnly() })
}

// answerQueued answers those queued commands for which there is an error; the rest of the queue stays.
func (b *Brain) answerQueued(err func(*Ticket) error) {
	q := b.queue
	b.queue = nil
	for _, in := range q {
		if in.ticket != nil {
			if e := err(in.ticket); e != nil {
				in.ticket.answer(core.Reply{}, e)
				continue
			}
		}
		b.queue = append(b.queue, in)
	}
}

// timers ends what has waited long enough.
func (b *Brain) timers(now time.Time) {
	for _, t := range slices.Clone(b.waiting) {
		if t.due(now) {
			b.judge(t, now)
		}
	}
	if b.needReload || !b.started {
		b.answerQueued(func(t *Ticket) error {
			if now.Before(t.deadline) {
				return nil
			}
			return fault.New(fault.ReadOnly, fault.Controller, "The command was not done: the store can't be read.").
				Do("Look at the controller's log, mend the store, then repeat the command.")
		})
	}
	b.tend(now)
	b.heartbeat(now)
}

// due tells whether time alone may give t an outcome.
func (t *Ticket) due(now time.Time) bool { return !now.Before(t.next()) }

func (t *Ticket) next() time.Time {
	at := t.deadline
	for _, w := range t.waits {
		if w.note == nil && !w.blocked.IsZero() {
			if g := w.blocked.Add(BlockedGrace); g.Before(at) {
				at = g
			}
		}
	}
	return at
}

// Wake is when Step has something to do even if nothing comes in; zero: never.
func (b *Brain) Wake(now time.Time) time.Time {
	var at time.Time
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if b.batch == nil && !b.needReload {
		switch {
		case !b.started && b.readOnly == "":
			sooner(b.retryAt)
		case len(b.queue) > 0:
			sooner(now)
		}
		if len(b.retouch) > 0 && b.readOnly == "" {
			sooner(b.retryAt)
		}
	}
	for _, t := range b.waiting {
		sooner(t.next())
	}
	if b.needReload || !b.started {
		for _, in := range b.queue {
			if in.ticket != nil {
				sooner(in.ticket.deadline)
			}
		}
	}
	b.wakeTend(sooner)
	b.wakePeers(now, sooner)
	return at
}
