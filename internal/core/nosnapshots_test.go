package core_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// A kind that takes snapshots may have a pool that can't: the refusal names the pool, and why.
func TestNoSnapshotsInThatPool(t *testing.T) {
	w := snapping(t)
	seen := *w.tx.Snapshot().Node("bravo").Seen
	seen.Pools = slices.Clone(seen.Pools)
	p := w.tx.Snapshot().Node("bravo").Pool("swpool")
	i := slices.IndexFunc(seen.Pools, func(st model.PoolStatus) bool { return st.UUID == p.UUID })
	seen.Pools[i].NoSnapshots = "the file system of /srv shares no blocks between files"
	w.tx.SeeNode("bravo", &seen)
	take := core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}}
	w.refused(fault.Unsupported, take)
	if _, err := w.try(take); !strings.Contains(err.Error(), "Storage pool 'swpool' on node 'bravo' does not support snapshots.") ||
		!strings.Contains(err.Error(), "shares no blocks") {
		t.Error(err)
	}
}

// DRBD 8.4 may leave a flush unanswered that is under way when I/O is held; who takes a snapshot of a volume in use hears that.
func TestSnapshotInUseWarns(t *testing.T) {
	w := snapping(t)
	warns := func(name string) (n int) {
		for _, note := range w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: name}}}).Notes {
			if note.Severity == fault.Warning && strings.Contains(note.Correction, "fsfreeze") {
				n++
			}
		}
		return n
	}
	if n := warns("monday"); n != 0 {
		t.Errorf("%d warnings, and nobody uses it", n)
	}
	w.obey("backups")
	w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.InUse = true })
	if n := warns("tuesday"); n != 1 {
		t.Errorf("%d warnings", n)
	}
}
