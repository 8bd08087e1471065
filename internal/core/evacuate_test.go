package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

func (w *world) off(name string) {
	seen := *w.tx.Snapshot().Node(name).Seen
	seen.Status, seen.Reason, seen.SinceMS = model.StatusOffline, "unplugged", w.env.Now.UnixMilli()
	w.tx.SeeNode(name, &seen)
	d := w.def("backups")
	for _, r := range d.Resources {
		if r.Node == name {
			w.tx.SeeResource(d.UUID, r.UUID, nil)
		}
	}
}

// full is "backups" UpToDate on alpha and bravo, and an empty node charlie; no tie-breakers.
func full(t *testing.T, gen model.DRBDGeneration) *world {
	w := tutorial(t, gen)
	w.do(core.ControllerModify{Override: map[string]string{"DrbdOptions/auto-add-quorum-tiebreaker": "False"}})
	for _, n := range []string{"alpha", "bravo"} {
		w.see(n, "backups", model.DiskInconsistent, nil)
		w.see(n, "backups", model.DiskUpToDate, nil)
	}
	w.node("charlie", gen, 4<<20)
	return w
}

func text(r core.Reply) string {
	var b strings.Builder
	for _, n := range r.Notes {
		b.WriteString(n.Message + " " + n.Cause + " " + n.Details + "\n")
	}
	return b.String()
}

func TestEvacuate(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := full(t, gen)
		old := w.replica("backups", "alpha").UUID
		w.do(core.NodeEvacuate{Name: "alpha"})
		if s := w.spec("backups", "alpha"); s.Want != model.Up || s.Down {
			t.Fatalf("it goes at once: %+v", s)
		}
		w.do(core.DefinitionCreate{Name: "other"})
		w.refused(fault.Refused, core.ResourceCreate{Definition: "other", On: []core.ResourceOn{{Node: "alpha"}}})
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		before := len(w.def("backups").Resources)
		if r := w.do(core.NodeEvacuate{Name: "alpha"}); !strings.Contains(text(r), "Inconsistent") || len(w.def("backups").Resources) != before {
			t.Errorf("typed again: %s", text(r))
		}
		w.do(core.Tend{})
		w.see("charlie", "backups", model.DiskUpToDate, nil)
		if s := w.spec("backups", "alpha"); s.Want != model.Gone || s.LastUnused || s.Lose {
			t.Fatalf("doesn't go: %+v", s)
		}
		if r := w.do(core.NodeEvacuate{Name: "alpha"}); !strings.Contains(text(r), "leaves node 'alpha'") {
			t.Errorf("typed while it goes: %s", text(r))
		}
		w.see("alpha", "backups", "", nil)
		if w.def("backups").Replica(old) != nil {
			t.Error("is still there")
		}
		w.do(core.Tend{})
		if n := len(w.def("backups").Resources); n != 2 {
			t.Errorf("%d replicas", n)
		}
	}
}

func TestEvacuateWaitsForRoom(t *testing.T) {
	w := full(t, model.DRBD9)
	w.off("charlie")
	if r := w.do(core.NodeEvacuate{Name: "alpha"}); !strings.Contains(text(r), "No other node can take it") || !strings.Contains(text(r), "charlie: it is not online") {
		t.Fatal(text(r))
	}
	w.node("delta", model.DRBD9, 4<<20)
	w.do(core.Tend{})
	if r := w.replica("backups", "delta"); w.replica("backups", "alpha").Successor != r.UUID {
		t.Error("isn't taken up when there is room")
	}
}

func TestEvacuateToTheTieBreaker(t *testing.T) {
	w := full(t, model.DRBD9)
	w.do(core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "charlie", Diskless: true}}})
	w.do(core.NodeEvacuate{Name: "alpha"})
	if r := w.replica("backups", "charlie"); r.Diskless || r.Toggle != model.AddRequested || w.replica("backups", "alpha").Successor != r.UUID {
		t.Errorf("%+v", r)
	}
}

