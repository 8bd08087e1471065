package core_test

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
)

func (w *world) redundancy() string {
	return nodestate.Resources(w.tx.Snapshot(), w.def("backups"), "alpha")[0].DRBD.Options["Resource"]["quorum-minimum-redundancy"]
}

// Where three vote, most must be UpToDate, as soon as all have been once; a user's word counts more.
func TestMinimumRedundancy(t *testing.T) {
	w := three(t)
	if q := w.redundancy(); q != "" {
		t.Fatalf("with two disks and a tie-breaker: %q", q)
	}
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 3}})
	for range 3 { // the tie-breaker goes, the third gets its disk
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		w.see("alpha", "backups", model.DiskUpToDate, nil)
		w.see("bravo", "backups", model.DiskUpToDate, nil)
	}
	if q := w.redundancy(); q != "" || w.quorum() != "off" {
		t.Fatalf("while the third is filled, and the good ones don't see each other: %q, quorum %q", q, w.quorum())
	}
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	if q := w.redundancy(); q != "majority" || w.quorum() != "majority" {
		t.Fatalf("all were UpToDate: %q, quorum %q", q, w.quorum())
	}
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	if q := w.redundancy(); q != "majority" {
		t.Fatalf("one is behind again: %q", q)
	}
	const key = "DrbdOptions/Resource/quorum-minimum-redundancy"
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{key: "off"}})
	if q := w.redundancy(); q != "off" {
		t.Fatalf("the user said off: %q", q)
	}
	w.do(core.DefinitionModify{Name: "backups", Delete: []string{key}})
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	if q := w.redundancy(); q != "" {
		t.Fatalf("two are left: %q", q)
	}
}

// One of three good ones goes: the majority is asked of three until it is gone, so that the two that stay are told once. Where its
// node is away, or one of the two is behind, they don't wait for that.
func TestMajorityUntilGone(t *testing.T) {
	w := three(t)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{plan.PropTieBreaker: "false"}})
	w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 3}})
	good := func() {
		for _, n := range []string{"charlie", "alpha", "bravo"} {
			w.see(n, "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.Gone = false }) // it takes its time
		}
	}
	for range 3 {
		good()
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	if w.quorum() != "majority" || w.redundancy() != "majority" {
		t.Errorf("bravo goes: %q, %q", w.quorum(), w.redundancy())
	}
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	if w.quorum() != "off" || w.redundancy() != "" {
		t.Errorf("charlie is behind: %q, %q", w.quorum(), w.redundancy())
	}
	good()
	w.off("bravo")
	if w.quorum() != "off" || w.redundancy() != "" {
		t.Errorf("bravo is away: %q, %q", w.quorum(), w.redundancy())
	}
	w.online("bravo", model.DRBD9)
	good()
	if w.quorum() != "majority" {
		t.Errorf("bravo is back: %q", w.quorum())
	}
	w.see("bravo", "backups", "", nil)
	if w.quorum() != "off" || w.redundancy() != "" || len(w.def("backups").Resources) != 2 {
		t.Errorf("bravo is gone: %q, %q", w.quorum(), w.redundancy())
	}
}

// While the third is filled, or its disk isn't there yet, DRBD counts it: two that see only it would each have quorum. So as
// soon as two good ones see each other, both of them are needed, also before the third was good.
func TestMinimumRedundancyWhileOneJoins(t *testing.T) {
	w := threeWithClient(t)
	seen := func(node, disk string, peers ...string) {
		w.see(node, "backups", disk, func(st *model.ResourceStatus) {
			for _, p := range peers {
				st.Peers = append(st.Peers, model.PeerStatus{Node: p, NodeID: w.replica("backups", p).NodeID, State: "Connected"})
			}
		})
	}
	want := func(q, when string) {
		t.Helper()
		if got := w.redundancy(); got != q {
			t.Errorf("%s: %q, want %q", when, got, q)
		}
	}
	// They don't see each other: whoever is in use goes on.
	seen("alpha", model.DiskUpToDate)
	seen("bravo", "Outdated")
	w.do(core.ToggleDisk{Definition: "backups", Node: "charlie"})
	seen("alpha", model.DiskUpToDate, "charlie")
	want("", "bravo is behind")
	if q := w.quorum(); q != "majority" {
		t.Errorf("charlie had a vote before it gets its disk: %q", q)
	}
	seen("bravo", model.DiskUpToDate, "charlie")
	want("", "alpha and bravo don't see each other")

	seen("bravo", model.DiskUpToDate, "alpha", "charlie")
	want("majority", "alpha and bravo are good together")
	seen("alpha", model.DiskUpToDate, "charlie")
	seen("bravo", "Outdated")
	want("majority", "bravo is cut off again, and charlie is still empty")

	// A new volume is on one of them at first, and nobody waits for it.
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 4096})
	want("", "volume 1 is good nowhere")

	w.do(core.ResourceDelete{Definition: "backups", Node: "charlie"})
	w.see("charlie", "backups", model.DiskDiskless, nil)
	if n := w.def("backups").GoodAmong; n != 0 {
		t.Errorf("two are left, and most were good among %d", n)
	}
}
