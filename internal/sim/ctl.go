package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"holdfast/internal/controller"
	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/stored"
)

// ctl is a controller process and its store, which outlives it.
type ctl struct {
	w     *world
	name  string
	store *memory.Backend
	brain *controller.Brain // nil: it doesn't run
	due   bool              // Step has something to do

	req   *controller.CommitRequest // given by Step
	taken bool                      // the store has answered with base and err
	base  uint64
	err   error

	commands []*command // submitted to this process, not answered yet
	applied  []*command // in the batch under way
	late     lateStore
	copies   []copyOf // of the store, to roll back to
	takeOver uint64   // the store was rolled back: start above this epoch
	minEpoch uint64   // to start above
}

func (w *world) newCtl(name string) *ctl {
	return &ctl{w: w, name: name, store: memory.New(string(clusterID))}
}

func (c *ctl) running() bool { return c.brain != nil }

// boot starts the process. minEpoch is a take-over's.
func (c *ctl) boot(minEpoch uint64) {
	l, err := stored.Load(context.Background(), c.store)
	if err != nil {
		c.w.broken("I4", "%s can't read its store: %v", c.name, err)
		return
	}
	if len(l.Problems) > 0 {
		c.w.broken("I4", "%s finds its store damaged: %q", c.name, l.Problems)
		return
	}
	c.w.instances++
	b, err := controller.New(controller.Config{Instance: model.UUID(fmt.Sprintf("instance-%d", c.w.instances)), ClusterID: clusterID,
		ClusterCA: []byte("ca"), Version: "sim", Rand: c.w.ids, Log: slog.New(&logWatch{c: c}), MinEpoch: minEpoch}, l)
	if err != nil {
		c.w.broken("I4", "%s doesn't start: %v", c.name, err)
		return
	}
	if p := b.Problems(); len(p) > 0 {
		c.w.broken("I3", "%s finds conflicts in its store: %q", c.name, p)
	}
	c.brain, c.due, c.req, c.taken = b, true, nil, false
	c.w.logf("%s starts with epoch %d", c.name, b.Order().Epoch)
}

// act steps the brain and hands on what it says.
func (c *ctl) act() {
	if c.req == nil {
		c.req = c.brain.Step(c.w.now)
		c.due = false
		if c.req != nil {
			c.w.logf("%s wants to commit %d changes", c.name, len(c.req.Changes))
		} else {
			c.settled(nil)
		}
		if c.req != nil && c.w.cfg.Break == EarlyAnswer {
			c.commitEarly()
			return
		}
	} else {
		// While a commit is under way Step only keeps time and sends.
		c.brain.Step(c.w.now)
		c.due = false
	}
	c.hand()
}

// commit lets the store take the changes.
func (c *ctl) commit() {
	changes := c.req.Changes
	if c.w.cfg.Break == LateMilestone {
		changes = c.late.hold(c, changes)
	}
	c.base, c.err = c.store.Commit(context.Background(), c.req.Epoch, c.req.Base, changes)
	if c.err != nil {
		c.late.held = nil
	}
	c.taken = true
	if c.err != nil {
		c.w.logf("%s: commit fails: %v", c.name, c.err)
	} else {
		c.w.logf("%s: the store has %d changes", c.name, len(changes))
	}
}

// committed tells the brain.
func (c *ctl) committed() {
	req := c.req
	c.req, c.taken = nil, false
	c.brain.Committed(c.base, c.err, c.w.now)
	c.due = true
	c.settled(c.err)
	c.hand()
	if c.err == nil && req != nil {
		c.w.checkPublished(c)
	}
}

// settled says how the batch under way ended, to those who keep books on commands.
func (c *ctl) settled(err error) {
	applied := c.applied
	c.applied = nil
	if c == c.w.main {
		c.w.oracle.names.settle(c.w, applied, err)
		if err == nil && len(applied) > 0 {
			c.w.checkNames(c.brain.Snapshot())
		}
	}
}

// hand puts messages on their way and dials.
func (c *ctl) hand() {
	for _, o := range c.brain.Outbox() {
		conn := c.w.connOf(c, o.Session)
		switch {
		case conn == nil:
		case o.Close:
			conn.closeCtl()
		default:
			conn.toNode = append(conn.toNode, o.Msg)
		}
	}
	for _, d := range c.brain.DialPlan(c.w.now) {
		c.w.dial(c, d)
	}
	c.commands = slices.DeleteFunc(c.commands, func(k *command) bool { return k.answered })
}

// wakes tells whether time alone gives Step something to do.
func (c *ctl) wakes() bool {
	at := c.brain.Wake(c.w.now)
	return !at.IsZero() && !at.After(c.w.now)
}

