package controller

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/pki"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/stored"
)

// reloadEvery is when a store that couldn't be read again is tried again.
const reloadEvery = time.Second

// Deps are what a Controller stands on.
type Deps struct {
	Store    store.Backend
	Cluster  *pki.Cluster
	Log      *slog.Logger
	Version  string
	MinEpoch uint64 // see Config
}

// Controller is the shell around a Brain: its loop is the one goroutine that touches it.
type Controller struct {
	deps  Deps
	brain *Brain

	mu    sync.Mutex
	inbox []func(now time.Time)
	wake  chan struct{}

	ready    chan struct{} // closed when the epoch is in the store
	stopped  chan struct{}
	readOnly atomic.Pointer[string]
	problems atomic.Pointer[[]string]

	// of the loop
	links     map[uint64]*link
	committed chan struct{} // closed by the commit that is under way
	since     time.Time     // of that commit; zero once it was reported as slow
	reloading bool
	retry     time.Time // of the reload
}

// Open loads the store. Run then does the work.
func Open(ctx context.Context, d Deps) (*Controller, error) {
	start := time.Now()
	l, err := stored.Load(ctx, d.Store)
	if err != nil {
		return nil, fmt.Errorf("load the store: %w", err)
	}
	instance, err := newID()
	if err != nil {
		return nil, err
	}
	b, err := New(Config{Instance: instance, ClusterID: model.UUID(d.Cluster.ID), ClusterCA: d.Cluster.CA(), Version: d.Version,
		Rand: bufio.NewReaderSize(rand.Reader, 4096), Log: d.Log, MinEpoch: d.MinEpoch}, l)
	if err != nil {
		return nil, err
	}
	d.Log.Info("store loaded", "records", len(l.Objects.Definitions)+len(l.Objects.Nodes)+len(l.Objects.Groups), "ms", time.Since(start).Milliseconds())
	for _, p := range b.Problems() {
		d.Log.Error("left out of what the store holds", "problem", p)
	}
	c := &Controller{deps: d, brain: b, wake: make(chan struct{}, 1), ready: make(chan struct{}), stopped: make(chan struct{}), links: map[uint64]*link{}}
	c.notice()
	return c, nil
}

func newID() (model.UUID, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand.Reader, b[:]); err != nil {
		return "", fmt.Errorf("make an instance id: %w", err)
	}
	return core.Env{Rand: &once{b[:]}}.UUID(), nil
}

type once struct{ b []byte }

func (o *once) Read(p []byte) (int, error) { return copy(p, o.b), nil }

// Ready is closed when the controller may answer: its epoch is in the store.
func (c *Controller) Ready() <-chan struct{} { return c.ready }

// Snapshot is what is so now; it locks nothing.
func (c *Controller) Snapshot() *state.Snapshot { return c.brain.Snapshot() }

// Now is the clock.
func (c *Controller) Now() time.Time { return time.Now() }

// ReadOnly says why nothing may be changed any more; "" if it may.
func (c *Controller) ReadOnly() string { return *c.readOnly.Load() }

// Problems names the records that were left out at the last load, and why.
func (c *Controller) Problems() []string { return *c.problems.Load() }

// Reconnect drops a node's session and dials it at once.
func (c *Controller) Reconnect(node string) error {
	if c.Snapshot().Node(node) == nil {
		return fault.New(fault.NotFound, fault.Node, "Node '%s' not found.", node).Because("The cluster has no node of that name.").
			Do("`node list` shows the nodes.").Ref("Node", node)
	}
	c.post(func(now time.Time) { c.brain.Reconnect(node, now) })
	return nil
}

// Do runs a command. With async it is answered at the commit, else when the nodes that it touches have reported. Its error
// is a *fault.Error. When ctx ends first, the command stays done if a batch has taken it.
func (c *Controller) Do(ctx context.Context, cmd core.Command, async bool) (core.Reply, error) {
	for end := time.Now().Add(passingFor); ; {
		reply, err := c.do(ctx, cmd, async)
		if e := new(fault.Error); !errors.As(err, &e) || !e.Passing || !time.Now().Before(end) {
			return reply, err
		}
		select {
		case <-time.After(passingFor / 8):
		case <-ctx.Done():
			return reply, err
		case <-c.stopped:
			return reply, err
		}
	}
}

// passingFor is how long a command is tried that is refused for what a node said last: who unmounts and deletes at once is quicker than
// the node's word that nobody uses the volume any more.
const passingFor = 1600 * time.Millisecond

