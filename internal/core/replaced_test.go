package core_test

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
)

// Both replicas are replaced on their own nodes at once: each new one waits until the old one is gone. One of the old ones
// stays until a new one is good, whatever is reported; the other needn't wait for that.
func TestReplacedAtOnce(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := tutorial(t, gen)
		old := map[string]model.UUID{}
		for _, r := range w.def("backups").Resources {
			old[r.Node] = r.UUID
		}
		connected := func(state string) func(*model.ResourceStatus) {
			return func(st *model.ResourceStatus) {
				for _, n := range []string{"alpha", "bravo"} {
					st.Peers = append(st.Peers, model.PeerStatus{Node: n, State: state})
				}
			}
		}
		again := func(node string) {
			w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: node, Pool: "swpool"}}})
		}
		ordered := func() (out []string) {
			for _, n := range []string{"alpha", "bravo"} {
				if w.goes(n, old[n]) {
					out = append(out, n)
				}
			}
			return out
		}
		for _, n := range []string{"alpha", "bravo"} {
			w.report(n, old[n], model.DiskUpToDate, connected(model.Connected))
		}
		w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
		again("bravo")
		w.report("alpha", old["alpha"], model.DiskInconsistent, connected(model.Connected)) // so that bravo's is held
		if got := ordered(); len(got) != 0 {
			t.Fatalf("%v go, and none is good", got)
		}
		w.report("alpha", old["alpha"], model.DiskUpToDate, connected(model.Connected))
		m := w.def("backups").Clone() // as `node restore --delete-resources` does, after an eviction
		m.Replica(old["alpha"]).Deleting = true
		if err := w.tx.PutDefinition(m); err != nil {
			t.Fatal(err)
		}
		again("alpha")
		for _, n := range []string{"alpha", "bravo"} {
			w.report(n, old[n], model.DiskUpToDate, connected(model.Connected))
		}
		if got := ordered(); len(got) != 1 || got[0] != "bravo" {
			t.Fatalf("generation %d: %v are to go", gen, got)
		}
		w.report("bravo", old["bravo"], model.DiskInconsistent, connected(model.Connected))
		if got := ordered(); len(got) != 1 || got[0] != "bravo" {
			t.Errorf("generation %d: bravo's is worse, and %v are to go", gen, got)
		}
		w.report("bravo", old["bravo"], model.DiskUpToDate, connected(model.Connected))
		for _, disk := range []string{model.DiskInconsistent, "Outdated"} {
			w.report("alpha", old["alpha"], disk, connected(model.Connected))
			if got := ordered(); len(got) != 0 {
				t.Errorf("generation %d: alpha's is %s, and %v are to go", gen, disk, got)
			}
		}
		w.report("alpha", old["alpha"], model.DiskUpToDate, connected("Connecting"))
		if got := ordered(); len(got) != 0 {
			t.Errorf("generation %d: alpha's is connected to nobody, and %v are to go", gen, got)
		}
	}
}

// goes tells whether the node is told to remove that replica.
func (w *world) goes(node string, id model.UUID) bool {
	w.t.Helper()
	for _, spec := range nodestate.Resources(w.tx.Snapshot(), w.def("backups"), node) {
		if spec.ID == id {
			return spec.Want == model.Gone
		}
	}
	w.t.Fatalf("%s isn't told of %s", node, id)
	return false
}

// report of one replica of backups.
func (w *world) report(node string, id model.UUID, disk string, more func(*model.ResourceStatus)) {
	w.t.Helper()
	d := w.def("backups")
	r := d.Replica(id)
	st := &model.ResourceStatus{Definition: d.UUID, Name: d.Name, ID: id, Generation: d.Generation, Phase: model.Done}
	for _, v := range r.Volumes {
		st.Volumes = append(st.Volumes, model.VolumeStatus{ID: v.UUID, Number: v.Number, Disk: disk, MDReady: true})
	}
	more(st)
	w.tx.SeeResource(d.UUID, id, st)
	if err := plan.After(w.tx, w.env.Rules()); err != nil {
		w.t.Fatal(err)
	}
}
