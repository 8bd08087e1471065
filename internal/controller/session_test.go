package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/wire"
)

func (r *rig) status(node string) model.ConnectionStatus {
	return r.b.Snapshot().Node(node).Seen.Status
}

func TestDelta(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("one", "alpha")
	r.resource("two", "alpha")
	r.forward(time.Second)
	if len(a.orders) == 0 || !a.orders[0].Full {
		t.Fatal("the first order of a session must be full")
	}
	n := len(a.orders)
	r.must(core.DefinitionModify{Name: "one", Override: map[string]string{"DrbdOptions/Net/max-buffers": "8000"}})
	r.forward(time.Second)
	if len(a.orders) != n+1 {
		t.Fatalf("%d orders for one change", len(a.orders)-n)
	}
	o := a.orders[n]
	if o.Full || o.PoolsSet || len(o.Resources) != 1 || o.Resources[0].Name != "one" || o.Seq != uint64(n+1) {
		t.Fatalf("%+v", o)
	}
	if o.Resources[0].DRBD.Options["Net"]["max-buffers"] != "8000" {
		t.Fatalf("%+v", o.Resources[0].DRBD)
	}
	// What changes nothing for the node is not told.
	r.must(core.ControllerModify{Override: map[string]string{"Aux/x": "y"}})
	r.forward(time.Second)
	if len(a.orders) != n+1 {
		t.Fatalf("%+v", a.orders[n+1:])
	}
	r.must(core.DefinitionDelete{Name: "two"})
	r.forward(time.Second)
	if last := a.orders[len(a.orders)-1]; len(last.Dropped) != 1 || len(a.specs) != 1 {
		t.Fatalf("%+v", last)
	}
}

func TestSendRate(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("busy", "alpha")
	r.forward(2 * time.Second)
	n := len(a.orders)
	start := r.now
	for i := range 200 {
		r.submit(core.DefinitionModify{Name: "busy", Override: map[string]string{"DrbdOptions/Net/max-buffers": fmt.Sprint(4000 + i)}})
		r.run()
		if i == 0 && len(a.orders) != n+1 {
			t.Fatal("an idle node isn't told at once")
		}
		r.forward(10 * time.Millisecond)
	}
	r.forward(time.Second)
	took := r.now.Sub(start)
	if sent := len(a.orders) - n; sent > int(took/sendWindow+1)*sendBurst || sent < 4 {
		t.Fatalf("%d orders in %v", sent, took)
	}
	for _, s := range a.specs {
		if s.DRBD.Options["Net"]["max-buffers"] != "4199" {
			t.Fatalf("the last change got lost: %v", s.DRBD.Options)
		}
	}
}

func TestUnacked(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("busy", "alpha")
	r.forward(2 * time.Second)
	a.noAck = true
	n := len(a.orders)
	for i := range 10 {
		r.submit(core.DefinitionModify{Name: "busy", Override: map[string]string{"DrbdOptions/Net/max-buffers": fmt.Sprint(4000 + i)}})
		r.forward(3 * time.Second)
	}
	if got := len(a.orders) - n; got != unackedLimit {
		t.Fatalf("%d orders to a node that takes none", got)
	}
	r.forward(ackLimit)
	if a.dials < 2 {
		t.Fatal("the session should have ended")
	}
}

func TestSilence(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.node("bravo")
	r.resource("backups", "alpha", "bravo")
	id := r.def("backups").On("alpha").UUID
	if r.def("backups").Seen[id] == nil {
		t.Fatal("not seen")
	}
	r.forward(time.Minute)
	if r.status("alpha") != model.StatusOnline || a.dials != 1 {
		t.Fatal("a quiet session ended")
	}
	a.silent = true
	r.forward(SilenceLimit - time.Second)
	if r.status("alpha") != model.StatusOnline {
		t.Fatal("offline too early")
	}
	r.forward(3 * time.Second)
	if r.status("alpha") == model.StatusOnline || r.def("backups").Seen[id] != nil {
		t.Fatal("what an offline node said must not count")
	}
	a.silent = false
	r.forward(2 * ackLimit) // the orders that it let drop end that session, too
	if r.status("alpha") != model.StatusOnline || r.def("backups").Seen[id] == nil {
		t.Fatal("it doesn't come back")
	}
}

