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
