package nodestate

import (
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Generations of a copy's spec: it changes with its own state only, however often its definition does.
const (
	genTake = 1 + iota
	genKeep
	genGone
)

// rollback is the replica's part of it.
func rollback(d *state.Definition, rb *model.Rollback, r *model.Resource) *model.RollbackSpec {
	spec := &model.RollbackSpec{ID: rb.ID, Go: rb.State == model.RollbackRolling}
	sn := d.SnapshotByID(rb.Snapshot)
	if sn == nil || r.Diskless {
		return spec
	}
	if k := sn.On(r.Node); k != nil && k.Replica == r.UUID {
		spec.Copies = copySpecs(d, sn, k)
		spec.Fill, spec.Anew = rb.Keeps != "", rb.Keeps != "" && rb.Keeps != r.UUID
	}
	return spec
}

func copySpecs(d *state.Definition, sn *model.Snapshot, k *model.SnapshotCopy) (out []model.CopySpec) {
	for _, v := range k.Volumes {
		device := model.BackingName(d.Name, v.Number)
		out = append(out, model.CopySpec{ID: v.UUID, Number: v.Number, Pool: v.Pool, Name: model.SnapshotName(device, sn.Name), Of: v.Of, Device: device, RoomKiB: v.RoomKiB})
	}
	return out
}

// copies of the definition's snapshots on the node. One that isn't to be taken yet isn't spoken of.
func copies(d *state.Definition, node string) (out []model.ResourceSpec) {
	for i := range d.Snapshots {
		sn := &d.Snapshots[i]
		for _, k := range sn.Copies {
			if model.Key(k.Node) != model.Key(node) || sn.State == model.SnapshotSuspending && !k.Deleting {
				continue
			}
			spec := model.ResourceSpec{Definition: d.UUID, Name: d.Name, ID: k.UUID, Generation: genKeep, Snapshot: &model.SnapshotSpec{}}
			switch {
			case k.Deleting:
				spec.Want, spec.Generation = model.Gone, genGone
			case sn.State == model.SnapshotCopying:
				spec.Snapshot.Take, spec.Generation = true, genTake
			}
			spec.Snapshot.Copies = copySpecs(d, sn, &k)
			out = append(out, spec)
		}
	}
	return out
}
