package core_test

import (
	"fmt"
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

func TestPoolBacking(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD8, 4<<20)
	seen := *w.tx.Snapshot().Node("alpha").Seen
	seen.Providers = core.Kinds
	w.tx.SeeNode("alpha", &seen)
	n := 0
	create := func(kind string, p map[string]string) core.PoolCreate {
		n++
		return core.PoolCreate{Node: "alpha", Name: fmt.Sprintf("pool%d", n), Kind: kind, Props: p}
	}
	name := func(b string) map[string]string { return map[string]string{model.PropPoolName: b} }
	for _, c := range []struct {
		kind string
		p    map[string]string
		want string
	}{
		{"LVM_THIN", name("sw_ssd/thin"), "sw_ssd/thin"},
		{"lvm_thin", map[string]string{"StorDriver/LvmVg": "sw_ssd", "StorDriver/ThinPool": "other"}, "sw_ssd/other"},
		{"FILE", name("/srv/thick/"), "/srv/thick"},
		{"FILE_THIN", map[string]string{"StorDriver/FileDir": "/srv/thin"}, "/srv/thin"},
		{"ZFS", name("tank"), "tank"},
		{"ZFS_THIN", map[string]string{"StorDriver/ZPoolThin": "tank/volumes"}, "tank/volumes"},
		{"ZFS_THIN", name("tank"), "tank"}, // thick and thin in one zpool
	} {
		cmd := create(c.kind, c.p)
		w.do(cmd)
		if got := w.tx.Snapshot().Node("alpha").Pool(cmd.Name).Backing(); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.kind, c.p, got, c.want)
		}
	}
	for _, c := range []struct{ kind, backing string }{
		{"LVM_THIN", "sw_ssd"}, {"LVM_THIN", "sw_ssd/"}, {"LVM_THIN", "/thin"}, {"LVM_THIN", "a/b/c"}, {"LVM_THIN", "-a/b"}, {"LVM_THIN", "a/-b"}, {"LVM_THIN", "a/.."},
		{"ZFS", "/tank"}, {"ZFS", "tank//a"}, {"ZFS", "-tank"}, {"ZFS", "tank/../b"}, {"ZFS", "1tank"},
		{"FILE", "srv"}, {"LVM", "a/b"}, {"LVM", ".."},
	} {
		w.refused(fault.Invalid, create(c.kind, name(c.backing)))
	}
	w.refused(fault.Exists, create("LVM_THIN", name("sw_ssd/thin")))
	w.refused(fault.Exists, create("FILE_THIN", name("/srv/thick"))) // they would share names
	w.refused(fault.Invalid, create("SPDK", name("x")))
}

// thinPool makes swpool of the node an LVM_THIN one with that status.
func (w *world) thinPool(node string, st model.PoolStatus) {
	w.t.Helper()
	n := w.tx.Snapshot().Node(node)
	m := n.Node.Clone()
	m.Pool("swpool").Kind = model.LVMThin
	w.tx.PutNode(m)
	seen := *n.Seen
	st.UUID, st.Name = m.Pool("swpool").UUID, "swpool"
	seen.Pools = []model.PoolStatus{st}
	w.tx.SeeNode(node, &seen)
}

// The first sync is skipped on thin pools only if they say that they zero what they give out.
func TestThinProvesZeros(t *testing.T) {
	for _, zeroes := range []bool{true, false} {
		w := newWorld(t)
		for _, n := range []string{"alpha", "bravo"} {
			w.node(n, model.DRBD8, 4<<20)
			w.thinPool(n, model.PoolStatus{FreeKiB: 4 << 20, TotalKiB: 4 << 20, Zeroes: zeroes || n == "alpha"})
		}
		w.do(core.DefinitionCreate{Name: "backups"})
		w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 512 << 10})
		w.do(core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 2}})
		if v := w.def("backups").Volumes[0]; v.SkipSync != zeroes || v.Source == "" {
			t.Errorf("zeroes %v: %+v", zeroes, v)
		}
	}
}

func TestFullThinPoolTakesNothing(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD8, 4<<20)
	w.do(core.DefinitionCreate{Name: "backups"})
	w.do(core.VolumeCreate{Definition: "backups", SizeKiB: 64 << 20})
	create := core.ResourceCreate{Definition: "backups", On: []core.ResourceOn{{Node: "alpha", Pool: "swpool"}}}
	w.thinPool("alpha", model.PoolStatus{FreeKiB: 4 << 20, TotalKiB: 4 << 20, MetaPercent: 98})
	w.refused(fault.NoSpace, create)
	w.thinPool("alpha", model.PoolStatus{FreeKiB: 4 << 10, TotalKiB: 4 << 20})
	w.refused(fault.NoSpace, create)
	w.thinPool("alpha", model.PoolStatus{FreeKiB: 4 << 20, TotalKiB: 4 << 20, Trouble: "the thin pool has failed"})
	w.refused(fault.NoSpace, create)
	w.thinPool("alpha", model.PoolStatus{FreeKiB: 1 << 20, TotalKiB: 4 << 20}) // 64 GiB of 20 GiB
	w.refused(fault.NoSpace, create)
	w.thinPool("alpha", model.PoolStatus{FreeKiB: 4 << 20, TotalKiB: 4 << 20}) // of 80 GiB
	w.do(create)
}

// A snapshot shares blocks until somebody writes; then it needs room that a full pool hasn't.
func TestFullThinPoolTakesNoSnapshot(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	for _, n := range []string{"alpha", "bravo"} {
		w.thinPool(n, model.PoolStatus{FreeKiB: 4 << 20, TotalKiB: 4 << 20, MetaPercent: 99})
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Snapshots = []model.ProviderKind{model.LVMThin}
		w.tx.SeeNode(n, &seen)
	}
	_, err := w.try(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "one"}}})
	if err == nil || !strings.Contains(fault.Of(err).Cause, "99.0 % full") {
		t.Fatalf("%+v", err)
	}
}
