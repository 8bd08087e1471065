package core_test

import (
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
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
	if q := w.redundancy(); q != "" || w.quorum() != "majority" {
		t.Fatalf("while the third is filled: %q, quorum %q", q, w.quorum())
	}
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	if q := w.redundancy(); q != "majority" {
		t.Fatalf("all were UpToDate: %q", q)
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
