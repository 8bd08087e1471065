package controller

import (
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/wire"
)

func TestWaitOffline(t *testing.T) {
	r := newRig(t)
	r.node("alpha")
	b := r.node("bravo")
	r.resource("backups", "alpha", "bravo")
	b.down = true
	r.b.Lost("bravo", b.id, "power cut", r.now)
	r.run()
	tk := r.submit(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/max-buffers": "8000"}})
	r.run()
	r.forward(time.Second)
	rep, err := tk.Result()
	if !tk.Done() || err != nil {
		t.Fatal(err)
	}
	if !has(rep.Notes, fault.Warning, fault.NotConnected, "power cut") && !has(rep.Notes, fault.Warning, fault.NotConnected, "connection refused") {
		t.Fatal(texts(rep.Notes))
	}
	if !has(rep.Notes, fault.Success, fault.Done, "on 'alpha'") {
		t.Fatal(texts(rep.Notes))
	}
	b.down = false
	r.online("bravo")
	for _, s := range b.specs {
		if s.DRBD.Options["Net"]["max-buffers"] != "8000" {
			t.Fatal("a change made while the node was away isn't applied on its return")
		}
	}
}

func TestWaitGoesOffline(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("backups", "alpha")
	a.change = func(st *model.ResourceStatus) { st.Phase = model.Working }
	tk := r.submit(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/max-buffers": "8000"}})
	r.run()
	r.forward(5 * time.Second)
	if tk.Done() {
		t.Fatal("answered while the node works")
	}
	a.down = true
	r.b.Lost("alpha", a.id, "connection reset", r.now)
	r.run()
	rep, _ := tk.Result()
	if !tk.Done() || !has(rep.Notes, fault.Warning, fault.NotConnected, "connection reset") {
		t.Fatal(texts(rep.Notes))
	}
}

func TestWaitFailed(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("backups", "alpha")
	a.change = func(st *model.ResourceStatus) { st.Phase, st.Reason = model.Failed, "lvcreate: no space" }
	tk := r.submit(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/max-buffers": "8000"}})
	r.run()
	r.forward(100 * time.Millisecond)
	rep, err := tk.Result()
	if !tk.Done() || err != nil || !has(rep.Notes, fault.Failure, fault.NotApplied, "lvcreate: no space") {
		t.Fatal(tk.Done(), err, texts(rep.Notes))
	}
	if r.def("backups").Props["DrbdOptions/Net/max-buffers"] != "8000" {
		t.Fatal("a change that failed on a node stays desired")
	}
}

func TestWaitBlocked(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("backups", "alpha")
	id := r.def("backups").Resources[0].UUID
	a.change = func(st *model.ResourceStatus) { st.Phase, st.Reason = model.Blocked, "waits for bravo" }
	modify := core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/max-buffers": "8000"}}
	tk := r.submit(modify)
	r.run()
	r.forward(BlockedGrace - 500*time.Millisecond)
	if tk.Done() {
		t.Fatal("a short wait is no answer")
	}
	r.forward(time.Second)
	rep, _ := tk.Result()
	if !tk.Done() || !has(rep.Notes, fault.Warning, fault.NotApplied, "waits for bravo") {
		t.Fatal(texts(rep.Notes))
	}
	modify.Override["DrbdOptions/Net/max-buffers"] = "8001"
	tk = r.submit(modify)
	r.run()
	r.forward(time.Second)
	a.change = nil
	r.say(a, id, func(*model.ResourceStatus) {})
	if rep, _ := tk.Result(); !tk.Done() || !has(rep.Notes, fault.Success, fault.Done, "adjusted") {
		t.Fatal(texts(rep.Notes))
	}
}

func TestWaitTimes(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.resource("backups", "alpha")
	a.change = func(st *model.ResourceStatus) { st.Phase, st.Reason = model.Working, "lvextend" }
	modify := core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/max-buffers": "8000"}}
	tk := r.submit(modify)
	short := r.b.Submit(modify, Options{Deadline: r.now.Add(5 * time.Second)}, r.now)
	async := r.b.Submit(modify, Options{Async: true}, r.now)
	left := r.b.Submit(modify, Options{Notify: func(*Ticket) { t.Error("nobody listens") }}, r.now)
	r.run()
	if rep, err := async.Result(); !async.Done() || err != nil || len(rep.Notes) != 1 {
		t.Fatal("async answers at the commit")
	}
	r.b.Drop(left)
	r.forward(5 * time.Second)
	if rep, _ := short.Result(); !short.Done() || !has(rep.Notes, fault.Warning, fault.NotApplied, "lvextend") {
		t.Fatal("its own deadline doesn't count")
	}
	r.forward(AnswerLimit - 6*time.Second)
	if tk.Done() {
		t.Fatal("too early")
	}
	r.forward(2 * time.Second)
	if rep, _ := tk.Result(); !tk.Done() || !has(rep.Notes, fault.Warning, fault.NotApplied, "has not finished") {
		t.Fatal(texts(rep.Notes))
	}
	if len(r.b.waiting) != 0 {
		t.Fatal("a wait is left over")
	}
}

func TestWaitGone(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	r.node("bravo")
	r.resource("backups", "alpha", "bravo")
	id := r.def("backups").On("alpha").UUID
	a.change = func(st *model.ResourceStatus) {
		if st.Gone {
			st.Gone, st.Phase, st.Reason = false, model.Blocked, "in use by mount"
		}
	}
	tk := r.submit(core.ResourceDelete{Definition: "backups", Node: "alpha"})
	r.run()
	r.forward(2 * BlockedGrace)
	if rep, _ := tk.Result(); !tk.Done() || !has(rep.Notes, fault.Warning, fault.NotApplied, "in use by mount") {
		t.Fatal(texts(rep.Notes))
	}
	if r.def("backups").Replica(id) == nil {
		t.Fatal("the tombstone went before its node confirmed")
	}
	a.change = nil
	r.say(a, id, func(*model.ResourceStatus) {})
	if r.def("backups").Replica(id) != nil {
		t.Fatal("confirmed, and still there")
	}
}

func TestClientGoneBeforeItsTurn(t *testing.T) {
	r := newRig(t)
	tk := r.submit(core.DefinitionCreate{Name: "xx"})
	r.b.Drop(tk)
	r.run()
	if r.def("xx") != nil {
		t.Fatal("done for nobody")
	}
}

// A new node is answered when it is online, a pool when the node has looked at it; a node that doesn't answer gives a warning.
func TestWaitForNode(t *testing.T) {
	r := newRig(t)
	tk := r.b.Submit(core.NodeCreate{Name: "zulu", Interfaces: []model.NetInterface{{Name: "default", Address: "10.77.0.9"}}}, Options{}, r.now)
	r.run()
	r.forward(time.Second) // nobody listens there
	reply, err := tk.Result()
	if !tk.Done() || err != nil || reply.Notes[len(reply.Notes)-1].Kind != fault.NotConnected {
		t.Fatalf("%v %+v %v", tk.Done(), reply.Notes, err)
	}
	r.sats["alpha"] = &sat{name: "alpha", report: model.NodeReport{Uname: "alpha", DRBD: model.DRBD9, Providers: []model.ProviderKind{model.LVM}}}
	tk = r.b.Submit(core.NodeCreate{Name: "alpha", Interfaces: []model.NetInterface{{Name: "default", Address: "10.77.0.1"}}}, Options{}, r.now)
	r.run()
	r.forward(time.Second)
	if reply, err = tk.Result(); !tk.Done() || err != nil || reply.Notes[len(reply.Notes)-1].Message != "Node 'alpha' is online." {
		t.Fatalf("%v %+v %v", tk.Done(), reply.Notes, err)
	}
	tk = r.b.Submit(core.PoolCreate{Node: "alpha", Name: "swpool", Kind: "lvm", Props: map[string]string{model.PropPoolName: "sw_ssd"}}, Options{}, r.now)
	r.run()
	if tk.Done() {
		t.Fatal("answered before the node has looked at the pool")
	}
	s := r.sats["alpha"]
	report := func(reason string) {
		s.report.Pools = []model.PoolStatus{{UUID: r.b.Snapshot().Node("alpha").Pool("swpool").UUID, Name: "swpool", Reason: reason}}
		r.b.Message("alpha", s.id, wire.Report{Node: &s.report}, r.now)
		r.run()
	}
	report("no such volume group")
	if reply, err = tk.Result(); !tk.Done() || err != nil || reply.Notes[len(reply.Notes)-1].Severity != fault.Failure {
		t.Fatalf("%v %+v %v", tk.Done(), reply.Notes, err)
	}
}

// A device pool is answered with the node's word, which also ends the order; what was ordered is told with the pools.
func TestWaitForDevicePool(t *testing.T) {
	r := newRig(t)
	s := r.node("alpha")
	s.report.Makes = []model.ProviderKind{model.LVM}
	r.b.Message("alpha", s.id, wire.Report{Node: &s.report}, r.now)
	r.run()
	for _, c := range []struct {
		name, reason string
		severity     fault.Severity
	}{{"good", "", fault.Success}, {"bad", "/dev/sdb isn't empty", fault.Failure}} {
		tk := r.b.Submit(core.DevicePoolCreate{Node: "alpha", Kind: "lvm", Name: c.name, Devices: []string{"/dev/sdb"}, Pool: c.name + "pool"}, Options{}, r.now)
		r.run()
		r.forward(time.Second)
		var spec model.DevicePoolSpec
		for _, o := range s.orders {
			for _, p := range o.DevicePools {
				spec = p
			}
		}
		if spec.Group != c.name || tk.Done() {
			t.Fatalf("told of %+v, answered %v", spec, tk.Done())
		}
		s.report.DevicePools = []model.DevicePoolStatus{{ID: spec.ID, Done: c.reason == "", Reason: c.reason}}
		r.b.Message("alpha", s.id, wire.Report{Node: &s.report}, r.now)
		r.run()
		reply, err := tk.Result()
		if last := reply.Notes[len(reply.Notes)-1]; !tk.Done() || err != nil || last.Severity != c.severity || last.Cause != c.reason {
			t.Fatalf("%v %+v %v", tk.Done(), reply.Notes, err)
		}
		r.forward(time.Second)
		if last := s.orders[len(s.orders)-1]; !last.PoolsSet || len(last.DevicePools) != 0 {
			t.Fatalf("the order stands: %+v", last)
		}
		if there := r.b.Snapshot().Node("alpha").Pool(c.name+"pool") != nil; there != (c.reason == "") {
			t.Fatalf("%s: pool %v", c.name, there)
		}
		s.report.DevicePools = nil
	}
}

// A volume grows on all replicas together: while one's node is away nobody waits a minute for the others.
func TestWaitGrowsWithoutANode(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	b := r.node("bravo")
	r.resource("backups", "alpha", "bravo")
	b.down = true
	r.b.Lost("bravo", b.id, "power cut", r.now)
	r.run()
	a.change = func(st *model.ResourceStatus) { st.Phase, st.Reason = model.Working, "waits" }
	vd := r.def("backups").Volumes[0]
	tk := r.submit(core.VolumeModify{Definition: "backups", Number: vd.Number, SizeKiB: 2 * vd.SizeKiB})
	r.run()
	r.forward(2 * BlockedGrace)
	if rep, err := tk.Result(); !tk.Done() || err != nil || !has(rep.Notes, fault.Warning, fault.NotApplied, "node 'bravo' isn't online, and all replicas grow together") {
		t.Fatal(tk.Done(), err, texts(rep.Notes))
	}
}

// A rollback is over when the replicas have found each other again: a snapshot that is asked for next needs that.
func TestApart(t *testing.T) {
	r := newRig(t)
	nodes := map[string]*sat{"alpha": r.node("alpha"), "bravo": r.node("bravo")}
	r.resource("backups", "alpha", "bravo")
	seen := func(state string) {
		for peer, n := range map[string]*sat{"bravo": nodes["alpha"], "alpha": nodes["bravo"]} {
			n.change = func(st *model.ResourceStatus) { st.Peers = []model.PeerStatus{{Node: peer, State: state}} }
		}
		r.submit(core.DefinitionModify{Name: "backups", Override: map[string]string{"Aux/seen": state}})
		r.run()
		r.forward(time.Second)
	}
	for state, want := range map[string]bool{model.Connected: false, "Connecting": true} {
		if seen(state); apart(r.b.cur, r.def("backups")) != want {
			t.Errorf("%s: apart %v", state, !want)
		}
	}
	seen("Connecting")
	nodes["alpha"].down = true
	r.b.Lost("alpha", nodes["alpha"].id, "power cut", r.now)
	r.run()
	if apart(r.b.cur, r.def("backups")) {
		t.Error("one whose node is away is waited for")
	}
}
