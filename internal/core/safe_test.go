package core_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan/safe"
)

func TestSafeToStop(t *testing.T) {
	kinds := func(w *world, node string) (out []safe.Kind) {
		for _, l := range safe.ToStop(w.tx.Snapshot(), node) {
			out = append(out, l.Kind)
		}
		return out
	}
	check := func(w *world, node string, want ...safe.Kind) {
		t.Helper()
		if d := cmp.Diff(want, kinds(w, node)); d != "" {
			t.Errorf("%s: %s", node, d)
		}
	}
	w := full(t, model.DRBD8)
	check(w, "alpha", safe.Redundancy)
	check(w, "charlie")
	w.see("bravo", "backups", model.DiskInconsistent, nil)
	check(w, "alpha", safe.LastCopy)
	check(w, "bravo") // it has nothing to lose
	w.see("bravo", "backups", model.DiskUpToDate, nil)
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.InUse = true })
	check(w, "alpha", safe.InUse)
	w.off("bravo")
	check(w, "alpha", safe.LastCopy)

	w = full(t, model.DRBD8)
	apart := func(peer string) func(st *model.ResourceStatus) {
		return func(st *model.ResourceStatus) { st.Peers = []model.PeerStatus{{Node: peer, State: "Connecting"}} }
	}
	w.see("alpha", "backups", model.DiskUpToDate, apart("bravo"))
	w.see("bravo", "backups", model.DiskUpToDate, apart("alpha"))
	check(w, "alpha", safe.LastCopy) // what was written here may be missing there, and bravo doesn't know
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
		st.Peers = []model.PeerStatus{{Node: "bravo", State: model.Connected}}
	})
	check(w, "alpha", safe.Redundancy)
	w.off("alpha")
	check(w, "alpha", safe.LastCopy) // it may be up and in use, out of the controller's reach; bravo is connected to nobody

	w = full(t, model.DRBD9)
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie", Diskless: true}}})
	w.see("charlie", "backups", model.DiskDiskless, nil)
	check(w, "alpha", safe.Redundancy) // bravo and charlie keep the majority
	check(w, "charlie")
	w.off("charlie")
	check(w, "alpha", safe.Quorum)
}
