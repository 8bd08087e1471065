package core_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/state"
)

// world is a controller without store and sessions: commands and reports go straight to a Tx.
type world struct {
	t   *testing.T
	tx  *state.Tx
	env core.Env
}

func newWorld(t *testing.T) *world {
	s, problems := state.Build(state.Loaded{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w := &world{t: t, tx: state.Begin(s), env: core.Env{Now: time.UnixMilli(1e12), Rand: rand.NewChaCha8([32]byte{1})}}
	w.do(core.Init{})
	return w
}

func (w *world) try(c core.Command) (core.Reply, error) {
	f := w.tx.Fork()
	r, err := c.Apply(f, w.env)
	if err != nil {
		return r, err
	}
	if err := plan.After(f, w.env.Rules()); err != nil {
		w.t.Fatalf("%T: %v", c, err)
	}
	w.tx.Join(f)
	return r, nil
}

func (w *world) do(c core.Command) core.Reply {
	w.t.Helper()
	r, err := w.try(c)
	if err != nil {
		w.t.Fatalf("%+v: %v (%s)", c, err, fault.Of(err).Details)
	}
	return r
}

func (w *world) refused(k fault.Kind, c core.Command) {
	w.t.Helper()
	if _, err := w.try(c); !fault.Is(err, k) {
		w.t.Fatalf("%+v: got %v, want a refusal of kind %d", c, err, k)
	} else if e := fault.Of(err); e.Cause == "" || e.Correction == "" {
		w.t.Errorf("%+v: %q says no cause or no correction", c, e.Message)
	}
}

func (w *world) def(name string) *state.Definition { return w.tx.Snapshot().Definition(name) }

// node adds an online node with one LVM pool "swpool" of that many free KiB.
func (w *world) node(name string, gen model.DRBDGeneration, free int64) {
	w.t.Helper()
	n := w.tx.Snapshot().NodeCount() + 1
	w.do(core.NodeCreate{Name: name, Interfaces: []model.NetInterface{{Name: "default", Address: fmt.Sprintf("10.77.0.%d", n)}}})
	w.online(name, gen)
	w.do(core.PoolCreate{Node: name, Name: "swpool", Kind: "lvm", Props: map[string]string{model.PropPoolName: "sw_ssd"}})
	seen := *w.tx.Snapshot().Node(name).Seen
	seen.Pools = []model.PoolStatus{{UUID: w.tx.Snapshot().Node(name).Pool("swpool").UUID, Name: "swpool", FreeKiB: free, TotalKiB: free}}
	w.tx.SeeNode(name, &seen)
}

func (w *world) online(name string, gen model.DRBDGeneration) {
	seen := *w.tx.Snapshot().Node(name).Seen
	seen.Status, seen.Reason, seen.DRBD = model.StatusOnline, "", gen
	seen.Providers = []model.ProviderKind{model.LVM, model.FileThin, model.Diskless}
	w.tx.SeeNode(name, &seen)
}

// see reports what a satellite that did all it was told would.
func (w *world) see(node, def, disk string, more func(*model.ResourceStatus)) {
	w.t.Helper()
	d := w.def(def)
	for _, spec := range nodestate.Resources(w.tx.Snapshot(), d, node) {
		st := &model.ResourceStatus{Definition: d.UUID, Name: d.Name, ID: spec.ID, Generation: spec.Generation, Phase: model.Done}
		if spec.Want == model.Gone {
			st.Gone = true
		} else {
			for _, v := range spec.Volumes {
				st.Volumes = append(st.Volumes, model.VolumeStatus{ID: v.ID, Number: v.Number, Disk: disk, MDReady: true})
			}
			if spec.DRBD != nil {
				st.Forgotten = spec.DRBD.Forget
			}
		}
		if more != nil {
			more(st)
		}
		w.tx.SeeResource(d.UUID, spec.ID, st)
	}
	if err := plan.After(w.tx, w.env.Rules()); err != nil {
		w.t.Fatal(err)
	}
}

// tutorial is two nodes and the resource "backups" on both, UpToDate.
func tutorial(t *testing.T, gen model.DRBDGeneration) *world {
	w := newWorld(t)
	w.node("alpha", gen, 4<<20)
	w.node("bravo", gen, 4<<20)
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 512 << 10})
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 2}})
	for range 2 { // metadata first, then up
		w.see("alpha", "backups", model.DiskUpToDate, nil)
		w.see("bravo", "backups", model.DiskUpToDate, nil)
	}
	return w
}

