package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// A volume in a zpool isn't taken down for a snapshot that isn't its newest.
func TestRollbackToTheNewest(t *testing.T) {
	for _, kind := range []model.ProviderKind{model.LVMThin, model.ZFS, model.ZFSThin} {
		w := tutorial(t, model.DRBD8)
		d := w.def("backups").ResourceDefinition.Clone()
		copies := func(name string) (out []model.SnapshotCopy) {
			for i := range d.Resources {
				r := &d.Resources[i]
				out = append(out, model.SnapshotCopy{UUID: model.UUID(name + r.Node), Node: r.Node, Replica: r.UUID,
					Volumes: []model.CopyVolume{{Pool: "swpool", Of: r.Volumes[0].UUID}}})
			}
			return out
		}
		size := []model.SnapshotVolume{{SizeKiB: d.Volumes[0].SizeKiB, BackingKiB: d.Backing(&d.Volumes[0])}}
		for i, name := range []string{"monday", "tuesday"} {
			d.Snapshots = append(d.Snapshots, model.Snapshot{UUID: model.UUID(name), Name: name, CreatedMS: int64(i), State: model.SnapshotSuccessful,
				Volumes: size, Copies: copies(name)})
		}
		for _, node := range []string{"alpha", "bravo"} {
			n := w.tx.Snapshot().Node(node).Node.Clone()
			n.Pool("swpool").Kind = kind
			w.tx.PutNode(n)
			seen := *w.tx.Snapshot().Node(node).Seen
			seen.Snapshots = []model.ProviderKind{kind}
			w.tx.SeeNode(node, &seen)
		}
		if err := w.tx.PutDefinition(d); err != nil {
			t.Fatal(err)
		}
		_, err := w.try(core.SnapshotRollback{Definition: "backups", Name: "monday"})
		switch {
		case kind == model.LVMThin && err != nil:
			t.Errorf("%s: %v", kind, fault.Of(err).Details)
		case kind != model.LVMThin && (!fault.Is(err, fault.InUse) || !strings.Contains(fault.Of(err).Cause, "'tuesday' is newer")):
			t.Errorf("%s: %v", kind, err)
		case kind != model.LVMThin:
			w.do(core.SnapshotRollback{Definition: "backups", Name: "tuesday"})
		}
	}
}

// A disk in a zpool of which there is a snapshot can't go, so nothing begins by which it would have to.
func TestSnapshotKeepsDisk(t *testing.T) {
	w := threeWithClient(t)
	w.node("delta", model.DRBD9, 4<<20)
	d := w.def("backups").ResourceDefinition.Clone()
	r := d.On("alpha")
	d.Snapshots = []model.Snapshot{{UUID: "s", Name: "monday", State: model.SnapshotSuccessful,
		Copies: []model.SnapshotCopy{{UUID: "c", Node: "alpha", Replica: r.UUID, Volumes: []model.CopyVolume{{Pool: "swpool", Of: r.Volumes[0].UUID}}}}}}
	if err := w.tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	kind := func(k model.ProviderKind) {
		n := w.tx.Snapshot().Node("alpha").Node.Clone()
		n.Pool("swpool").Kind = k
		w.tx.PutNode(n)
	}
	kind(model.ZFS)
	for _, c := range []core.Command{
		core.ToggleDisk{Definition: "backups", Node: "alpha", Diskless: true},
		core.ToggleDisk{Definition: "backups", Node: "delta", From: "alpha"},
		core.ResourceDelete{Definition: "backups", Node: "alpha"},
	} {
		if w.refused(fault.InUse, c); w.replica("backups", "alpha").Toggle != model.NoToggle || w.def("backups").On("delta") != nil {
			t.Errorf("%+v: refused, and something changed", c)
		}
	}
	out := w.do(core.NodeEvacuate{Name: "alpha"})
	if len(out.Notes) < 2 || !strings.Contains(out.Notes[1].Cause, "monday") || w.replica("backups", "alpha").Successor != "" {
		t.Errorf("evacuate: %+v", out.Notes)
	}
	kind(model.LVMThin)
	if w.do(core.Tend{}); w.replica("backups", "alpha").Successor == "" {
		t.Error("of other kinds a snapshot stays behind")
	}
	// One that is on its way off isn't kept there by a new snapshot.
	kind(model.ZFS)
	for _, n := range []string{"alpha", "bravo"} {
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Snapshots = []model.ProviderKind{model.LVM, model.ZFS}
		w.tx.SeeNode(n, &seen)
	}
	w.refused(fault.InUse, core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "tuesday", Nodes: []string{"alpha"}}}})
}

func (w *world) rolls(rb *model.Rollback) {
	w.t.Helper()
	d := w.def("backups").ResourceDefinition.Clone()
	d.Rollback = rb
	if err := w.tx.PutDefinition(d); err != nil {
		w.t.Fatal(err)
	}
}

// While a resource goes back to a snapshot none of its disks is taken away, by hand or by a move: it would have no part in it. One
// whose data are given up by name may go.
func TestRollbackKeepsItsReplicas(t *testing.T) {
	w := tutorial(t, model.DRBD8)
	w.node("delta", model.DRBD8, 4<<20)
	w.rolls(&model.Rollback{ID: "rb", Snapshot: "s", State: model.RollbackRolling, Keeps: w.def("backups").On("alpha").UUID})
	for _, c := range []core.Command{
		core.ResourceDelete{Definition: "backups", Node: "bravo"},
		core.ToggleDisk{Definition: "backups", Node: "delta", From: "bravo"},
	} {
		if _, err := w.try(c); !fault.Is(err, fault.InUse) || !strings.Contains(fault.Of(err).Cause, "rolled back") {
			t.Errorf("%T: %v", c, err)
		}
	}
	w.do(core.ResourceDelete{Definition: "backups", Node: "bravo", Lose: []string{"backups"}})
	if !w.def("backups").On("bravo").Deleting {
		t.Error("bravo stays")
	}
}
