package controller

import (
	"errors"
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

func TestFirstStart(t *testing.T) {
	r := newRig(t)
	c := r.b.Snapshot().Controller()
	if c == nil || c.ClusterID != clusterID || c.Props["Cluster/LocalID"] != string(clusterID) || c.Props["DrbdOptions/Resource/on-no-quorum"] != "io-error" {
		t.Fatalf("%+v", c)
	}
	if g := r.b.Snapshot().Group(model.DefaultGroup); g == nil || g.Filter.PlaceCount != 2 {
		t.Fatalf("%+v", g)
	}
	if r.b.Order().Epoch != 1 {
		t.Fatal(r.b.Order())
	}
	r.crash()
	if r.b.Order().Epoch != 2 || r.b.Snapshot().Controller().ClusterID != clusterID {
		t.Fatal(r.b.Order())
	}
}

func TestWrongStore(t *testing.T) {
	r := newRig(t)
	l := must(t, r)
	if _, err := New(Config{ClusterID: "other", Log: r.b.cfg.Log}, l); err == nil {
		t.Fatal("another cluster's store was taken")
	}
	l.Objects.Controller = nil
	if _, err := New(Config{ClusterID: clusterID, Log: r.b.cfg.Log}, l); err == nil {
		t.Fatal("a store without its cluster record was taken for an empty one")
	}
}

func TestTutorial(t *testing.T) {
	r := newRig(t)
	a, b := r.node("alpha"), r.node("bravo")
	rep := r.resource("backups", "alpha", "bravo")
	if !has(rep.Notes, fault.Success, fault.Done, "Created resource 'backups' on 'alpha'") || !has(rep.Notes, fault.Success, fault.Done, "on 'bravo'") {
		t.Fatal(texts(rep.Notes))
	}
	d := r.def("backups")
	if !d.Volumes[0].Initialised || len(d.Resources) != 2 || !d.Resources[1].Volumes[0].Initialised || d.DRBD != model.DRBD9 {
		t.Fatalf("%+v", d.ResourceDefinition)
	}
	rep = r.must(core.DefinitionDelete{Name: "backups"})
	if !has(rep.Notes, fault.Success, fault.Done, "Deleted 'backups' on 'bravo'") {
		t.Fatal(texts(rep.Notes))
	}
	r.forward(time.Second)
	if r.def("backups") != nil || len(a.specs)+len(b.specs) != 0 {
		t.Fatal("something is left")
	}
}

// What is published is in the store, and nothing leaves for a node before.
func TestNothingBeforeTheCommit(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.must(core.DefinitionCreate{Name: "backups"})
	r.must(core.VolumeCreate{Definition: "backups", SizeKiB: 65536})
	told := len(a.orders)
	r.hold = true
	tk := r.submit(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}}})
	r.run()
	r.forward(time.Second)
	if tk.Done() || len(r.def("backups").Resources) != 0 || len(a.orders) != told {
		t.Fatal("seen before it was durable")
	}
	r.hold = false
	r.run()
	r.forward(time.Second)
	if !tk.Done() || len(r.def("backups").Resources) != 1 || len(a.orders) == told {
		t.Fatal("not done after the commit")
	}
}

func TestGroupCommit(t *testing.T) {
	r := newRig(t)
	before := r.b.base
	var ts []*Ticket
	for _, n := range []string{"one", "two", "two", "three", "bad name"} {
		ts = append(ts, r.submit(core.DefinitionCreate{Name: n}))
	}
	r.run()
	if r.b.base != before+1 {
		t.Fatalf("%d commits", r.b.base-before)
	}
	var kinds []fault.Kind
	for _, x := range ts {
		if !x.Done() {
			t.Fatal("no answer")
		}
		_, err := x.Result()
		kinds = append(kinds, fault.Done)
		if err != nil {
			kinds[len(kinds)-1] = fault.Of(err).Kind
		}
	}
	if kinds[0] != fault.Done || kinds[1] != fault.Done || kinds[2] != fault.Exists || kinds[3] != fault.Done || kinds[4] != fault.Invalid {
		t.Fatal(kinds)
	}
	r.crash()
	if r.def("one") == nil || r.def("two") == nil || r.def("three") == nil {
		t.Fatal("lost")
	}
}

type boom struct{}

func (boom) Apply(tx *state.Tx, _ core.Env) (core.Reply, error) {
	tx.DropGroup(model.DefaultGroup)
	panic("boom")
}

func TestPanicStandsAlone(t *testing.T) {
	r := newRig(t)
	bad, good := r.submit(boom{}), r.submit(core.DefinitionCreate{Name: "good"})
	r.run()
	if _, err := bad.Result(); !fault.Is(err, fault.Internal) {
		t.Fatal(err)
	}
	if _, err := good.Result(); err != nil || r.def("good") == nil || r.b.Snapshot().Group(model.DefaultGroup) == nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.log.String(), "boom") {
		t.Fatal("not logged")
	}
}