func TestTutorial(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	d := w.def("backups")
	if d.DRBD != model.DRBD8 || !d.Volumes[0].Initialised || d.Volumes[0].Source != d.On("alpha").UUID || d.Volumes[0].SkipSync {
		t.Fatalf("milestones: %+v", d.ResourceDefinition)
	}
	if a, b := d.On("alpha"), d.On("bravo"); a.NodeID == b.NodeID || a.Port != 7000 || d.Volumes[0].Minor != 1000 {
		t.Fatalf("allocations: %+v %+v", a, b)
	}
	w.do(core.DefinitionDelete{Name: "backups"})
	w.see("alpha", "backups", "", nil)
	if d = w.def("backups"); d == nil || len(d.Resources) != 1 {
		t.Fatal("the tombstone on bravo must stay until bravo confirms")
	}
	w.see("bravo", "backups", "", nil)
	if w.def("backups") != nil || w.tx.Snapshot().MinorUser(1000) != "" || w.tx.Snapshot().PortUser("alpha", 7000) != "" {
		t.Fatal("something is left of a deleted definition")
	}
	for _, n := range []string{"alpha", "bravo"} {
		w.do(core.PoolDelete{Node: n, Name: "swpool"})
		w.do(core.NodeDelete{Name: n})
	}
}

func TestMetadataComesBeforeUp(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD8, 4<<20)
	w.do(core.DefinitionCreate{Name: "r0"})
	w.do(core.VolumeCreate{Definition: "r0", SizeKiB: 8192})
	w.do(core.ResourceCreate{Definition: "r0", On: []core.ResourceOn{{Node: "alpha"}}})
	spec := nodestate.Resources(w.tx.Snapshot(), w.def("r0"), "alpha")[0]
	if spec.Volumes[0].Initialised || spec.Volumes[0].Seed != model.SeedSync {
		t.Fatalf("first spec: %+v", spec.Volumes[0])
	}
	w.see("alpha", "r0", "", nil)
	spec = nodestate.Resources(w.tx.Snapshot(), w.def("r0"), "alpha")[0]
	if !spec.Volumes[0].Initialised {
		t.Fatal("the milestone wasn't remembered")
	}
}

func TestNameIsFreeAtOnce(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	old := w.def("backups").UUID
	w.do(core.DefinitionDelete{Name: "backups"})
	w.see("alpha", "backups", "", nil) // bravo is away
	w.do(core.DefinitionCreate{Name: "Backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 8192})
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha"}, {Node: "bravo"}}})
	d := w.def("backups")
	if d.UUID == old || d.Volumes[0].Minor == 1000 || d.On("bravo").Port == 7000 || d.On("alpha").Port != 7000 {
		t.Fatalf("the new incarnation uses what the tombstone keeps: %+v", d.ResourceDefinition)
	}
	if st := nodestate.Of(w.tx.Snapshot(), "bravo"); len(st.Resources) != 2 {
		t.Fatalf("bravo must hear of both: %+v", st)
	}
}

func TestGuard(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	outdated := func(st *model.ResourceStatus) { st.Volumes[0].Disk = "Outdated" }
	w.see("bravo", "backups", "", outdated)
	w.refused(fault.LastCopy, core.ResourceDelete{Definition: "backups", Node: "alpha"})
	d := w.def("backups")
	w.tx.SeeResource(d.UUID, d.On("bravo").UUID, nil) // offline: unknown isn't good
	w.refused(fault.LastCopy, core.ResourceDelete{Definition: "backups", Node: "alpha"})
	w.see("bravo", "backups", model.DiskUpToDate, nil)
	w.do(core.ResourceDelete{Definition: "backups", Node: "alpha"})
	if nodestate.Resources(w.tx.Snapshot(), w.def("backups"), "alpha")[0].Want != model.Gone {
		t.Fatal("the order isn't sent though bravo is good")
	}
	w.see("bravo", "backups", "", outdated) // before it is carried out
	if nodestate.Resources(w.tx.Snapshot(), w.def("backups"), "alpha")[0].Want != model.Up {
		t.Fatal("the order stands though bravo is no longer good")
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "alpha", Lose: []string{"backups"}})
	if nodestate.Resources(w.tx.Snapshot(), w.def("backups"), "alpha")[0].Want != model.Gone {
		t.Fatal("the override isn't obeyed")
	}
}

func TestLastReplica(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	w.see("bravo", "backups", "", nil)
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.InUse = true })
	w.refused(fault.InUse, core.ResourceDelete{Definition: "backups", Node: "alpha"})
	w.refused(fault.InUse, core.DefinitionDelete{Name: "backups"})
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	w.do(core.ResourceDelete{Definition: "backups", Node: "alpha"})
	spec := nodestate.Resources(w.tx.Snapshot(), w.def("backups"), "alpha")[0]
	if spec.Want != model.Gone || !spec.LastUnused {
		t.Fatalf("removing the last unused replica is a delete: %+v", spec)
	}
}

