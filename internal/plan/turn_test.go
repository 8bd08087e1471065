package plan

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/model"
)

// asks puts a snapshot of def, on these nodes, that waits for its turn. The rules don't run yet, as in a command.
func (r *rig) asks(def string, ms int64, with []model.UUID, nodes ...string) {
	r.t.Helper()
	d := r.tx.Snapshot().DefinitionByID(model.UUID(def)).Clone()
	sn := model.Snapshot{UUID: model.UUID("s-" + def), Name: "monday", State: model.SnapshotSuspending, Waits: true, CreatedMS: ms,
		Lease: model.UUID("lease-" + def), With: with, Volumes: []model.SnapshotVolume{{SizeKiB: 65536}}}
	if len(with) > 0 {
		sn.Lease = "lease-" + with[0]
	}
	for _, res := range d.Resources {
		if slices.Contains(nodes, res.Node) {
			sn.Quiet = append(sn.Quiet, res.UUID)
			sn.Copies = append(sn.Copies, model.SnapshotCopy{UUID: model.UUID("copy-" + def + "-" + res.Node), Node: res.Node, Replica: res.UUID,
				Volumes: []model.CopyVolume{{UUID: "c", Pool: "thin", Of: res.Volumes[0].UUID}}})
		}
	}
	d.Snapshots = append(d.Snapshots, sn)
	if err := r.tx.PutDefinition(d); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) begun(now int64, want ...string) {
	r.t.Helper()
	r.now = now
	r.after()
	got := ""
	for _, def := range []string{"a", "b", "c", "d", "e"} {
		if d := r.tx.Snapshot().DefinitionByID(model.UUID(def)); d != nil && len(d.Snapshots) > 0 && !d.Snapshots[0].Waits && d.Snapshots[0].State.Taking() {
			got += def
		}
	}
	all := ""
	for _, def := range want {
		all += def
	}
	if got != all {
		r.t.Fatalf("%s have begun, want %s", got, all)
	}
}

// Two at once on a node; the next begins when one goes on, in the order in which they were asked for.
func TestSnapshotsTakeTurns(t *testing.T) {
	r := newRig(t, "a", "b", "c", "d")
	for i, def := range []string{"d", "c", "b", "a"} {
		r.asks(def, int64(i), nil, "alpha", "bravo")
	}
	r.begun(100, "c", "d")
	q := func(def string, st model.QuietState) {
		for _, n := range []string{"alpha", "bravo"} {
			r.see(def, n, model.QuietStatus{Lease: model.UUID("lease-" + def), State: st})
		}
	}
	q("d", model.QuietHeld)
	r.begun(200, "c", "d")
	for _, n := range []string{"alpha", "bravo"} {
		r.copy("d", n, model.ResourceStatus{Phase: model.Done})
	}
	r.want("d", model.SnapshotResuming)
	r.begun(300, "b", "c", "d") // d's I/O is about to go on
	q("d", model.QuietOver)
	r.want("d", model.SnapshotSuccessful)
	r.begun(400, "b", "c")

	// Who fails makes room, and who is removed.
	r.see("c", "alpha", model.QuietStatus{Lease: "lease-c", State: model.QuietLapsed, Reason: "too slow"})
	r.want("c", model.SnapshotFailed)
	r.begun(500, "a", "b")
}

// One that hangs doesn't hold others up for ever: after a while they begin without it.
func TestSnapshotsDontWaitForWhatHangs(t *testing.T) {
	r := newRig(t, "a", "b", "c")
	for i, def := range []string{"a", "b", "c"} {
		r.asks(def, int64(i), nil, "alpha", "bravo")
	}
	r.begun(1000, "a", "b")
	r.begun(1000+turnMS-1, "a", "b")
	if TurnCame(r.tx.Snapshot(), 1000+turnMS-1) || !TurnCame(r.tx.Snapshot(), 1000+turnMS) {
		t.Fatal("the time is wrong at which c may begin")
	}
	r.begun(1000+turnMS, "a", "b", "c")
	if TurnCame(r.tx.Snapshot(), 1<<40) {
		t.Fatal("nobody waits any more")
	}
}

// Snapshots of the same moment are one standstill: they begin together, and count once.
func TestSnapshotsTogetherBeginTogether(t *testing.T) {
	r := newRig(t, "a", "b", "c", "d", "e")
	with := []model.UUID{"c", "d", "e"}
	r.asks("a", 1, nil, "alpha", "bravo")
	for _, id := range with {
		r.asks(string(id), 2, with, "alpha", "bravo")
	}
	r.asks("b", 3, nil, "alpha", "bravo")
	r.begun(10, "a", "c", "d", "e")
	r.see("a", "alpha", model.QuietStatus{Lease: "lease-a", State: model.QuietLapsed, Reason: "too slow"})
	r.begun(20, "b", "c", "d", "e")
}

// Who waits keeps its place on each of its nodes; on other nodes others go on.
func TestSnapshotsTurnByNode(t *testing.T) {
	r := newRig(t, "a", "b", "c", "d", "e")
	r.asks("a", 1, nil, "alpha")
	r.asks("b", 2, nil, "alpha")
	r.asks("c", 3, nil, "alpha", "bravo")
	r.asks("d", 4, nil, "bravo")
	r.asks("e", 5, nil, "bravo")
	got := ""
	for _, t := range come(r.tx.Snapshot(), 10) {
		got += string(t.waiting[0])
	}
	if got != "abd" { // of the two places on bravo c has one, though it can't begin yet
		t.Fatalf("%s may begin", got)
	}
}

// Those that hold nothing take less room: four, or two beside one that holds I/O. One that holds it isn't passed by who came later.
func TestUnheldSnapshotsTakeLessRoom(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	for held, want := range map[string]string{"": "abcd", "a": "abc", "c": "abc", "d": "abc", "aj": "abc"} {
		r := newRig(t, names...)
		for i, def := range names {
			r.asks(def, int64(i), nil, "alpha", "bravo")
			if !strings.Contains(held, def) {
				d := r.tx.Snapshot().DefinitionByID(model.UUID(def)).Clone()
				d.Snapshots[0].Unheld = true
				if err := r.tx.PutDefinition(d); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := ""
		for _, t := range come(r.tx.Snapshot(), 10) {
			got += string(t.waiting[0])
		}
		if got != want {
			t.Errorf("%q hold I/O: %s may begin, want %s", held, got, want)
		}
	}
}

// What is taken by itself waits for what users ask for.
func TestAutoSnapshotsWaitForUsers(t *testing.T) {
	r := newRig(t, "a", "b", "c", "d")
	for i, def := range []string{"a", "b", "c", "d"} {
		r.asks(def, int64(i), nil, "alpha", "bravo")
		d := r.tx.Snapshot().DefinitionByID(model.UUID(def)).Clone()
		d.Snapshots[0].Auto = def < "c"
		if err := r.tx.PutDefinition(d); err != nil {
			t.Fatal(err)
		}
	}
	r.begun(10, "c", "d")
}