func TestRestoreInTheMiddle(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := full(t, gen)
		w.do(core.NodeEvacuate{Name: "alpha"})
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		w.do(core.NodeRestore{Name: "alpha"})
		if r := w.replica("backups", "alpha"); r.Deleting || r.Successor != "" {
			t.Errorf("%+v", r)
		}
		if r := w.replica("backups", "charlie"); !r.Deleting {
			t.Errorf("the replacement stays: %+v", r)
		}
	}
}

func TestEvictAndRestore(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := full(t, gen)
		w.refused(fault.InUse, core.NodeEvict{Name: "alpha"})
		w.off("alpha")
		w.do(core.NodeEvict{Name: "alpha"})
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		w.see("charlie", "backups", model.DiskUpToDate, nil)
		if r := w.replica("backups", "alpha"); r.Deleting {
			t.Error("what is on an evicted node goes by itself")
		}
		w.online("alpha", gen)
		if s := w.spec("backups", "alpha"); !s.Down || s.Want != model.Up {
			t.Errorf("%+v", s)
		}
		w.do(core.NodeRestore{Name: "alpha"})
		if r := w.replica("backups", "alpha"); r.Deleting != (gen == model.DRBD8) {
			t.Errorf("generation %d: %+v", gen, r)
		}
	}
}

// `--delete-resources` takes what has a replica elsewhere, when that is good, and never the last one.
func TestRestoreDeletesNotTheLast(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, elsewhere := range []bool{true, false} {
			w := tutorial(t, gen)
			if !elsewhere {
				w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
				w.see("bravo", "backups", "", nil)
			}
			w.off("alpha")
			w.do(core.NodeEvict{Name: "alpha"})
			w.online("alpha", gen)
			w.see("alpha", "backups", model.DiskUpToDate, nil)
			r := w.do(core.NodeRestore{Name: "alpha", DeleteResources: true})
			if got := w.replica("backups", "alpha").Deleting; got != elsewhere {
				t.Errorf("generation %d, one elsewhere %v: it is deleted: %v", gen, elsewhere, got)
			}
			if text := fmt.Sprint(r.Notes); strings.Contains(text, "no other node has a replica") == elsewhere {
				t.Error(text)
			}
			if s := w.spec("backups", "alpha"); !elsewhere && (s.Want == model.Gone || s.Down) {
				t.Errorf("%+v", s)
			}
		}
	}
}

// With DRBD 8.4 one that goes late is seen by one of the two that stay, but not while these are apart, nor while a snapshot in
// its zpool keeps it there.
func TestHeldBySnapshot(t *testing.T) {
	w := full(t, model.DRBD8)
	w.off("alpha")
	w.do(core.NodeEvict{Name: "alpha"})
	for _, disk := range []string{model.DiskInconsistent, model.DiskInconsistent, model.DiskUpToDate} {
		w.see("charlie", "backups", disk, nil)
	}
	w.online("alpha", model.DRBD8)
	w.do(core.NodeRestore{Name: "alpha"})
	for _, c := range []struct {
		kind  model.ProviderKind
		peer  string
		state string // of bravo's connection to charlie
	}{{model.LVMThin, "charlie", "Connecting"}, {model.LVMThin, "alpha", model.Connected}, {model.ZFSThin, "charlie", model.Connected}} {
		w.see("bravo", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
			st.Peers = []model.PeerStatus{{Node: "charlie", State: c.state}}
		})
		n := w.tx.Snapshot().Node("alpha").Node.Clone()
		n.Pool("swpool").Kind = c.kind
		d := w.def("backups").ResourceDefinition.Clone()
		d.Snapshots = []model.Snapshot{{UUID: "s", Name: "s", State: model.SnapshotSuccessful,
			Copies: []model.SnapshotCopy{{Node: "alpha", Replica: d.On("alpha").UUID, Volumes: []model.CopyVolume{{Pool: "swpool"}}}}}}
		w.tx.PutNode(n)
		if err := w.tx.PutDefinition(d); err != nil {
			t.Fatal(err)
		}
		if p := w.spec("backups", "bravo").DRBD.Peers; len(p) != 1 || p[0].Node != c.peer {
			t.Errorf("%s, %s: %+v", c.kind, c.state, p)
		}
	}
}

