package core

import (
	"fmt"
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// SnapshotRollback gives a resource that nobody uses the content that it had when the snapshot was taken. What was written
// since is lost; the snapshot stays.
type SnapshotRollback struct{ Definition, Name string }

func (c SnapshotRollback) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, sn, err := sourceSnapshot(tx, c.Definition, c.Name)
	if err != nil {
		return Reply{}, err
	}
	refuse := func(k fault.Kind, do, because string, args ...any) (Reply, error) {
		return Reply{}, fault.New(k, fault.Snapshot, "Resource '%s' can't be rolled back to snapshot '%s'.", d.Name, sn.Name).
			Because(because, args...).Do("%s", do).Ref("RscDfn", d.Name).Ref("Snapshot", sn.Name)
	}
	if d.RollingBack() != nil {
		return refuse(fault.InUse, "Wait until that is done.", "It is being rolled back already.")
	}
	if t := d.Taking(); t != nil {
		return refuse(fault.InUse, "Wait until that is done.", "Snapshot '%s' of it is being taken.", t.Name)
	}
	if len(d.Retired) > 0 {
		return refuse(fault.InUse, "Try again in a moment; bring offline nodes online.", "Replicas that were removed aren't forgotten by their peers yet.")
	}
	n := 0
	for _, vd := range d.Volumes {
		v := sn.Volume(vd.Number)
		if vd.Deleting {
			continue
		}
		n++
		if v == nil {
			return refuse(fault.InUse, "Restore the snapshot to a new resource definition instead.", "It has a volume %d, and the snapshot hasn't.", vd.Number)
		}
		if vd.GrowsFromKiB != 0 || v.SizeKiB != vd.SizeKiB || v.BackingKiB < d.Backing(&vd) {
			return refuse(fault.InUse, "Restore the snapshot to a new resource definition instead.", "Volume %d was resized since.", vd.Number)
		}
	}
	if n != len(sn.Volumes) || n != len(d.Volumes) {
		return refuse(fault.InUse, "Restore the snapshot to a new resource definition instead.", "It hasn't the volumes any more that the snapshot has.")
	}
	full, keeps := 0, model.UUID("")
	for i := range d.Resources {
		r := &d.Resources[i]
		node := tx.Snapshot().Node(r.Node)
		st := d.Seen[r.UUID]
		switch {
		case r.Deleting:
			return refuse(fault.InUse, "Wait until it is gone.", "Its replica on node '%s' is still being removed.", r.Node)
		case node == nil || !node.Online() || st == nil:
			return refuse(fault.NotConnected, "Bring the node online, or remove its replica.", "Node '%s' isn't online: its replica would bring back what was written since.", r.Node)
		case st.InUse:
			_, err := refuse(fault.InUse, "Unmount it there, make it secondary, then try again.", "It is in use on node '%s'.", r.Node)
			return Reply{}, fault.Of(err).MayPass()
		case r.Toggle != model.NoToggle:
			return refuse(fault.InUse, "Wait until that is done.", "Its replica on node '%s' is getting or losing its disk.", r.Node)
		case r.Diskless:
			if d.DRBD == model.DRBD9 && r.CreatedMS >= sn.CreatedMS && slices.Contains(sn.NodeIDs, r.NodeID) {
				return refuse(fault.InUse, "Delete that replica, roll back, then create it again.", "The metadata in the snapshot know the node-id of the replica on node '%s' as another's.", r.Node)
			}
			continue
		}
		if full++; sn.Unheld && keeps == "" {
			keeps = r.UUID
		}
		if sn.Unheld && !node.Seen.Unheld {
			return refuse(fault.Unsupported, "Bring the node's satellite to the controller's release.", "The satellite on node '%s' can't fill what goes back from another node.", r.Node)
		}
		if why := notOf(r, sn); why != "" {
			return refuse(fault.InUse, "Delete that replica, roll back, then create it again.", "The replica on node '%s' isn't what the snapshot was taken of: %s.", r.Node, why)
		}
		for _, v := range r.Volumes {
			if p := node.Pool(v.Pool); p != nil && !slices.Contains(node.Seen.Snapshots, p.Kind) {
				return refuse(fault.Unsupported, "Bring the node's satellite to the controller's release.", "The satellite on node '%s' can't roll back volumes of kind %s.", r.Node, p.Kind)
			}
		}
	}
	if full == 0 {
		return refuse(fault.InUse, "Restore the snapshot to a new resource definition instead.", "It has no replica with a disk any more.")
	}
	if newer := newerInZpool(tx.Snapshot(), d, sn); newer != "" {
		return refuse(fault.InUse, "Delete that snapshot first, or restore this one to a new resource definition instead.",
			"A volume in a zpool goes back to its newest snapshot only, and snapshot '%s' is newer.", newer)
	}
	m := d.ResourceDefinition.Clone()
	for i := range m.Volumes {
		if v := sn.Volume(m.Volumes[i].Number); v != nil {
			m.Volumes[i].Keys = withKeysOf(m.Volumes[i].Keys, v.Keys)
		}
	}
	m.Rollback = &model.Rollback{ID: env.UUID(), Snapshot: sn.UUID, State: model.RollbackStopping, Keeps: keeps}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	note := done(fault.Modify, fault.Snapshot, snapRefs(d.Name, sn.Name), "Resource '%s' is rolled back to snapshot '%s'.", d.Name, sn.Name)
	w := []Wait{{Definition: d.UUID, Rollback: m.Rollback.ID, Op: fault.Modify}}
	return Reply{Notes: []fault.Note{note}, Wait: append(w, waits(tx, d.UUID, fault.Modify)...)}, nil
}

// newerInZpool names a snapshot that is in the way of going back to sn: a newer one of a device in a zpool; "" if there is none.
func newerInZpool(s *state.Snapshot, d *state.Definition, sn *model.Snapshot) string {
	for i := range d.Snapshots {
		o := &d.Snapshots[i]
		if o.UUID == sn.UUID || o.CreatedMS < sn.CreatedMS {
			continue
		}
		for _, k := range o.Copies {
			n := s.Node(k.Node)
			for _, v := range k.Volumes {
				of := sn.On(k.Node)
				if of == nil || of.Volume(v.Number) == nil || of.Volume(v.Number).Of != v.Of || n == nil {
					continue
				}
				if p := n.Pool(v.Pool); p != nil && p.Kind.SnapshotsInside() {
					return o.Name
				}
			}
		}
	}
	return ""
}

// notOf says why the snapshot wasn't taken of that replica's devices; "" if it was.
func notOf(r *model.Resource, sn *model.Snapshot) string {
	k := sn.On(r.Node)
	if k == nil || k.Replica != r.UUID {
		return "there is no copy of this replica in it"
	}
	for _, v := range r.Volumes {
		if x := k.Volume(v.Number); x == nil || x.Of != v.UUID || model.Key(x.Pool) != model.Key(v.Pool) {
			return fmt.Sprintf("volume %d was made anew", v.Number)
		}
	}
	return ""
}

// rolledBack refuses to take a replica away while its resource goes back to a snapshot: with its removal held back it would keep what
// the others lose, or what they are to be filled from would be gone.
func rolledBack(d *state.Definition, r *model.Resource) error {
	if d.RollingBack() == nil {
		return nil
	}
	return fault.New(fault.InUse, fault.Resource, "Resource '%s' can't leave node '%s' now.", d.Name, r.Node).
		Because("It is being rolled back to a snapshot.").
		Do("Wait until that is done, with all its nodes online. `node lost %s` gives a node up that doesn't come back.", r.Node).Ref("RscDfn", d.Name).Ref("Node", r.Node)
}