func TestRedial(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	a.down = true
	r.b.Lost("alpha", a.id, "connection reset", r.now)
	dials := a.dials
	r.forward(10 * time.Minute)
	if n := a.dials - dials; n < 10 || n > 18 {
		t.Fatalf("%d dials in ten minutes", n)
	}
	if s := r.b.Snapshot().Node("alpha").Seen; s.Status != model.StatusOffline || s.Reason != "connection refused" {
		t.Fatalf("%+v", s)
	}
	a.down = false
	r.b.Reconnect("alpha", r.now)
	r.run()
	r.online("alpha")
	dials = a.dials
	r.b.Lost("alpha", a.id, "connection reset", r.now)
	r.forward(1300 * time.Millisecond)
	if a.dials != dials+1 {
		t.Fatal("after a good session the first try comes in a second")
	}
}

func TestRefusals(t *testing.T) {
	for why, status := range map[wire.RefusedWhy]model.ConnectionStatus{
		wire.RefusedInstance: model.StatusOtherController, wire.RefusedCluster: model.StatusOtherController,
		wire.RefusedClaim: model.StatusAuthError, wire.RefusedVersion: model.StatusVersionMismatch,
		wire.RefusedName: model.StatusHostname, wire.RefusedBusy: model.StatusOffline, "of-the-future": model.StatusOffline,
	} {
		r := newRig(t)
		a := r.node("alpha")
		a.refuse = &wire.Refused{Why: why, Text: "because", HighestEpoch: 99}
		r.b.Message("alpha", a.id, *a.refuse, r.now)
		r.forward(5 * time.Minute)
		if s := r.b.Snapshot().Node("alpha").Seen; s.Status != status || s.Reason != "because" {
			t.Errorf("%s: %+v", why, s)
		}
		if a.dials > 14 {
			t.Errorf("%s: %d dials", why, a.dials)
		}
		if r.b.ReadOnly() != "" {
			t.Errorf("%s makes it read-only", why)
		}
	}
}

func TestNewerEpoch(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	a.refuse = &wire.Refused{Why: wire.RefusedEpoch, Text: "a newer controller", HighestEpoch: 7}
	r.b.Message("alpha", a.id, *a.refuse, r.now)
	r.run()
	if !strings.Contains(r.b.ReadOnly(), "epoch 7") || r.status("alpha") != model.StatusOtherController {
		t.Fatal(r.b.ReadOnly())
	}
	if _, err := r.do(core.DefinitionCreate{Name: "xx"}, 0); !fault.Is(err, fault.ReadOnly) {
		t.Fatal(err)
	}
	n := a.dials
	r.forward(5 * time.Minute)
	if a.dials != n {
		t.Fatal("a read-only controller has nothing to say to satellites")
	}
	// The next start takes over, told the epoch.
	a.refuse = nil
	b, err := r.boot(7)
	if err != nil {
		t.Fatal(err)
	}
	r.b = b
	r.run()
	r.online("alpha")
	if r.b.Order().Epoch != 8 {
		t.Fatal(r.b.Order())
	}
}

// A store rolled back to an older copy hears of its own later epoch.
func TestRolledBack(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	a.epoch = 5
	r.b.Lost("alpha", a.id, "restart", r.now)
	r.forward(5 * time.Second)
	if r.b.ReadOnly() == "" || r.status("alpha") != model.StatusOtherController {
		t.Fatal(r.b.ReadOnly(), r.status("alpha"))
	}
}

// A satellite that was never ours says anything: it must not stop the cluster.
func TestForeignEpoch(t *testing.T) {
	r := newRig(t)
	r.sats["zulu"] = &sat{name: "zulu", epoch: 1 << 60}
	r.must(core.NodeCreate{Name: "zulu", Interfaces: []model.NetInterface{{Name: "default", Address: "10.77.0.9"}}})
	r.forward(time.Second)
	if r.b.ReadOnly() != "" || r.status("zulu") != model.StatusOtherController {
		t.Fatal(r.b.ReadOnly(), r.status("zulu"))
	}
	r.sats["zulu"].refuse = &wire.Refused{Why: wire.RefusedEpoch, HighestEpoch: 1 << 60}
	r.forward(time.Minute)
	if r.b.ReadOnly() != "" {
		t.Fatal(r.b.ReadOnly())
	}
}