func TestNodeIDStaysRetired(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	w.node("charlie", model.DRBD9, 4<<20)
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie"}}})
	id := w.def("backups").On("bravo").NodeID
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	stale := w.def("backups").Seen
	w.see("bravo", "backups", "", nil)
	if len(stale) == 0 || len(w.def("backups").Retired) != 1 {
		t.Fatalf("retired: %+v", w.def("backups").Retired)
	}
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "bravo"}}})
	if w.def("backups").On("bravo").NodeID == id {
		t.Fatal("a node-id was given again while peers remember it")
	}
	w.see("alpha", "backups", model.DiskUpToDate, nil)
	if len(w.def("backups").Retired) != 1 {
		t.Fatal("freed before charlie forgot")
	}
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	if len(w.def("backups").Retired) != 0 {
		t.Fatal("never freed")
	}
}

func TestGenerations(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	w.node("charlie", model.DRBD8, 4<<20)
	w.node("delta", model.DRBD9, 4<<20)
	w.refused(fault.Unsupported, core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie"}}})
	w.refused(fault.Unsupported, core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "delta"}}})
	w.do(core.DefinitionCreate{Name: "mixed"})
	w.do(core.VolumeCreate{Definition: "mixed", SizeKiB: 8192})
	w.refused(fault.Unsupported, core.ResourceCreate{Definition: "mixed", On: []core.ResourceOn{{Node: "charlie"}, {Node: "delta"}}})
	w.refused(fault.Unsupported, core.ResourceCreate{Definition: "mixed", On: []core.ResourceOn{{Node: "charlie", Diskless: true}}})
}

func TestPlacementSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD9, 10000)
	w.node("bravo", model.DRBD9, 4<<20)
	w.do(core.NodeCreate{Name: "charlie", Interfaces: []model.NetInterface{{Name: "default", Address: "10.77.0.9"}}})
	w.do(core.DefinitionCreate{Name: "r0"})
	w.do(core.VolumeCreate{Definition: "r0", SizeKiB: 512 << 10})
	_, err := w.try(core.Autoplace{Definition: "r0", Filter: model.SelectFilter{PlaceCount: 2}})
	e := fault.Of(err)
	if !fault.Is(err, fault.NotEnoughNodes) {
		t.Fatal(err)
	}
	for _, want := range []string{"alpha, pool swpool: 528384", "bravo, pool swpool: it would do", "charlie: it is not online"} {
		if !slices.ContainsFunc(splitLines(e.Details), func(l string) bool { return len(l) >= len(want) && l[:len(want)] == want }) {
			t.Errorf("no line %q in:\n%s", want, e.Details)
		}
	}
	if len(w.def("r0").Resources) != 0 {
		t.Fatal("a refused placement left something")
	}
}

func splitLines(s string) (out []string) {
	for len(s) > 0 {
		i := 0
		for i < len(s) && s[i] != '\n' {
			i++
		}
		out = append(out, s[:i])
		s = s[min(i+1, len(s)):]
	}
	return out
}

