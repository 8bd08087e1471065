package core_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan/condition"
)

// client is threeWithClient, in a group that asks for two replicas, in use on charlie.
func client(t *testing.T) *world {
	w := threeWithClient(t)
	w.do(core.GroupModify{Name: w.def("backups").Group, Filter: &model.SelectFilter{PlaceCount: 2}})
	w.use("charlie")
	return w
}

func (w *world) use(node string) {
	w.t.Helper()
	w.see(node, "backups", model.DiskDiskless, func(st *model.ResourceStatus) { st.InUse = true })
}

// pass lets time pass as the controller does, which looks every 10 s.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.env.Now.Add(d); w.env.Now.Before(end); {
		w.env.Now = w.env.Now.Add(10 * time.Second)
		if core.NeedsTending(w.tx.Snapshot(), w.env.Now) {
			w.do(core.Tend{})
		}
	}
}

func TestAutoDiskful(t *testing.T) {
	w := client(t)
	w.pass(time.Hour)
	w.toggle("backups", "charlie", model.NoToggle, true)
	w.do(core.ControllerModify{Override: map[string]string{"DrbdOptions/auto-diskful": "5"}})
	w.pass(4 * time.Minute)
	w.see("charlie", "backups", model.DiskDiskless, nil)
	w.pass(20 * time.Second)
	w.use("charlie")
	w.pass(290 * time.Second)
	w.toggle("backups", "charlie", model.NoToggle, true) // nobody used it in between
	w.pass(30 * time.Second)
	w.toggle("backups", "charlie", model.AddRequested, false)
	gone := 0
	for _, n := range []string{"alpha", "bravo"} {
		if r := w.replica("backups", n); r.Successor == w.replica("backups", "charlie").UUID {
			gone++
		}
	}
	if gone != 1 {
		t.Fatalf("%d make way", gone)
	}
	w.pass(time.Minute) // and no more
	if core.NeedsTending(w.tx.Snapshot(), w.env.Now) {
		t.Error("it isn't over")
	}
}

// What is allowed to go, and what the group asks for.
func TestAutoDiskfulKeeps(t *testing.T) {
	for name, change := range map[string]core.Command{
		"no cleanup":      core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/auto-diskful-allow-cleanup": "false"}},
		"three asked for": core.GroupModify{Name: model.DefaultGroup, Filter: &model.SelectFilter{PlaceCount: 3}},
	} {
		w := client(t)
		w.do(change)
		w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/auto-diskful": "0"}})
		w.pass(30 * time.Second)
		w.toggle("backups", "charlie", model.AddRequested, false)
		for _, n := range []string{"alpha", "bravo"} {
			if r := w.replica("backups", n); r.Successor != "" {
				t.Errorf("%s: the replica on %s is to go", name, n)
			}
		}
	}
	w := client(t)
	w.do(core.NodeModify{Name: "alpha", Override: map[string]string{"DrbdOptions/auto-diskful-allow-cleanup": "false"}})
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/auto-diskful": "0"}})
	w.pass(30 * time.Second)
	if a, b := w.replica("backups", "alpha"), w.replica("backups", "bravo"); a.Successor != "" || b.Successor == "" {
		t.Errorf("not bravo's goes: %+v %+v", a, b)
	}
}

// Where there is no room it says so until there is, or until it isn't in use any more.
func TestAutoDiskfulFails(t *testing.T) {
	w := client(t)
	reason := func() (out string) {
		for _, c := range condition.Of(w.tx.Snapshot(), w.def("backups")) {
			if c.Kind == condition.NoDisk {
				out += c.Node + ": " + strings.Join(c.Evidence, " ")
			}
		}
		return out
	}
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/auto-diskful": "1"}})
	seen := *w.tx.Snapshot().Node("charlie").Seen
	none := seen
	none.Pools = nil
	w.tx.SeeNode("charlie", &none)
	w.pass(2 * time.Minute)
	if got := reason(); !strings.HasPrefix(got, "charlie: ") || !strings.Contains(got, "swpool") {
		t.Fatalf("it says %q", got)
	}
	record := w.def("backups").Generation
	w.pass(2 * time.Minute)
	if w.def("backups").Generation != record {
		t.Error("it is written again and again")
	}
	w.see("charlie", "backups", model.DiskDiskless, nil)
	w.pass(20 * time.Second)
	if got := reason(); got != "" {
		t.Errorf("not in use it says %q", got)
	}
	w.use("charlie")
	w.pass(2 * time.Minute)
	w.tx.SeeNode("charlie", &seen)
	w.pass(20 * time.Second)
	if got := reason(); got != "" {
		t.Errorf("with room it says %q", got)
	}
	w.toggle("backups", "charlie", model.AddRequested, false)
}