func TestClaimIsStoredFirst(t *testing.T) {
	r := newRig(t)
	s := &sat{name: "alpha"}
	r.sats["alpha"] = s
	r.must(core.NodeCreate{Name: "alpha", Interfaces: []model.NetInterface{{Name: "default", Address: "10.77.0.1"}}})
	r.b.Lost("alpha", s.id, "again", r.now)
	r.run()
	if got := r.b.Snapshot().Node("alpha").Fingerprint; !strings.EqualFold(got, print1) {
		t.Fatal(got)
	}
	// A new node whose claim isn't stored for a while.
	s3 := &sat{name: "charlie"}
	r.sats["charlie"] = s3
	tk := r.submit(core.NodeCreate{Name: "charlie", Interfaces: []model.NetInterface{{Name: "default", Address: "10.77.0.3"}}})
	r.open = r.b.Step(r.now)
	r.commit()
	r.deliver() // dialled, connected, the claim is queued
	r.hold = true
	r.run()
	r.forward(time.Second)
	if !tk.Done() || len(s3.orders) != 0 || s3.id == 0 {
		t.Fatalf("orders left before the claim was stored: %d", len(s3.orders))
	}
	r.hold = false
	r.run()
	if len(s3.orders) != 1 || r.b.Snapshot().Node("charlie").Fingerprint == "" {
		t.Fatal("no order after the claim")
	}
}

func TestForeignReplica(t *testing.T) {
	r := newRig(t)
	a, b := r.node("alpha"), r.node("bravo")
	r.resource("backups", "alpha", "bravo")
	id := r.def("backups").On("alpha").UUID
	lie := a.statuses([]model.UUID{id})
	lie[0].Volumes[0].Disk, lie[0].Gone, lie[0].InUse = "", true, true
	r.b.Message("bravo", b.id, wire.Report{Resources: lie}, r.now)
	r.run()
	if st := r.def("backups").Seen[id]; st == nil || !st.UpToDate() || st.Gone {
		t.Fatalf("bravo spoke for alpha: %+v", st)
	}
	if !strings.Contains(r.log.String(), "another node's replica") {
		t.Fatal("not logged")
	}
}

func TestReportsOutOfOrder(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("backups", "alpha")
	id := r.def("backups").Resources[0].UUID
	gen := r.def("backups").Generation
	r.say(a, id, func(st *model.ResourceStatus) { st.Generation, st.Phase, st.Reason = gen-1, model.Failed, "old" })
	if st := r.def("backups").Seen[id]; st.Generation != gen || st.Reason != "" {
		t.Fatalf("%+v", st)
	}
	// An older session's words don't count at all.
	old := a.id
	r.b.Lost("alpha", a.id, "cut", r.now)
	r.forward(5 * time.Second)
	st := a.statuses([]model.UUID{id})
	st[0].InUse = true
	r.b.Message("alpha", old, wire.Report{Resources: st}, r.now)
	r.run()
	if r.def("backups").Seen[id].InUse {
		t.Fatal("an ended session still speaks")
	}
	// A full report replaces everything.
	r.b.Message("alpha", a.id, wire.Report{Full: true}, r.now)
	r.run()
	if len(r.def("backups").Seen) != 0 {
		t.Fatal("a full report without it leaves it there")
	}
	r.b.Message("alpha", a.id, wire.Report{AckSeq: 1000}, r.now)
	r.run()
	if r.status("alpha") == model.StatusOnline {
		t.Fatal("it acknowledged what was never sent")
	}
}

