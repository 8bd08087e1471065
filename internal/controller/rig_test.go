package controller

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/stored"
	"holdfast/internal/wire"
)

// rig is a Brain on a memory store, with satellites that answer at once, and a clock that only the test moves.
type rig struct {
	t     *testing.T
	b     *Brain
	store store.Backend
	now   time.Time
	sats  map[string]*sat
	log   bytes.Buffer
	hold  bool // leave the commit open
	open  *CommitRequest
}

// sat is a satellite without disks: it keeps what it is told and says that it holds.
type sat struct {
	name    string
	id      uint64 // session
	specs   map[model.UUID]model.ResourceSpec
	pools   []model.PoolSpec
	report  model.NodeReport
	epoch   uint64
	refuse  *wire.Refused
	down    bool // doesn't answer the dialling
	silent  bool // takes messages, says nothing
	noAck   bool
	looks   bool // at the machine still: nothing of it in its first report
	boot    string
	change  func(*model.ResourceStatus) // last word on each status
	orders  []wire.Desired
	dials   int
	started bool
}

const (
	clusterID = model.UUID("cccccccc-0000-4000-8000-000000000000")
	print1    = "AA:BB"
)

func seeded(n uint64) *rand.ChaCha8 {
	var s [32]byte
	s[0], s[1] = byte(n), byte(n>>8)
	return rand.NewChaCha8(s)
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, store: memory.New(string(clusterID)), now: time.UnixMilli(1_700_000_000_000).UTC(), sats: map[string]*sat{}}
	r.start()
	return r
}