// With DRBD 8.4 one that made room and returns to its place gets the volume that came meanwhile (seed 7406).
func TestReturnsWithTheNewVolume(t *testing.T) {
	w := full(t, model.DRBD8)
	w.do(core.NodeEvacuate{Name: "alpha"})
	if r := w.def("backups").On("alpha"); !r.Deleting || r.Successor == "" {
		t.Fatalf("it hasn't made room: %+v", r)
	}
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 4 << 10})
	w.do(core.NodeRestore{Name: "alpha"})
	w.see("charlie", "backups", "", func(st *model.ResourceStatus) { st.Gone = true })
	r := w.def("backups").On("alpha")
	if r.Deleting || len(r.Volumes) != 2 || r.Volumes[1].Pool != r.Volumes[0].Pool || r.Volumes[1].UUID == "" {
		t.Errorf("%+v", r)
	}
}

func TestAutoEvictAndItsBrake(t *testing.T) {
	w := full(t, model.DRBD9)
	w.off("alpha")
	w.env.Now = w.env.Now.Add(719 * time.Minute)
	if w.do(core.Tend{}); w.tx.Snapshot().Node("alpha").Evicted {
		t.Fatal("too early")
	}
	w.env.Now = w.env.Now.Add(time.Minute)
	w.off("bravo")
	if w.do(core.Tend{}); w.tx.Snapshot().Node("alpha").Evicted {
		t.Fatal("two of three are away")
	}
	w.online("bravo", model.DRBD9)
	w.see("bravo", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.Peers = []model.PeerStatus{{Node: "alpha", State: model.Connected}} })
	if w.do(core.Tend{}); w.tx.Snapshot().Node("alpha").Evicted {
		t.Fatal("its DRBD is connected")
	}
	w.see("bravo", "backups", model.DiskUpToDate, nil)
	w.do(core.NodeModify{Name: "alpha", Override: map[string]string{"DrbdOptions/AutoEvictAllowEviction": "False"}})
	if w.do(core.Tend{}); w.tx.Snapshot().Node("alpha").Evicted {
		t.Fatal("it was forbidden")
	}
	w.do(core.NodeModify{Name: "alpha", Delete: []string{"DrbdOptions/AutoEvictAllowEviction"}})
	if !core.NeedsTending(w.tx.Snapshot(), w.env.Now) {
		t.Error("nobody would look")
	}
	w.do(core.Tend{})
	if !w.tx.Snapshot().Node("alpha").Evicted || w.replica("backups", "alpha").Successor != w.replica("backups", "charlie").UUID {
		t.Error("isn't evicted and replaced")
	}
}

// With DRBD 8.4 one that stays sees but one peer: while it is in the midst of a sync itself, that is the one that goes, for the new
// one has nothing to give.
func TestEvacuateInTheMidstOfASync(t *testing.T) {
	w := full(t, model.DRBD8)
	w.do(core.NodeEvacuate{Name: "alpha"})
	w.see("bravo", "backups", model.DiskInconsistent, nil) // it grew, say
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	w.see("charlie", "backups", model.DiskInconsistent, nil)
	peer := func(node, want, when string) {
		t.Helper()
		if got := w.spec("backups", node).DRBD.Peers; len(got) != 1 || got[0].Node != want {
			t.Errorf("%s: the peer of %s is %+v, want %s", when, node, got, want)
		}
	}
	peer("bravo", "alpha", "bravo syncs")
	peer("alpha", "bravo", "bravo syncs")
	peer("charlie", "bravo", "bravo syncs")
	w.see("bravo", "backups", model.DiskUpToDate, nil)
	peer("bravo", "charlie", "bravo is good")
	w.see("charlie", "backups", model.DiskUpToDate, nil)
	w.see("bravo", "backups", model.DiskInconsistent, nil)
	peer("bravo", "charlie", "charlie was good")
}