func TestNodeGoesAndMoves(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	id := a.id
	r.resource("backups", "alpha")
	a.down = true
	r.must(core.InterfaceModify{Node: "alpha", Name: "default", Address: "10.77.0.77"})
	r.run()
	if len(r.def("backups").Seen) != 0 || r.status("alpha") == model.StatusOnline {
		t.Fatal("the old session's word still counts")
	}
	a.down = false
	r.forward(3 * time.Second)
	if a.id == id || a.id == 0 {
		t.Fatal("not dialled at its new address")
	}
	r.must(core.DefinitionDelete{Name: "backups"})
	r.must(core.PoolDelete{Node: "alpha", Name: "swpool"})
	r.must(core.NodeDelete{Name: "alpha"})
	r.forward(time.Second)
	n := a.dials
	if a.id != 0 {
		t.Fatal("a deleted node's session stays")
	}
	r.forward(5 * time.Minute)
	if a.dials != n {
		t.Fatal("a deleted node is dialled")
	}
	if r.b.Snapshot().Node("alpha") != nil {
		t.Fatal("still there")
	}
}

// A node of the same name and address is another one: nothing of the old session counts for it.
func TestNodeReplaced(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.must(core.PoolDelete{Node: "alpha", Name: "swpool"})
	r.forward(time.Second)
	old := r.b.Snapshot().Node("alpha")
	id := a.id
	r.submit(core.NodeDelete{Name: "alpha"})
	r.submit(core.NodeCreate{Name: "Alpha", Interfaces: []model.NetInterface{{Name: "default", Address: old.Interfaces[0].Address}}})
	r.sats["Alpha"] = &sat{name: "Alpha"}
	r.run()
	r.forward(2 * time.Second)
	if s := r.sats["Alpha"]; s.id == 0 || s.id == id || r.status("alpha") != model.StatusOnline || r.b.Snapshot().Node("alpha").Fingerprint == "" {
		t.Fatalf("%+v", r.b.Snapshot().Node("alpha"))
	}
}

// A node that is no satellite any more is offline, and what it said is gone.
func TestNodeWithoutSatellite(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.must(core.PoolDelete{Node: "alpha", Name: "swpool"})
	r.must(core.NodeModify{Name: "alpha", Type: "auxiliary"})
	r.forward(time.Second)
	if a.id != 0 || r.status("alpha") == model.StatusOnline {
		t.Fatal(r.status("alpha"))
	}
}

// The order to remove a replica leaves only while another one is proven good in this session.
func TestGuardDelta(t *testing.T) {
	r := newRig(t)
	a, b := r.node("alpha"), r.node("bravo")
	r.resource("backups", "alpha", "bravo")
	r.forward(time.Second)
	idA, idB := r.def("backups").On("alpha").UUID, r.def("backups").On("bravo").UUID
	a.change = func(st *model.ResourceStatus) { st.Gone, st.Phase = false, model.Working } // slow to remove
	tk := r.submit(core.ResourceDelete{Definition: "backups", Node: "alpha"})
	r.run()
	r.forward(time.Second)
	if a.specs[idA].Want != model.Gone {
		t.Fatal("bravo is good, so alpha may go")
	}
	// bravo loses its disk before alpha has begun: the order is taken back.
	r.say(b, idB, func(st *model.ResourceStatus) { st.Volumes[0].Disk = "Failed" })
	r.forward(time.Second)
	if a.specs[idA].Want != model.Up {
		t.Fatal("the last good copy is still to be removed")
	}
	r.forward(2 * BlockedGrace)
	rep, err := tk.Result()
	if err != nil || !has(rep.Notes, fault.Warning, fault.NotApplied, "no other replica is proven UpToDate") {
		t.Fatal(err, texts(rep.Notes))
	}
	// With bravo offline it is unknown, which isn't good either.
	r.say(b, idB, func(*model.ResourceStatus) {})
	r.forward(time.Second)
	if a.specs[idA].Want != model.Gone {
		t.Fatal("bravo is good again")
	}
	b.down = true
	r.b.Lost("bravo", b.id, "power cut", r.now)
	r.run()
	r.forward(time.Second)
	if a.specs[idA].Want != model.Up {
		t.Fatal("unknown must count as not good")
	}
}
