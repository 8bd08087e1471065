package core_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan/condition"
)

// later lets time pass, and the controller look after what is due.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	w.env.Now = w.env.Now.Add(d)
	if core.NeedsTending(w.tx.Snapshot(), w.env.Now) {
		w.do(core.Tend{})
	}
	w.obey("backups")
}

func (w *world) snaps() string {
	var out []string
	for _, sn := range w.def("backups").Snapshots {
		out = append(out, sn.Name+" "+string(sn.State))
	}
	return strings.Join(out, ", ")
}

func TestAutoSnapshots(t *testing.T) {
	w := snapping(t)
	w.later(time.Hour)
	if got := w.snaps(); got != "" {
		t.Fatalf("nobody asked for %s", got)
	}
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "mine"}}})
	w.obey("backups")
	w.do(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "autoSnap00002"}}})
	w.obey("backups")
	w.do(core.ControllerModify{Override: map[string]string{"AutoSnapshot/RunEvery": "15"}})
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"AutoSnapshot/Keep": "2"}})
	w.obey("backups")
	w.later(10 * time.Second)
	for range 4 * 6 { // 4 minutes
		w.later(10 * time.Second)
	}
	const users = "mine successful, autoSnap00002 successful"
	if got := w.snaps(); got != users+", autoSnap00001 successful" {
		t.Fatal(got)
	}
	w.later(15 * time.Minute)
	w.later(15 * time.Minute)
	w.later(10 * time.Second)
	if got := w.snaps(); got != users+", autoSnap00003 successful, autoSnap00004 successful" {
		t.Fatal(got)
	}
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"AutoSnapshot/Keep": "1"}})
	w.obey("backups")
	w.later(10 * time.Second)
	if got := w.snaps(); got != users+", autoSnap00004 successful" {
		t.Fatal(got)
	}
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"AutoSnapshot/RunEvery": "0"}})
	w.obey("backups")
	w.later(10 * time.Second)
	w.later(time.Hour)
	if got := w.snaps(); got != users+", autoSnap00004 successful" || w.def("backups").Auto != (model.AutoSnapshots{}) {
		t.Fatalf("switched off: %s, %+v", got, w.def("backups").Auto)
	}
}

// One that can't be taken says so, loses nothing that is kept, and comes when it can.
func TestAutoSnapshotFails(t *testing.T) {
	w := snapping(t)
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"AutoSnapshot/RunEvery": "60", "AutoSnapshot/Keep": "1"}})
	w.obey("backups")
	w.later(10 * time.Second)
	for _, n := range []string{"alpha", "bravo"} {
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Snapshots = nil
		w.tx.SeeNode(n, &seen)
	}
	w.later(time.Hour)
	kinds := func() (out string) {
		for _, c := range condition.Of(w.tx.Snapshot(), w.def("backups")) {
			out += string(c.Kind) + ": " + strings.Join(c.Evidence, " ")
		}
		return out
	}
	if got := kinds(); !strings.Contains(got, "auto-snapshot-failed") || !strings.Contains(got, "does not support") || w.snaps() != "autoSnap00001 successful" {
		t.Fatalf("%s; %s", got, w.snaps())
	}
	for _, n := range []string{"alpha", "bravo"} {
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Snapshots = []model.ProviderKind{model.LVM}
		w.tx.SeeNode(n, &seen)
	}
	w.later(time.Minute)
	w.later(10 * time.Second)
	if got := kinds(); got != "" || w.snaps() != "autoSnap00002 successful" {
		t.Fatalf("%s; %s", got, w.snaps())
	}
	w.later(50 * time.Minute) // not due yet
	w.env.Now = w.env.Now.Add(10 * time.Minute)
	w.do(core.Tend{})
	w.off("alpha") // while it is taken
	w.do(core.DefinitionModify{Name: "backups"})
	if got := kinds(); !strings.Contains(got, "autoSnap00003 failed") || !strings.HasPrefix(w.snaps(), "autoSnap00002 successful, autoSnap00003 failed") {
		t.Fatalf("%s; %s", got, w.snaps())
	}
}