func (c *Controller) do(ctx context.Context, cmd core.Command, async bool) (core.Reply, error) {
	answer := make(chan *Ticket, 1)
	o := Options{Async: async, Notify: func(t *Ticket) { answer <- t }}
	if at, ok := ctx.Deadline(); ok {
		// Early enough for the answer to reach the client.
		o.Deadline = at.Add(-min(time.Second, time.Until(at)/10))
	}
	var t *Ticket // of the loop, but for Result
	c.post(func(now time.Time) { t = c.brain.Submit(cmd, o, now) })
	select {
	case got := <-answer:
		return got.Result()
	case <-ctx.Done():
		c.post(func(time.Time) { c.brain.Drop(t) })
		return core.Reply{}, fault.New(fault.OutcomeUnknown, fault.Controller, "Nobody waited for the answer.").Because("%v", ctx.Err()).
			Do("Look at the object before you repeat the command.")
	case <-c.stopped:
		select {
		case got := <-answer:
			return got.Result()
		default:
		}
		return core.Reply{}, fault.New(fault.OutcomeUnknown, fault.Controller, "The controller stops.").
			Because("It was told to end while the command was under way.").Do("Look at the object before you repeat the command.")
	}
}

// post queues something for the loop. After the end nothing happens to it.
func (c *Controller) post(f func(now time.Time)) {
	c.mu.Lock()
	c.inbox = append(c.inbox, f)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Controller) take() []func(time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := c.inbox
	c.inbox = nil
	return in
}

// Run is the loop; it returns when ctx ends and the commit under way is through.
func (c *Controller) Run(ctx context.Context) error {
	var lines sync.WaitGroup
	sessions, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		cut()
		for _, l := range c.links {
			l.close()
		}
		lines.Wait()
	}()
	defer close(c.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		for _, f := range c.take() {
			f(now)
		}
		if req := c.brain.Step(now); req != nil {
			c.commit(req)
		}
		if c.brain.NeedReload() && !c.reloading && c.committed == nil && !now.Before(c.retry) {
			c.reload(ctx)
		}
		for _, o := range c.brain.Outbox() {
			c.hand(o)
		}
		for _, d := range c.brain.DialPlan(now) {
			lines.Go(func() { c.dial(sessions, d) })
		}
		if c.committed != nil && !c.since.IsZero() && now.Sub(c.since) >= slowCommit {
			c.since = time.Time{}
			c.deps.Log.Warn("the store is slow: a commit is under way for seconds; changes wait for it, volumes don't")
		}
		c.notice()
		timer.Reset(c.rest(now))
		select {
		case <-c.wake:
		case <-timer.C:
		case <-ctx.Done():
			if c.committed != nil {
				<-c.committed // the store's answer, for those who wait
				for _, f := range c.take() {
					f(time.Now())
				}
			}
			return nil
		}
	}
}

// rest is how long the loop may sleep.
func (c *Controller) rest(now time.Time) time.Duration {
	at := c.brain.Wake(now)
	if c.brain.NeedReload() && !c.reloading && (at.IsZero() || c.retry.Before(at)) {
		at = c.retry
	}
	if at.IsZero() {
		return time.Hour
	}
	return max(at.Sub(now), 100*time.Microsecond)
}

// commit asks the store, on a goroutine of its own: a slow disk must not stop the heartbeats.
func (c *Controller) commit(req *CommitRequest) {
	done := make(chan struct{})
	c.committed, c.since = done, time.Now()
	go func() {
		base, err := c.deps.Store.Commit(context.Background(), req.Epoch, req.Base, req.Changes)
		c.post(func(now time.Time) {
			c.committed = nil
			c.brain.Committed(base, err, now)
		})
		close(done)
	}()
}

func (c *Controller) reload(ctx context.Context) {
	c.reloading = true
	go func() {
		l, err := stored.Load(ctx, c.deps.Store)
		c.post(func(now time.Time) {
			c.reloading = false
			if err == nil {
				err = c.brain.Reload(l, now)
			}
			if err != nil {
				c.retry = now.Add(reloadEvery)
				c.deps.Log.Error("can't load the store again", "err", err)
				return
			}
			c.deps.Log.Info("store loaded again")
		})
	}()
}

// notice makes visible what changes seldom.
func (c *Controller) notice() {
	if r := c.brain.ReadOnly(); c.readOnly.Load() == nil || *c.readOnly.Load() != r {
		c.readOnly.Store(&r)
	}
	if p := c.brain.Problems(); c.problems.Load() == nil || len(*c.problems.Load()) != len(p) {
		c.problems.Store(&p)
	}
	if c.brain.Started() {
		select {
		case <-c.ready:
		default:
			close(c.ready)
		}
	}
}