// With DRBD 8.4 one that goes needs to see nobody where its node says who has all that it has, and that one is good and connected to
// another good one: then those two don't part.
func TestGoesWithoutMeeting(t *testing.T) {
	w := full(t, model.DRBD8)
	w.do(core.NodeEvacuate{Name: "alpha"})
	for _, disk := range []string{model.DiskInconsistent, model.DiskInconsistent, model.DiskUpToDate} {
		w.see("charlie", "backups", disk, nil)
	}
	id := func(node string) model.UUID { return w.replica("backups", node).UUID }
	for _, c := range []struct {
		text          string
		within        string // of alpha
		used          bool   // on alpha
		state         string // of bravo's connection to charlie
		disk          string // of charlie
		held, bravoTo string
	}{
		{"all is well", "bravo", false, model.Connected, model.DiskUpToDate, "bravo", "charlie"},
		{"nobody knows", "", false, model.Connected, model.DiskUpToDate, "", "alpha"},
		{"bravo is alone", "bravo", false, "Connecting", model.DiskUpToDate, "", "charlie"},
		{"charlie isn't good", "bravo", false, model.Connected, model.DiskInconsistent, "", "charlie"},
		{"alpha is in use", "bravo", true, model.Connected, model.DiskUpToDate, "", "charlie"},
		{"within one that isn't there any more", "delta", false, model.Connected, model.DiskUpToDate, "", "alpha"},
	} {
		w.see("charlie", "backups", c.disk, nil)
		w.see("bravo", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
			st.Peers = []model.PeerStatus{{Node: "charlie", State: c.state}}
		})
		w.see("alpha", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
			st.Gone, st.InUse, st.Within = false, c.used, model.UUID(c.within)
			st.Volumes = []model.VolumeStatus{{ID: w.replica("backups", "alpha").Volumes[0].UUID, Disk: model.DiskUpToDate, MDReady: true}}
			if c.within == "bravo" {
				st.Within = id("bravo")
			}
		})
		want := model.UUID("")
		if c.held != "" {
			want = id(c.held)
		}
		s := w.spec("backups", "alpha")
		if s.HeldBy != want || s.HeldBy != "" && s.Want != model.Gone {
			t.Errorf("%s: %+v", c.text, s)
		}
		if p := w.spec("backups", "bravo").DRBD.Peers; len(p) != 1 || p[0].Node != c.bravoTo {
			t.Errorf("%s: bravo's peer: %+v", c.text, p)
		}
	}
}

// No disk leaves a node, or takes another's place, while the resource goes back to a snapshot.
func TestEvacuateWaitsForARollback(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		w := full(t, gen)
		rb := &model.Rollback{ID: "rb", Snapshot: "s", State: model.RollbackRolling, Keeps: w.def("backups").On("alpha").UUID}
		w.rolls(rb)
		if r := w.do(core.NodeEvacuate{Name: "alpha"}); len(w.def("backups").Resources) != 2 || !strings.Contains(text(r), "rolled back") {
			t.Errorf("%v: %s", gen, text(r))
		}
		w.rolls(nil)
		w.do(core.Tend{})
		w.see("charlie", "backups", model.DiskInconsistent, nil)
		if gen == model.DRBD8 {
			continue // it has made room already
		}
		w.rolls(rb) // of an older release, that let a move and a rollback meet
		w.see("charlie", "backups", model.DiskUpToDate, nil)
		if w.def("backups").On("alpha").Deleting {
			t.Errorf("%v: it goes in the middle of the rollback", gen)
		}
		w.rolls(nil)
		w.see("charlie", "backups", model.DiskUpToDate, nil)
		if r := w.def("backups").On("alpha"); r != nil && !r.Deleting {
			t.Errorf("%v: it stays", gen)
		}
	}
}
