package core_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

func (w *world) drbdOf(node string) *model.DRBDSpec {
	return nodestate.Resources(w.tx.Snapshot(), w.def("backups"), node)[0].DRBD
}

func TestConnectionOptions(t *testing.T) {
	w := three(t)
	w.do(core.ConnectionModify{A: "bravo", B: "Alpha", Override: map[string]string{"DrbdOptions/Net/ping-timeout": "11", "DrbdOptions/PeerDevice/c-max-rate": "4096"}})
	for _, pair := range [][2]string{{"alpha", "bravo"}, {"bravo", "alpha"}} {
		peers := w.drbdOf(pair[0]).Peers
		if len(peers) != 2 || peers[0].Node != pair[1] || peers[1].Options != nil {
			t.Fatalf("%+v", peers)
		}
		want := map[string]map[string]string{"Net": {"ping-timeout": "11"}, "PeerDevice": {"c-max-rate": "4096"}}
		if d := cmp.Diff(want, peers[0].Options); d != "" {
			t.Error(d)
		}
	}
	// The resource connection goes before the definition, that before the node connection.
	w.do(core.DefinitionModify{Name: "backups", Override: map[string]string{"DrbdOptions/Net/ping-timeout": "22", "DrbdOptions/PeerDevice/c-max-rate": "8192"}})
	w.do(core.ConnectionModify{Definition: "backups", A: "alpha", B: "bravo", Override: map[string]string{"DrbdOptions/Net/ping-timeout": "33"}})
	spec := w.drbdOf("alpha")
	if d := cmp.Diff(map[string]map[string]string{"Net": {"ping-timeout": "33"}}, spec.Peers[0].Options); d != "" {
		t.Error(d)
	}
	if spec.Options["Net"]["ping-timeout"] != "22" || spec.Options["PeerDevice"]["c-max-rate"] != "8192" {
		t.Errorf("%+v", spec.Options)
	}
	// What is deleted leaves nothing.
	w.do(core.ConnectionModify{A: "alpha", B: "bravo", Namespaces: []string{"DrbdOptions"}})
	if c := w.tx.Snapshot().Controller().Connections; len(c) != 0 {
		t.Errorf("%+v", c)
	}
	w.do(core.ConnectionModify{Definition: "backups", A: "alpha", B: "bravo", Delete: []string{"DrbdOptions/Net/ping-timeout"}})
	if w.drbdOf("bravo").Peers[0].Options != nil || len(w.def("backups").Connections) != 0 {
		t.Errorf("%+v", w.def("backups").Connections)
	}
}

func TestConnectionPaths(t *testing.T) {
	w := three(t)
	for i, n := range []string{"alpha", "bravo"} {
		for _, nic := range []string{"fast1", "fast2"} {
			w.do(core.InterfaceCreate{Node: n, Interface: model.NetInterface{Name: nic, Address: "10.7" + nic[4:] + ".0." + []string{"1", "2"}[i]}})
		}
	}
	set := core.ConnectionModify{A: "alpha", B: "bravo", Override: map[string]string{"Paths/one/alpha": "fast1", "Paths/one/Bravo": "fast1", "Paths/two/alpha": "fast2", "Paths/two/bravo": "fast2"}}
	w.do(set)
	if d := cmp.Diff([]model.PathSpec{{Local: "10.71.0.2", Peer: "10.71.0.1"}, {Local: "10.72.0.2", Peer: "10.72.0.1"}}, w.drbdOf("bravo").Peers[0].Paths); d != "" {
		t.Error(d)
	}
	// An interface that goes takes its path away; what remains is used.
	w.do(core.InterfaceDelete{Node: "alpha", Name: "fast1"})
	if p := w.drbdOf("alpha").Peers[0].Paths; len(p) != 1 || p[0].Local != "10.72.0.1" {
		t.Errorf("%+v", p)
	}
	w.refused(fault.NotFound, core.ConnectionModify{A: "alpha", B: "bravo", Override: map[string]string{"Paths/one/alpha": "nothing"}})
	w.refused(fault.Invalid, core.ConnectionModify{A: "alpha", B: "bravo", Override: map[string]string{"Paths/one/charlie": "default"}})
	w.refused(fault.Invalid, core.ConnectionModify{A: "alpha", B: "bravo", Override: map[string]string{"Paths/alpha": "default"}})
	w.refused(fault.Invalid, core.ConnectionModify{A: "alpha", B: "ALPHA", Override: set.Override})
	w.refused(fault.NotFound, core.ConnectionModify{A: "alpha", B: "nobody", Override: set.Override})
	w.refused(fault.NotFound, core.ConnectionModify{Definition: "nothing", A: "alpha", B: "bravo", Override: set.Override})
	w.refused(fault.Invalid, core.ConnectionModify{A: "alpha", B: "bravo", Override: map[string]string{"DrbdOptions/Resource/quorum": "off"}})
}

// 8.4 has no connections: there it is the resource's own.
func TestConnectionOf84(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	for i, n := range []string{"alpha", "bravo"} {
		w.do(core.InterfaceCreate{Node: n, Interface: model.NetInterface{Name: "fast", Address: "10.78.0." + []string{"1", "2"}[i]}})
	}
	w.do(core.ConnectionModify{Definition: "backups", A: "alpha", B: "bravo", Override: map[string]string{"DrbdOptions/Net/ping-timeout": "33", "Paths/one/alpha": "fast", "Paths/one/bravo": "fast"}})
	spec := w.drbdOf("alpha")
	if spec.Options["Net"]["ping-timeout"] != "33" || spec.Address != "10.78.0.1" || spec.Peers[0].Address != "10.78.0.2" || spec.Peers[0].Options != nil || spec.Peers[0].Paths != nil {
		t.Errorf("%+v", spec)
	}
}

func TestConnectionsGoWithWhatTheyConnect(t *testing.T) {
	w := three(t)
	w.do(core.ConnectionModify{A: "alpha", B: "bravo", Override: map[string]string{"Aux/a": "b"}})
	w.do(core.ConnectionModify{Definition: "backups", A: "alpha", B: "bravo", Override: map[string]string{"Aux/a": "b"}})
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo"})
	w.all()
	if c := w.def("backups").Connections; len(c) != 0 {
		t.Errorf("bravo's replica is gone: %+v", c)
	}
	w.do(core.PoolDelete{Node: "bravo", Name: "swpool"})
	w.do(core.NodeDelete{Name: "bravo"})
	if c := w.tx.Snapshot().Controller().Connections; len(c) != 0 {
		t.Errorf("bravo is gone: %+v", c)
	}
}
