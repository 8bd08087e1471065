package core_test

import (
	"fmt"
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
)

// three is the tutorial with a spare node, charlie.
func three(t *testing.T) *world {
	w := newWorld(t)
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		w.node(n, model.DRBD9, 4<<20)
	}
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 512 << 10})
	for _, n := range []string{"alpha", "bravo"} {
		w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: n}}})
	}
	w.all()
	return w
}

// all nodes do what they're told, and say so.
func (w *world) all() {
	w.t.Helper()
	for range 3 {
		for _, n := range []string{"alpha", "bravo", "charlie"} {
			if d := w.def("backups"); d != nil && d.On(n) != nil {
				disk := model.DiskUpToDate
				if d.On(n).Diskless {
					disk = model.DiskDiskless
				}
				w.see(n, "backups", disk, nil)
			}
		}
	}
}

func (w *world) quorum() string {
	d := w.def("backups")
	return nodestate.Resources(w.tx.Snapshot(), d, "alpha")[0].DRBD.Options["Resource"]["quorum"]
}

func (w *world) tieBreaker() string {
	if r := w.def("backups").TieBreaker(); r != nil {
		return r.Node
	}
	return ""
}

func TestTieBreakerComesAndGoes(t *testing.T) {
	w := three(t)
	tb := w.def("backups").TieBreaker()
	if tb == nil || tb.Node != "charlie" || !tb.Diskless || len(tb.Volumes) != 1 || tb.Port == 0 || tb.NodeID != 2 || w.quorum() != "majority" {
		t.Fatalf("tie-breaker %+v, quorum %s", tb, w.quorum())
	}
	// A third with a disk takes the node over: the vote goes, its successor waits for that.
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 3}})
	d := w.def("backups")
	if r := d.On("charlie"); r.Diskless || !d.Replica(tb.UUID).Deleting || r.NodeID == 2 || w.tieBreaker() != "" {
		t.Fatalf("%+v", d.Resources)
	}
	w.all()
	if d = w.def("backups"); len(d.Resources) != 3 || w.quorum() != "majority" {
		t.Fatalf("%+v", d.Resources)
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	w.all()
	if w.tieBreaker() != "bravo" {
		t.Fatalf("two are left, and the tie-breaker is %q", w.tieBreaker())
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "charlie"})
	if w.tieBreaker() != "" || w.quorum() != "off" {
		t.Fatalf("one is left, and the tie-breaker is %q", w.tieBreaker())
	}
}

func TestTieBreakerRemovedByHandStaysAway(t *testing.T) {
	w := three(t)
	w.do(core.ResourceDelete{Definition: "backups", Node: "charlie"})
	w.all()
	if d := w.def("backups"); len(d.Resources) != 2 || d.Props[plan.PropTieBreaker] != "False" || w.quorum() != "off" {
		t.Fatalf("%+v", d.ResourceDefinition)
	}
	w.do(core.DefinitionModify{Name: "backups", Delete: []string{plan.PropTieBreaker}})
	if w.tieBreaker() != "charlie" {
		t.Fatal("it is allowed again")
	}
}

func TestDisklessBecomesTieBreaker(t *testing.T) {
	w := three(t)
	w.do(core.MakeAvailable{Definition: "backups", Node: "charlie"})
	d := w.def("backups")
	id := d.On("charlie").UUID
	if w.tieBreaker() != "" || !d.On("charlie").Diskless || d.On("charlie").Deleting {
		t.Fatalf("%+v", d.On("charlie"))
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "charlie"})
	if r := w.def("backups").On("charlie"); r.UUID != id || r.Deleting || !r.TieBreaker {
		t.Fatalf("%+v", r)
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo", KeepTieBreaker: true})
	if r := w.def("backups").On("charlie"); r.Deleting || r.TieBreaker || !r.Diskless {
		t.Fatalf("it was to be kept: %+v", r)
	}
}

// Proxmox deletes a diskless replica twice at times, and asks both times to keep the tie-breaker that the first made of it.
func TestTieBreakerKept(t *testing.T) {
	w := three(t)
	before := w.def("backups")
	id := before.TieBreaker().UUID
	for range 2 {
		w.do(core.ResourceDelete{Definition: "backups", Node: "charlie", KeepTieBreaker: true})
		if d := w.def("backups"); d.TieBreaker() == nil || d.TieBreaker().UUID != id || d.Props[plan.PropTieBreaker] != "" {
			t.Fatalf("%+v", d.ResourceDefinition)
		}
	}
}

// A vote that isn't connected yet counts against what is down, one less does too: nothing moves meanwhile.
func TestTieBreakerCostsNobodyHisMajority(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD9, 4<<20)
	w.node("bravo", model.DRBD9, 4<<20)
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 512 << 10})
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 2}})
	w.all()
	w.see("bravo", "backups", "Outdated", nil)
	w.node("charlie", model.DRBD9, 4<<20)
	if w.tieBreaker() != "" {
		t.Fatal("bravo is not UpToDate: alpha would stand alone against two")
	}
	w.see("bravo", "backups", model.DiskUpToDate, nil)
	if w.tieBreaker() != "charlie" {
		t.Fatal("all is well now")
	}
	w.all()
	w.see("bravo", "backups", "Outdated", nil)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{plan.PropTieBreaker: "false"}})
	if w.tieBreaker() != "charlie" {
		t.Fatal("bravo is not UpToDate: alpha needs charlie's vote")
	}
	w.see("bravo", "backups", model.DiskUpToDate, nil)
	if w.tieBreaker() != "" {
		t.Fatal("it is not wanted, nor needed")
	}
}

func TestNoTieBreaker(t *testing.T) {
	w := newWorld(t)
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		w.node(n, model.DRBD8, 4<<20)
	}
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 512 << 10})
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 2}})
	if len(w.def("backups").Resources) != 2 {
		t.Fatal("DRBD 8.4 has no votes")
	}
	v := three(t)
	v.do(core.ControllerModify{Override: map[string]string{"DrbdOptions/Resource/quorum": "off"}})
	if v.tieBreaker() != "" {
		t.Fatal("no quorum, no tie-breaker")
	}
}

// Who uses the node of a tie-breaker as a diskless one is not interrupted.
func TestTieBreakerInUse(t *testing.T) {
	w := three(t)
	w.see("charlie", "backups", model.DiskDiskless, func(st *model.ResourceStatus) { st.InUse = true })
	w.refused(fault.InUse, core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie"}}})
	w.do(core.ControllerModify{Override: map[string]string{plan.PropTieBreaker: "false"}})
	if w.tieBreaker() != "charlie" {
		t.Fatal("it is in use")
	}
}

// A node with nothing but tie-breakers is left by an evacuation, and its refusal to be deleted says so.
func TestNodeWithTieBreakersAlone(t *testing.T) {
	w := three(t)
	w.node("delta", model.DRBD9, 4<<20)
	_, err := w.try(core.NodeDelete{Name: "charlie"})
	if err == nil || !strings.Contains(fmt.Sprint(err.(*fault.Error).Correction), "node evacuate charlie") {
		t.Fatalf("%+v", err)
	}
	w.do(core.NodeEvacuate{Name: "charlie"})
	w.all()
	if w.tieBreaker() != "delta" || w.def("backups").On("charlie") != nil {
		t.Fatalf("%+v", w.def("backups").Resources)
	}
	if w.def("backups").Props[plan.PropTieBreaker] == "False" {
		t.Error("the tie-breaker isn't wanted any more")
	}
	w.do(core.PoolDelete{Node: "charlie", Name: "swpool"})
	w.do(core.NodeDelete{Name: "charlie"})
}
