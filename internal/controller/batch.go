package controller

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// batch is what shares one commit.
type batch struct {
	tx        *state.Tx
	tickets   []*Ticket // accepted
	seen      []func(*state.Tx)
	retouched []model.UUID
	first     bool // carries the new epoch
}

// nextBatch works off the queue on top of the committed state; nil if there is nothing to do.
func (b *Brain) nextBatch(now time.Time) *batch {
	again := len(b.retouch) > 0 && !now.Before(b.retryAt) && b.readOnly == ""
	if b.started && len(b.queue) == 0 && !again {
		return nil
	}
	if b.readOnly != "" && !b.started {
		return nil
	}
	x := &batch{tx: state.Begin(b.cur), first: !b.started}
	env := core.Env{Now: now, Rand: b.cfg.Rand}
	if x.first {
		if now.Before(b.retryAt) {
			return nil
		}
		if err := b.try(x.tx, func(f *state.Tx) error { return b.found(f, env) }); err != nil {
			b.cfg.Log.Error("can't found the cluster", "err", err)
			return nil
		}
		return x // alone: nothing is answered before our epoch is in the store
	}
	if again {
		x.retouched, b.retouch = b.retouch, nil
		for _, id := range x.retouched {
			b.see(x, env, func(tx *state.Tx) { tx.Touch(id) })
		}
	}
	n := min(len(b.queue), batchLimit)
	for _, in := range b.queue[:n] {
		switch t := in.ticket; {
		case t == nil:
			x.seen = append(x.seen, in.see)
			b.see(x, env, in.see)
		case t.gone || t.done:
		default:
			t.taken = true
			b.command(x, t, env)
		}
	}
	clear(b.queue[:n])
	if b.queue = b.queue[n:]; len(b.queue) == 0 {
		b.queue = nil
	}
	return x
}

// found makes the cluster in an empty store.
func (b *Brain) found(f *state.Tx, env core.Env) error {
	if f.Snapshot().Controller() != nil {
		return nil
	}
	if _, err := (core.Init{}).Apply(f, env); err != nil {
		return err
	}
	c := f.Snapshot().Controller().Clone()
	c.ClusterID = b.cfg.ClusterID
	c.Props["Cluster/LocalID"] = string(b.cfg.ClusterID)
	f.PutController(c)
	return nil
}

// command runs one command and the rules behind it on a fork. A refused one leaves no trace.
func (b *Brain) command(x *batch, t *Ticket, env core.Env) {
	var reply core.Reply
	names := map[model.UUID]string{}
	err := b.try(x.tx, func(f *state.Tx) (err error) {
		if reply, err = t.cmd.Apply(f, env); err != nil {
			return err
		}
		for _, w := range reply.Wait {
			if d := f.Snapshot().DefinitionByID(w.Definition); d != nil {
				names[w.Definition] = d.Name
			}
		}
		return b.rules(f, env)
	})
	if err != nil {
		t.answer(core.Reply{}, fault.Of(err))
		return
	}
	t.reply, t.names = reply, names
	x.tickets = append(x.tickets, t)
}

// see writes down what was seen, and runs the rules behind it. If a rule fails what was seen still counts.
func (b *Brain) see(x *batch, env core.Env, see func(*state.Tx)) {
	err := b.try(x.tx, func(f *state.Tx) error {
		see(f)
		return b.rules(f, env)
	})
	if err == nil {
		return
	}
	b.cfg.Log.Error("rules failed after a report", "err", err)
	if err := b.try(x.tx, func(f *state.Tx) error { see(f); f.Touched(); return nil }); err != nil {
		b.cfg.Log.Error("report left out", "err", err)
	}
}

// rules run behind every change, except where nothing may be changed.
func (b *Brain) rules(f *state.Tx, env core.Env) error {
	if b.readOnly != "" {
		f.Touched()
		return nil
	}
	return plan.After(f, env.Rules())
}

// try runs fn on a fork of tx and joins it if fn succeeds.
func (b *Brain) try(tx *state.Tx, fn func(*state.Tx) error) error {
	f := tx.Fork()
	if err := b.guarded("a command", func() error { return fn(f) }); err != nil {
		return err
	}
	tx.Join(f)
	return nil
}

// guarded turns a panic into an error of kind Internal: one bad object stands alone.
func (b *Brain) guarded(what string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.cfg.Log.Error("panic", "in", what, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fault.Of(fmt.Errorf("handle %s: panic: %v", what, p))
		}
	}()
	return fn()
}

// request encodes the batch's changes; nil if there is nothing to persist.
func (x *batch) request(b *Brain) (*CommitRequest, error) {
	changes := x.tx.Changes()
	if len(changes) == 0 && !x.first {
		return nil, nil
	}
	r := &CommitRequest{Epoch: b.order.Epoch, Base: b.base}
	for _, c := range changes {
		e, err := b.codec.Encode(c)
		if err != nil {
			return nil, err
		}
		r.Changes = append(r.Changes, e)
	}
	return r, nil
}

// settle publishes a batch that is durable (or had nothing to persist), and answers.
func (b *Brain) settle(x *batch, now time.Time) {
	b.publish(x.tx)
	if x.first {
		b.dialSet(now)
		b.cfg.Log.Info("controller started", "epoch", b.order.Epoch, "instance", b.order.Instance, "cluster", b.cfg.ClusterID)
	}
	b.tell(x.tx, now)
	for _, t := range x.tickets {
		if t.opts.Async || t.gone || len(t.reply.Wait) == 0 {
			t.notes = t.reply.Notes
			t.finish()
			continue
		}
		b.await(t, now)
	}
}

// tell marks whom to tell what, and looks at the waits that it may end. A node that goes or comes makes all that is on it
// dirty.
func (b *Brain) tell(tx *state.Tx, now time.Time) {
	defs := map[model.UUID]bool{}
	nodes := tx.SeenNodes()
	for _, d := range tx.Dirty() {
		p := b.peers[d.Node]
		if d.Definition == "" {
			b.dial(d.Node, now)
			p = b.peers[d.Node]
			if p != nil && p.sess != nil {
				p.sess.dirtyPools = true
			}
			continue
		}
		defs[d.Definition] = true
		if p != nil && p.sess != nil {
			p.sess.dirty[d.Definition] = struct{}{}
		}
	}
	for _, t := range slices.Clone(b.waiting) {
		if slices.ContainsFunc(t.waits, func(w *waiting) bool {
			_, seen := nodes[model.Key(w.Node)]
			return w.note == nil && (w.Definition != "" && defs[w.Definition] || w.Definition == "" && seen)
		}) {
			b.judge(t, now)
		}
	}
}