func TestSpaceIsPromisedOnce(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD9, 1<<20)
	for i, fits := range []bool{true, false} {
		name := fmt.Sprintf("r%d", i)
		w.do(core.DefinitionCreate{Name: name})
		w.do(core.VolumeCreate{Definition: name, SizeKiB: 600 << 10})
		if _, err := w.try(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: "alpha"}}}); (err == nil) != fits {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestBadInputChangesNothing(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	w.tx.Changes()
	minus, big := -1, 70000
	for kind, cmds := range map[fault.Kind][]core.Command{
		fault.Invalid: {
			core.NodeCreate{Name: "a b"}, core.NodeCreate{Name: "charlie"}, core.NodeCreate{Name: "charlie", Type: "boss"},
			core.NodeCreate{Name: "charlie", Interfaces: []model.NetInterface{{Name: "default", Address: "nowhere"}}},
			core.PoolCreate{Node: "alpha", Name: "x"}, core.PoolCreate{Node: "alpha", Name: "pool2", Kind: "lvm"},
			core.PoolCreate{Node: "alpha", Name: "pool2", Kind: "filethin", Props: map[string]string{model.PropPoolName: "/etc/x"}},
			core.PoolCreate{Node: "alpha", Name: "pool2", Kind: "lvm", Props: map[string]string{model.PropPoolName: "-a"}},
			core.DefinitionCreate{Name: "all"}, core.DefinitionCreate{Name: "9lives"}, core.DefinitionCreate{Name: ""},
			core.VolumeCreate{Definition: "backups", SizeKiB: 1}, core.VolumeCreate{Definition: "backups", SizeKiB: 8192, Number: &big},
			core.VolumeCreate{Definition: "backups", SizeKiB: 8192, Minor: &minus},
			core.DefinitionModify{Name: "backups", Override: map[string]string{"Nonsense": "1"}},
			core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/max-buffers": "many"}},
			core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/verify-alg": "x\"; handlers {"}},
		},
		fault.Exists: {
			core.NodeCreate{Name: "ALPHA", Interfaces: []model.NetInterface{{Name: "default", Address: "10.1.1.1"}}},
			core.PoolCreate{Node: "alpha", Name: "SWPOOL", Kind: "lvm", Props: map[string]string{model.PropPoolName: "other"}},
			core.PoolCreate{Node: "alpha", Name: "again", Kind: "lvm", Props: map[string]string{model.PropPoolName: "sw_ssd"}},
			core.DefinitionCreate{Name: "BACKUPS"},
		},
		fault.NotFound: {
			core.PoolCreate{Node: "zulu", Name: "pool", Kind: "lvm"}, core.VolumeCreate{Definition: "none", SizeKiB: 8192},
			core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "zulu"}}}, core.GroupModify{Name: "none"},
		},
		fault.InUse:   {core.NodeDelete{Name: "alpha"}, core.PoolDelete{Node: "alpha", Name: "swpool"}},
		fault.Refused: {core.ControllerModify{Override: map[string]string{"DrbdOptions/Handlers/fence-peer": "/bin/sh"}}, core.PoolModify{Node: "alpha", Name: "swpool", Override: map[string]string{model.PropPoolName: "x"}}},
	} {
		for _, c := range cmds {
			w.refused(kind, c)
		}
	}
	if got := w.tx.Changes(); len(got) != 0 {
		t.Fatalf("refused commands changed %d records", len(got))
	}
}

func TestDeleteOfNothingIsAWarning(t *testing.T) {
	w := newWorld(t)
	for _, c := range []core.Command{core.NodeDelete{Name: "zulu"}, core.DefinitionDelete{Name: "none"}, core.VolumeDelete{Definition: "none"},
		core.ResourceDelete{Definition: "none", Node: "zulu"}, core.GroupDelete{Name: "none"}} {
		r := w.do(c)
		if len(r.Notes) != 1 || r.Notes[0].Severity != fault.Warning || r.Notes[0].Kind != fault.NotFound {
			t.Errorf("%T: %+v", c, r.Notes)
		}
	}
}

func TestSpawn(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD9, 4<<20)
	w.node("bravo", model.DRBD9, 4<<20)
	w.do(core.GroupCreate{Name: "grp", Filter: model.SelectFilter{PlaceCount: 2, Pools: []string{"swpool"}}})
	w.do(core.VolumeGroupPut{Group: "grp", Create: true})
	w.refused(fault.Invalid, core.Spawn{Group: "grp", Name: "r0", SizesKiB: []int64{8192, 8192}})
	w.do(core.Spawn{Group: "grp", Name: "r0", SizesKiB: []int64{8192}})
	if d := w.def("r0"); len(d.Resources) != 2 || len(d.Volumes) != 1 {
		t.Fatalf("%+v", d.ResourceDefinition)
	}
	w.refused(fault.Exists, core.GroupDelete{Name: "grp"})
}

