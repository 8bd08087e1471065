package core

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// sourceSnapshot finds a snapshot to take data from: it must be Successful.
func sourceSnapshot(tx *state.Tx, def, name string) (*state.Definition, *model.Snapshot, error) {
	d, err := findDefinition(tx, def)
	if err != nil {
		return nil, nil, err
	}
	sn, err := findSnapshot(d, name)
	if err != nil {
		return nil, nil, err
	}
	if sn.For != "" { // it may go at any moment
		return nil, nil, fault.New(fault.InUse, fault.Snapshot, "Snapshot '%s' of '%s' can't be used.", sn.Name, d.Name).
			Because("It was taken for a clone, and goes when that is complete.").Do("Take one of your own.").Ref("RscDfn", d.Name).Ref("Snapshot", sn.Name)
	}
	if sn.State != model.SnapshotSuccessful {
		why := "It isn't finished yet."
		if sn.State == model.SnapshotFailed {
			why = "It failed: " + sn.Reason + "."
		}
		return nil, nil, fault.New(fault.InUse, fault.Snapshot, "Snapshot '%s' of '%s' can't be used.", sn.Name, d.Name).
			Because("%s", why).Do("Use one whose state is Successful.").Ref("RscDfn", d.Name).Ref("Snapshot", sn.Name)
	}
	return d, sn, nil
}

// SnapshotRestoreVolumes gives another definition the volume definitions that a snapshot was taken of.
type SnapshotRestoreVolumes struct {
	Definition, Name string
	To               string
}

func (c SnapshotRestoreVolumes) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, sn, to, err := restoreInto(tx, c.Definition, c.Name, c.To)
	if err != nil {
		return Reply{}, err
	}
	for _, v := range sn.Volumes {
		n := v.Number
		if _, err := (VolumeCreate{Definition: to.Name, Number: &n, SizeKiB: v.SizeKiB, Gross: v.Gross, Props: v.Props, Keys: v.Keys}).Apply(tx, env); err != nil {
			return Reply{}, err
		}
	}
	return Reply{Notes: []fault.Note{done(fault.Create, fault.VolumeDefinition, map[string]string{"RscDfn": to.Name, "Snapshot": sn.Name},
		"Volume definitions of resource definition '%s' restored from snapshot '%s' of '%s'.", to.Name, sn.Name, d.Name)}}, nil
}

// restoreInto gives a snapshot that can be restored, with its definition, and the definition to restore it to, which has no
// resources yet.
func restoreInto(tx *state.Tx, definition, name, target string) (d *state.Definition, sn *model.Snapshot, to *state.Definition, err error) {
	if d, sn, err = sourceSnapshot(tx, definition, name); err != nil {
		return nil, nil, nil, err
	}
	if to, err = findDefinition(tx, target); err != nil {
		return nil, nil, nil, err
	}
	if len(to.Resources) > 0 || to.Cloning.Unmade() {
		return nil, nil, nil, fault.New(fault.Exists, fault.Resource, "A snapshot can't be restored to '%s'.", to.Name).
			Because("It has resources already.").Do("Restore to a new resource definition.").Ref("RscDfn", to.Name)
	}
	return d, sn, to, nil
}

// SnapshotRestoreResources makes the first replicas of another definition out of a snapshot, on nodes that have it. It has
// the snapshot's volumes, none of them smaller.
type SnapshotRestoreResources struct {
	Definition, Name string
	To               string
	Nodes            []string          // nil: all that have the snapshot
	Pools            map[string]string // pool of the snapshot: pool to restore into
}

func (c SnapshotRestoreResources) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, sn, to, err := restoreInto(tx, c.Definition, c.Name, c.To)
	if err != nil {
		return Reply{}, err
	}
	if err := sameVolumes(to.ResourceDefinition, sn); err != nil {
		return Reply{}, err
	}
	var copies []*model.SnapshotCopy
	if c.Nodes == nil {
		for i := range sn.Copies {
			if !sn.Copies[i].Deleting {
				copies = append(copies, &sn.Copies[i])
			}
		}
	}
	for _, n := range c.Nodes {
		k := sn.On(n)
		if k == nil {
			return Reply{}, fault.New(fault.NotFound, fault.Snapshot, "Snapshot '%s' of '%s' is not on node '%s'.", sn.Name, d.Name, n).
				Because("It is on: %s.", strings.Join(copyNodes(sn), ", ")).Do("Restore it there; then place more replicas.").Ref("Snapshot", sn.Name).Ref("Node", n)
		}
		if !slices.Contains(copies, k) {
			copies = append(copies, k)
		}
	}
	if !to.HasDRBD() && len(copies) > 1 {
		copies = copies[:1] // nothing would keep more equal
	}
	m := to.ResourceDefinition.Clone()
	m.NoSmaller(sn)
	var notes []fault.Note
	for _, k := range copies {
		for _, v := range k.Volumes {
			if p := c.Pools[v.Pool]; p != "" && model.Key(p) != model.Key(v.Pool) {
				return Reply{}, fault.New(fault.Unsupported, fault.StoragePool, "Snapshot '%s' of '%s' can't be restored into storage pool '%s'.", sn.Name, d.Name, p).In("stor_pool_rename").
					Because("On node '%s' it is in pool '%s', and a pool makes volumes out of its own snapshots only.", k.Node, v.Pool).Do("Leave the pool as it is.")
			}
		}
		n, err := addReplica(tx, env, to, m, fromCopy(d, sn, k))
		if err != nil {
			return Reply{}, err
		}
		notes = append(notes, n...)
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	head := done(fault.Create, fault.Resource, map[string]string{"RscDfn": to.Name, "Snapshot": sn.Name},
		"Snapshot '%s' of '%s' is restored to resource '%s'.", sn.Name, d.Name, to.Name)
	return Reply{Notes: append([]fault.Note{head}, notes...), Wait: waits(tx, to.UUID, fault.Create)}, nil
}

// sameVolumes checks that the definition has the snapshot's volumes and no others.
func sameVolumes(to *model.ResourceDefinition, sn *model.Snapshot) error {
	why := ""
	for _, v := range sn.Volumes {
		switch vd := to.Volume(v.Number); {
		case vd == nil || vd.Deleting:
			why = fmt.Sprintf("It has no volume %d.", v.Number)
		case (vd.Keys == nil) != (v.Keys == nil):
			why = fmt.Sprintf("Of volume %d, one is encrypted and the other isn't.", v.Number)
		case vd.Keys != nil && !slices.EqualFunc(vd.Keys.Keys, v.Keys.Keys, slices.Equal[[]byte]):
			why = fmt.Sprintf("Its volume %d has another key than the snapshot.", v.Number)
		case vd.SizeKiB < v.SizeKiB:
			why = fmt.Sprintf("Its volume %d has %d KiB, the snapshot's %d KiB.", v.Number, vd.SizeKiB, v.SizeKiB)
		}
	}
	for _, vd := range to.Volumes {
		if sn.Volume(vd.Number) == nil {
			why = fmt.Sprintf("The snapshot has no volume %d.", vd.Number)
		}
	}
	if why == "" {
		return nil
	}
	return fault.New(fault.Invalid, fault.ResourceDefinition, "Snapshot '%s' doesn't fit resource definition '%s'.", sn.Name, to.Name).In("to_resource").
		Because("%s", why).Do("Restore the volume definitions first: `snapshot volume-definition restore`.").Ref("RscDfn", to.Name)
}