func (c *ctl) reload() {
	l, err := stored.Load(context.Background(), c.store)
	if err == nil {
		err = c.brain.Reload(l, c.w.now)
	}
	if err != nil {
		c.w.broken("I4", "%s can't reload its store: %v", c.name, err)
		return
	}
	c.w.logf("%s has reloaded its store", c.name)
	c.due = true
	if c == c.w.main {
		c.w.oracle.names.found(c.brain.Snapshot())
		c.w.checkNames(c.brain.Snapshot())
	}
	c.w.checkPublished(c)
	c.hand()
}

// crash ends the process; the store keeps what is durable. Then what it holds is compared with what was published.
func (c *ctl) crash() {
	c.w.logf("%s is killed", c.name)
	last, req, taken, err := c.brain.Snapshot(), c.req, c.taken, c.err
	reloading := c.brain.NeedReload()
	c.stop()
	c.store = c.store.Reopen()
	if b := c.w.cfg.Break; b == EarlyAnswer || b == LateMilestone {
		return // the comparison would see it at once: what it does shall be seen
	}
	c.checkDurable(last, req, taken && err == nil, reloading || errors.Is(err, store.ErrOutcomeUnknown))
}

// stop ends the process without a look at the store.
func (c *ctl) stop() {
	for _, k := range c.commands {
		k.lost()
	}
	if c == c.w.main {
		c.w.oracle.names.crashed(c.w, c.applied)
	}
	c.brain, c.req, c.taken, c.commands, c.applied = nil, nil, false, nil, nil
	c.late = lateStore{}
	for _, x := range c.w.conns {
		if x.ctl == c {
			x.closeCtl()
		}
	}
}

// checkDurable is I4: after a crash the store holds exactly what was published, or that and the batch on its way.
func (c *ctl) checkDurable(last *state.Snapshot, req *controller.CommitRequest, stored, unknown bool) {
	st, err := c.store.Load(context.Background())
	if err != nil {
		c.w.broken("I4", "the store doesn't load after a crash: %v", err)
		return
	}
	have := map[int64][]byte{}
	for _, r := range st.Records {
		have[r.ID] = r.Data
	}
	if last.Controller() == nil || unknown {
		return // the first commit had not come back, or nobody was told what became of the last
	}
	want := encodeAll(c.w, last)
	if req != nil && stored {
		for _, ch := range req.Changes {
			if ch.Delete() {
				delete(want, ch.ID)
			} else {
				want[ch.ID] = ch.Data
			}
		}
	}
	for id, b := range want {
		if !bytes.Equal(have[id], b) {
			c.w.broken("I4", "record %d was published and isn't in the store after a crash:\n  published %s\n  stored    %s", id, b, have[id])
			return
		}
	}
	if len(have) != len(want) {
		c.w.broken("I4", "the store holds %d records after a crash, %d were published", len(have), len(want))
	}
}

// encodeAll is what the store should hold of a snapshot.
func encodeAll(w *world, s *state.Snapshot) map[int64][]byte {
	out := map[int64][]byte{}
	codec := &stored.Codec{}
	put := func(ch state.Change) {
		e, err := codec.Encode(ch)
		if err != nil {
			w.broken("I4", "a published object can't be encoded: %v", err)
			return
		}
		out[ch.Record] = e.Data
	}
	put(state.Change{Record: s.Controller().Record, Kind: state.KindController, Controller: s.Controller()})
	s.Nodes(func(n *state.Node) bool {
		put(state.Change{Record: n.Record, Kind: state.KindNode, Node: n.Node})
		return true
	})
	s.Groups(func(g *model.ResourceGroup) bool {
		put(state.Change{Record: g.Record, Kind: state.KindGroup, Group: g})
		return true
	})
	s.AllDefinitions(func(d *state.Definition) bool {
		put(state.Change{Record: d.Record, Kind: state.KindDefinition, Definition: d.ResourceDefinition})
		return true
	})
	return out
}

// logWatch finds defects in the log that are said nowhere else.
type logWatch struct{ c *ctl }

func (*logWatch) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (h *logWatch) WithAttrs([]slog.Attr) slog.Handler         { return h }
func (h *logWatch) WithGroup(string) slog.Handler              { return h }

func (h *logWatch) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	h.c.w.logf("%s logs: %s", h.c.name, text)
	switch r.Message {
	case "panic", "rules failed after a report", "report left out", "can't found the cluster":
		h.c.w.broken("I5", "%s logs a defect: %s", h.c.name, text)
	}
	return nil
}
