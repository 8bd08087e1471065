package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
)

// The interface for DRBD is chosen by the storage pool first, then by the resource, the definition and the node; both ends are told.
func TestPreferredInterface(t *testing.T) {
	w := tutorial(t, model.DRBD9)
	for name, address := range map[string]string{"fast": "10.78.0.1", "slow": "10.79.0.1"} {
		w.do(core.InterfaceCreate{Node: "alpha", Interface: model.NetInterface{Name: name, Address: address}})
	}
	want := func(address, when string) {
		t.Helper()
		if own, told := w.drbdOf("alpha").Address, w.drbdOf("bravo").Peers[0].Address; own != address || told != address {
			t.Errorf("%s: %s, its peer is told %s, want %s", when, own, told, address)
		}
	}
	nic := func(name string) map[string]string { return map[string]string{"PrefNic": name} }
	want("10.77.0.1", "nobody chose")
	w.do(core.NodeModify{Name: "alpha", Override: nic("slow")})
	want("10.79.0.1", "the node")
	w.do(core.DefinitionModify{Name: "backups", Override: nic("default")})
	want("10.77.0.1", "the definition")
	w.do(core.PoolModify{Node: "alpha", Name: "swpool", Override: nic("fast")})
	want("10.78.0.1", "the storage pool")
	r := w.do(core.PoolModify{Node: "alpha", Name: "swpool", Override: nic("nonesuch")})
	if out := text(r); !strings.Contains(out, "'nonesuch'") {
		t.Errorf("it doesn't warn: %s", out)
	}
	want("10.77.0.1", "one that isn't there")
}