func TestCommitFails(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("backups", "alpha")
	mem := r.store.(*memory.Backend)
	mem.FailNext(store.ErrFull)
	x, y := r.submit(core.DefinitionCreate{Name: "one"}), r.submit(core.DefinitionCreate{Name: "two"})
	// A report in the same batch is seen all the same.
	id := r.def("backups").Resources[0].UUID
	st := a.statuses([]model.UUID{id})
	st[0].InUse = true
	r.b.Message("alpha", a.id, wire.Report{Resources: st}, r.now)
	r.run()
	for _, tk := range []*Ticket{x, y} {
		if _, err := tk.Result(); !tk.Done() || !fault.Is(err, fault.Internal) || !errors.Is(err, store.ErrFull) {
			t.Fatal(err)
		}
	}
	if r.def("one") != nil || !r.def("backups").Seen[id].InUse {
		t.Fatal("wrong state after a failed commit")
	}
	r.must(core.DefinitionCreate{Name: "one"})
}

// A milestone whose commit fails is tried again, and the order that hangs on it doesn't leave before.
func TestMilestoneIsRetried(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.must(core.DefinitionCreate{Name: "backups"})
	r.must(core.VolumeCreate{Definition: "backups", SizeKiB: 65536})
	mem := r.store.(*memory.Backend)
	mem.PassNext()
	mem.FailNext(nil)
	tk := r.submit(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}}})
	r.run()
	for _, s := range a.specs {
		if s.Volumes[0].Initialised {
			t.Fatal("the node was told of a milestone that isn't stored")
		}
	}
	r.forward(2 * time.Second)
	if _, err := tk.Result(); !tk.Done() || err != nil || !r.def("backups").Volumes[0].Initialised {
		t.Fatal(err, tk.Done())
	}
}

func TestOutcomeUnknown(t *testing.T) {
	for _, kept := range []bool{false, true} {
		r := newRig(t)
		a := r.node("alpha")
		r.resource("backups", "alpha")
		r.store.(*memory.Backend).UnknownNext(kept)
		tk := r.submit(core.DefinitionCreate{Name: "maybe"})
		r.run()
		if _, err := tk.Result(); !fault.Is(err, fault.OutcomeUnknown) {
			t.Fatal(err)
		}
		if (r.def("maybe") != nil) != kept {
			t.Fatalf("kept %v, but there: %v", kept, r.def("maybe") != nil)
		}
		// The session went on, and what the node reported is still known.
		if d := r.def("backups"); !r.b.Snapshot().Node("alpha").Online() || !d.Seen[d.Resources[0].UUID].UpToDate() || a.dials != 1 {
			t.Fatal("what was seen is gone")
		}
		r.must(core.DefinitionCreate{Name: "after"})
		r.must(core.DefinitionDelete{Name: "backups"})
	}
}

func TestReloadFails(t *testing.T) {
	r := newRig(t)
	mem := r.store.(*memory.Backend)
	mem.UnknownNext(true)
	r.submit(core.DefinitionCreate{Name: "maybe"})
	mem.FailNextLoad(nil)
	r.open = r.b.Step(r.now)
	r.commit()
	tk := r.submit(core.DefinitionCreate{Name: "later"})
	if r.b.Step(r.now) != nil || tk.Done() {
		t.Fatal("the writer goes on without knowing what is stored")
	}
	r.b.Step(r.now.Add(AnswerLimit))
	if _, err := tk.Result(); !tk.Done() || !fault.Is(err, fault.ReadOnly) {
		t.Fatal(err)
	}
	mem.Load(t.Context()) //nolint:errcheck // takes the fault
	r.run()
	if r.def("maybe") == nil || r.def("later") != nil {
		t.Fatal("wrong after the reload")
	}
}

// A store that lies about durability loses what was acknowledged; a crash shows it.
func TestNotDurable(t *testing.T) {
	r := newRig(t)
	r.store.(*memory.Backend).LoseNext()
	r.must(core.DefinitionCreate{Name: "lost"})
	r.crash()
	if r.def("lost") != nil {
		t.Fatal("the fault switch does nothing")
	}
}

func TestOtherWriter(t *testing.T) {
	r := newRig(t)
	if _, err := r.store.Commit(t.Context(), r.b.Order().Epoch+1, r.b.base, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.do(core.DefinitionCreate{Name: "xx"}, 0); !fault.Is(err, fault.ReadOnly) {
		t.Fatal(err)
	}
	if r.b.ReadOnly() == "" || r.def("xx") != nil {
		t.Fatal("goes on writing")
	}
	if _, err := r.do(core.DefinitionCreate{Name: "yy"}, 0); !fault.Is(err, fault.ReadOnly) {
		t.Fatal(err)
	}
}

// A crash between the commit and the orders: the next start sends them.
func TestCrashBeforeSend(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.must(core.DefinitionCreate{Name: "backups"})
	r.must(core.VolumeCreate{Definition: "backups", SizeKiB: 65536})
	r.submit(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}}})
	req := r.b.Step(r.now)
	if _, err := r.store.Commit(t.Context(), req.Epoch, req.Base, req.Changes); err != nil {
		t.Fatal(err)
	}
	told := len(a.orders)
	r.crash()
	r.forward(time.Second)
	if len(a.orders) == told || !r.def("backups").Volumes[0].Initialised {
		t.Fatal("the stored order never left")
	}
	if o := a.orders[told]; !o.Full || o.Order.Epoch != 2 {
		t.Fatalf("%+v", o)
	}
}

func must(t *testing.T, r *rig) stored.Loaded {
	t.Helper()
	l, err := stored.Load(t.Context(), r.store)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
