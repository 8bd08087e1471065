package core_test

import (
	"slices"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
)

// said has the node report how its orders went.
func (w *world) said(node string, st ...model.DevicePoolStatus) {
	w.t.Helper()
	f := w.tx.Fork()
	seen := *f.Snapshot().Node(node).Seen
	seen.DevicePools = st
	f.SeeNode(node, &seen)
	if err := plan.After(f, w.env.Rules()); err != nil {
		w.t.Fatal(err)
	}
	w.tx.Join(f)
}

func maker(t *testing.T) *world {
	w := newWorld(t)
	w.node("alpha", model.DRBD9, 4<<20)
	seen := *w.tx.Snapshot().Node("alpha").Seen
	seen.Makes = []model.ProviderKind{model.LVM, model.LVMThin}
	w.tx.SeeNode("alpha", &seen)
	return w
}

func TestDevicePoolCreate(t *testing.T) {
	w := maker(t)
	order := core.DevicePoolCreate{Node: "alpha", Kind: "lvm", Name: "ssd", Devices: []string{"/dev/sdb", "/dev/disk/by-id/x-1"}, Pool: "fast", Props: map[string]string{"Aux/a": "b"}}
	r := w.do(order)
	specs := nodestate.DevicePools(w.tx.Snapshot(), "alpha")
	if len(specs) != 1 || specs[0].Group != "ssd" || specs[0].Thin != "" || !slices.Equal(specs[0].Devices, order.Devices) || r.Wait[0].DevicePool != specs[0].ID {
		t.Fatalf("%+v, waits for %+v", specs, r.Wait)
	}
	if w.tx.Snapshot().Node("alpha").Pool("fast") != nil {
		t.Fatal("the pool isn't there before the node says so")
	}
	// Two at once: same disk, same group, same pool.
	w.refused(fault.InUse, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "other", Devices: []string{"/dev/sdb"}})
	w.refused(fault.InUse, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: []string{"/dev/sdc"}})
	w.refused(fault.InUse, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "other", Devices: []string{"/dev/sdc"}, Pool: "FAST"})
	w.said("alpha", model.DevicePoolStatus{ID: "somebody else's", Done: true})
	if len(nodestate.DevicePools(w.tx.Snapshot(), "alpha")) != 1 {
		t.Fatal("that was another order")
	}
	w.said("alpha", model.DevicePoolStatus{ID: specs[0].ID, Done: true})
	n := w.tx.Snapshot().Node("alpha")
	if p := n.Pool("fast"); len(n.DevicePools) != 0 || p == nil || p.Kind != model.LVM || p.Backing() != "ssd" || p.Props["Aux/a"] != "b" {
		t.Fatalf("%+v", n.Node)
	}
	if _, ok := w.tx.Snapshot().Controller().PoolDefs["fast"]; !ok {
		t.Fatal("its definition is missing")
	}
	w.said("alpha", model.DevicePoolStatus{ID: specs[0].ID, Done: true}) // said again
	if len(w.tx.Snapshot().Node("alpha").Pools) != len(n.Pools) {
		t.Fatal("registered twice")
	}
}

func TestDevicePoolFails(t *testing.T) {
	w := maker(t)
	w.do(core.DevicePoolCreate{Node: "alpha", Kind: "LVM_THIN", Name: "thin", Devices: []string{"/dev/sdb"}})
	spec := nodestate.DevicePools(w.tx.Snapshot(), "alpha")[0]
	if spec.Group != "linstor_thin" || spec.Thin != "thin" {
		t.Fatalf("%+v", spec)
	}
	w.refused(fault.InUse, core.NodeDelete{Name: "alpha"})
	w.said("alpha", model.DevicePoolStatus{ID: spec.ID, Reason: "/dev/sdb isn't empty"})
	if n := w.tx.Snapshot().Node("alpha"); len(n.DevicePools) != 0 || len(n.Pools) != 2 {
		t.Fatalf("the order is taken back: %+v", n.Node)
	}
}

func TestDevicePoolBadInput(t *testing.T) {
	w := maker(t)
	sdb := []string{"/dev/sdb"}
	for _, c := range []struct {
		kind fault.Kind
		cmd  core.DevicePoolCreate
	}{
		{fault.NotFound, core.DevicePoolCreate{Node: "nobody", Kind: "LVM", Name: "ssd", Devices: sdb}},
		{fault.Unsupported, core.DevicePoolCreate{Node: "alpha", Kind: "SPDK", Name: "ssd", Devices: sdb}},
		{fault.Unsupported, core.DevicePoolCreate{Node: "alpha", Kind: "ZFS", Name: "ssd", Devices: sdb}}, // it doesn't say that it can
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "", Devices: sdb}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "-f", Devices: sdb}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "a b", Devices: sdb}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "mirror0", Devices: sdb}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd"}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: []string{"/dev/sdb", "/dev/sdb"}}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: []string{"--force"}}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: []string{"/etc/passwd"}}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: []string{"/dev/../etc/passwd"}}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: []string{"/dev/sdb;reboot"}}},
		{fault.Exists, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: sdb, Pool: "swpool"}},
		{fault.Exists, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "sw_ssd", Devices: sdb, Pool: "other"}},
		{fault.Invalid, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: sdb, Pool: "no name"}},
	} {
		w.refused(c.kind, c.cmd)
	}
	seen := *w.tx.Snapshot().Node("alpha").Seen
	seen.Status = model.StatusOffline
	w.tx.SeeNode("alpha", &seen)
	w.refused(fault.NotConnected, core.DevicePoolCreate{Node: "alpha", Kind: "LVM", Name: "ssd", Devices: sdb})
}