func TestNodeLost(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	w.refused(fault.InUse, core.NodeLost{Name: "bravo"})
	seen := *w.tx.Snapshot().Node("alpha").Seen
	seen.Status = model.StatusOffline
	w.tx.SeeNode("alpha", &seen)
	d := w.def("backups")
	w.tx.SeeResource(d.UUID, d.On("alpha").UUID, nil)
	w.do(core.NodeLost{Name: "alpha"}) // bravo is good
	if d := w.def("backups"); len(d.Resources) != 1 || w.tx.Snapshot().Node("alpha") != nil {
		t.Fatalf("%+v", d.ResourceDefinition)
	}
	seen = *w.tx.Snapshot().Node("bravo").Seen
	seen.Status = model.StatusOffline
	w.tx.SeeNode("bravo", &seen)
	w.refused(fault.LastCopy, core.NodeLost{Name: "bravo"})
	w.do(core.NodeLost{Name: "bravo", Lose: []string{"backups"}})
}

// What no node is told of waits for none, and isn't refused because of one.
func TestRemarksWaitForNobody(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	for _, c := range []struct {
		cmd   core.DefinitionModify
		waits int
	}{
		{core.DefinitionModify{Override: map[string]string{"Aux/pm/vmid": "100", "BalanceResourcesEnabled": "false"}}, 0},
		{core.DefinitionModify{Delete: []string{"BalanceResourcesEnabled"}, Namespaces: []string{"Aux/pm"}}, 0},
		{core.DefinitionModify{Override: map[string]string{"Aux/a": "b", "DrbdOptions/Net/allow-two-primaries": "yes"}}, 2},
		{core.DefinitionModify{Delete: []string{"DrbdOptions/Net/allow-two-primaries"}}, 2},
		{core.DefinitionModify{Namespaces: []string{"DrbdOptions"}}, 2},
		{core.DefinitionModify{Group: "DfltRscGrp"}, 2},
	} {
		c.cmd.Name = "backups"
		reply, err := c.cmd.Apply(w.tx, w.env)
		if err != nil || len(reply.Wait) != c.waits {
			t.Errorf("%+v: %v, waits for %d, want %d", c.cmd, err, len(reply.Wait), c.waits)
		}
	}
}

func TestExactSizeSaysWhatItDoes(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	set := func(v string) int {
		t.Helper()
		reply, err := core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/ExactSize": v}}.Apply(w.tx, w.env)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range reply.Notes {
			if n.Severity == fault.Warning { // the web UI takes one for a failure
				t.Errorf("%+v", n)
			}
		}
		return len(reply.Notes)
	}
	if n := []int{set("False"), set("true"), set("True"), set("False"), set("True")}; !slices.Equal(n, []int{1, 2, 1, 1, 2}) {
		t.Errorf("notes: %v", n)
	}
}

// Two clients want a volume on a node at the same time: the second isn't told that it is there before it is.
func TestMakeAvailableOfWhatComesUp(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	w.node("charlie", model.DRBD9, 4<<20)
	w.do(core.MakeAvailable{Definition: "backups", Node: "charlie"})
	again := func() core.Reply {
		t.Helper()
		reply, err := core.MakeAvailable{Definition: "backups", Node: "charlie"}.Apply(w.tx, w.env)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if r := again(); len(r.Wait) != 1 || r.Wait[0].Node != "charlie" || r.Wait[0].Replica != w.def("backups").On("charlie").UUID {
		t.Errorf("waits: %+v", r.Wait)
	}
	w.see("charlie", "backups", model.DiskDiskless, func(st *model.ResourceStatus) {
		for i := range st.Volumes {
			st.Volumes[i].Device = "/dev/drbd1000"
		}
	})
	if r := again(); len(r.Wait) != 0 || len(r.Notes) != 1 || r.Notes[0].Severity != fault.Info {
		t.Errorf("it is there: %+v", r)
	}
	w.do(core.ResourceActivate{Definition: "backups", Node: "charlie", Inactive: true})
	if _, err := (core.MakeAvailable{Definition: "backups", Node: "charlie"}).Apply(w.tx, w.env); fault.Of(err).Kind != fault.InUse {
		t.Errorf("somebody took it down on purpose: %v", err)
	}
}