// start is a controller process that begins on what the store holds.
func (r *rig) start() {
	r.t.Helper()
	b, err := r.boot(0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.b = b
	r.run()
}

func (r *rig) boot(minEpoch uint64) (*Brain, error) {
	l, err := stored.Load(context.Background(), r.store)
	if err != nil {
		return nil, err
	}
	return New(Config{Instance: model.UUID(fmt.Sprintf("instance-%d", l.Base)), ClusterID: clusterID, ClusterCA: []byte("ca"), Version: "test",
		Rand: seeded(l.Base), Log: slog.New(slog.NewTextHandler(&r.log, nil)), MinEpoch: minEpoch}, l)
}

// crash ends the controller; the store keeps what is durable. The satellites notice.
func (r *rig) crash() {
	r.t.Helper()
	r.store = r.store.(*memory.Backend).Reopen()
	for _, s := range r.sats {
		s.id = 0
	}
	r.start()
}

// run goes on until nothing is left to do at this time.
func (r *rig) run() {
	r.t.Helper()
	for range 10000 {
		if req := r.b.Step(r.now); req != nil {
			r.open = req
		}
		if r.open != nil && !r.hold {
			r.commit()
		}
		if r.b.NeedReload() && r.open == nil {
			if l, err := stored.Load(context.Background(), r.store); err == nil {
				if err := r.b.Reload(l, r.now); err != nil {
					r.t.Fatal(err)
				}
			}
		}
		moved := r.deliver()
		if !moved && (r.b.Wake(r.now).After(r.now) || r.b.Wake(r.now).IsZero()) {
			return
		}
	}
	r.t.Fatal("no rest")
}

func (r *rig) commit() {
	req := r.open
	r.open = nil
	base, err := r.store.Commit(context.Background(), req.Epoch, req.Base, req.Changes)
	r.b.Committed(base, err, r.now)
}

func (r *rig) deliver() (moved bool) {
	for _, d := range r.b.DialPlan(r.now) {
		moved = true
		r.dial(d)
	}
	for _, o := range r.b.Outbox() {
		moved = true
		s := r.sats[o.Node]
		switch {
		case s == nil || s.id != o.Session:
		case o.Close:
			s.id = 0
		default:
			r.serve(s, o.Msg)
		}
	}
	return moved
}

func (r *rig) dial(d DialRequest) {
	s := r.sats[d.Node]
	if s == nil {
		r.b.DialFailed(d.Node, d.Session, model.StatusOffline, "no route", r.now)
		return
	}
	s.dials++
	switch {
	case s.down:
		r.b.DialFailed(d.Node, d.Session, model.StatusOffline, "connection refused", r.now)
	case s.refuse != nil:
		r.b.Refused(d.Node, d.Session, *s.refuse, r.now)
	default:
		s.id, s.started = d.Session, false
		r.b.Connected(d.Node, d.Session, print1, wire.Welcome{Version: "test", Features: wire.Features, Uname: d.Node, BootID: s.boot, HighestEpoch: s.epoch}, r.now)
		s.epoch = max(s.epoch, d.Hello.Order.Epoch)
	}
}

func (r *rig) serve(s *sat, m wire.Message) {
	switch m := m.(type) {
	case wire.Ping:
		if !s.silent {
			r.b.Message(s.name, s.id, wire.Pong(m), r.now)
		}
	case wire.Desired:
		s.orders = append(s.orders, m)
		if m.Full {
			s.specs = map[model.UUID]model.ResourceSpec{}
		}
		if m.PoolsSet {
			s.pools = m.Pools
		}
		for _, spec := range m.Resources {
			s.specs[spec.ID] = spec
		}
		rep := wire.Report{AckSeq: m.Seq, Full: !s.started, Forgotten: m.Dropped}
		for _, id := range m.Dropped {
			delete(s.specs, id)
		}
		if s.noAck {
			rep.AckSeq = 0
		}
		if rep.Full {
			if !s.looks {
				rep.Node = &s.report
			}
			rep.Resources = s.statuses(slices.Sorted(maps.Keys(s.specs)))
			s.started = true
		} else {
			var ids []model.UUID
			for _, spec := range m.Resources {
				ids = append(ids, spec.ID)
			}
			rep.Resources = s.statuses(ids)
		}
		if !s.silent {
			r.b.Message(s.name, s.id, rep, r.now)
		}
	}
}

func (s *sat) statuses(ids []model.UUID) (out []model.ResourceStatus) {
	for _, id := range ids {
		spec := s.specs[id]
		st := model.ResourceStatus{Definition: spec.Definition, Name: spec.Name, ID: id, Generation: spec.Generation, Phase: model.Done, Gone: spec.Want == model.Gone}
		for _, v := range spec.Volumes {
			vs := model.VolumeStatus{ID: v.ID, Number: v.Number, Disk: model.DiskUpToDate, MDReady: true}
			if !v.Initialised && spec.DRBD != nil {
				vs.Disk, st.Phase = "", model.Working
			}
			if !st.Gone {
				st.Volumes = append(st.Volumes, vs)
			}
		}
		if s.change != nil {
			s.change(&st)
		}
		out = append(out, st)
	}
	return out
}

// say sends a report about one spec, as change makes it.
func (r *rig) say(s *sat, id model.UUID, change func(*model.ResourceStatus)) {
	r.t.Helper()
	st := s.statuses([]model.UUID{id})
	change(&st[0])
	r.b.Message(s.name, s.id, wire.Report{Resources: st}, r.now)
	r.run()
}

func (r *rig) forward(d time.Duration) {
	r.t.Helper()
	end := r.now.Add(d)
	for {
		at := r.b.Wake(r.now)
		if at.IsZero() || at.After(end) {
			break
		}
		if at.After(r.now) {
			r.now = at
		}
		r.run()
	}
	r.now = end
	r.run()
}

// submit doesn't wait for a node or a pool to be there: the tests bring it about themselves.
func (r *rig) submit(c core.Command) *Ticket {
	var o Options
	switch c.(type) {
	case core.NodeCreate, core.PoolCreate:
		o.Async = true
	}
	return r.b.Submit(c, o, r.now)
}

// do runs a command to its answer, which must come within d.
func (r *rig) do(c core.Command, d time.Duration) (core.Reply, error) {
	r.t.Helper()
	t := r.submit(c)
	r.run()
	if !t.Done() {
		r.forward(d)
	}
	if !t.Done() {
		r.t.Fatalf("%T: no answer within %v", c, d)
	}
	return t.Result()
}

func (r *rig) must(c core.Command) core.Reply {
	r.t.Helper()
	rep, err := r.do(c, 2*time.Second)
	if err != nil {
		r.t.Fatalf("%T: %v", c, err)
	}
	return rep
}

// node adds a node with a pool and a satellite behind it, and waits until it is online.
func (r *rig) node(name string) *sat {
	r.t.Helper()
	s := &sat{name: name, report: model.NodeReport{Uname: name, DRBD: model.DRBD9, DRBDVersion: "9.2.18", Providers: []model.ProviderKind{model.LVM, model.Diskless},
		Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage}}}
	r.sats[name] = s
	n := len(r.sats)
	r.must(core.NodeCreate{Name: name, Interfaces: []model.NetInterface{{Name: "default", Address: fmt.Sprintf("10.77.0.%d", n)}}})
	if _, err := r.do(core.PoolCreate{Node: name, Name: "swpool", Kind: "lvm", Props: map[string]string{model.PropPoolName: "sw_ssd"}}, time.Second); err != nil {
		r.t.Fatal(err)
	}
	r.online(name)
	s.report.Pools = nil
	for _, p := range s.pools {
		s.report.Pools = append(s.report.Pools, model.PoolStatus{UUID: p.UUID, Name: p.Name, FreeKiB: 1 << 30, TotalKiB: 1 << 30, SeenMS: r.now.UnixMilli()})
	}
	r.b.Message(name, s.id, wire.Report{Node: &s.report}, r.now)
	r.run()
	return s
}

func (r *rig) online(name string) {
	r.t.Helper()
	for range 100 {
		if n := r.b.Snapshot().Node(name); n != nil && n.Online() && len(r.sats[name].pools) > 0 {
			return
		}
		r.forward(time.Second)
	}
	r.t.Fatalf("%s doesn't come online\n%s", name, r.log.String())
}

// resource makes a definition with one volume and replicas on the nodes, and gives the last reply.
func (r *rig) resource(name string, nodes ...string) core.Reply {
	r.t.Helper()
	r.must(core.DefinitionCreate{Name: name})
	r.must(core.VolumeCreate{Definition: name, SizeKiB: 65536})
	c := core.ResourceCreate{Definition: name}
	for _, n := range nodes {
		c.On = append(c.On, core.ResourceOn{Node: n, Pool: "swpool"})
	}
	return r.must(c)
}

func (r *rig) def(name string) *state.Definition { return r.b.Snapshot().Definition(name) }

func texts(notes []fault.Note) string {
	var out []string
	for _, n := range notes {
		out = append(out, fmt.Sprintf("%d %d %s [%s]", n.Severity, n.Kind, n.Message, n.Cause))
	}
	return strings.Join(out, "\n")
}

func has(notes []fault.Note, sev fault.Severity, k fault.Kind, part string) bool {
	return slices.ContainsFunc(notes, func(n fault.Note) bool {
		return n.Severity == sev && n.Kind == k && strings.Contains(n.Message+" "+n.Cause, part)
	})
}
