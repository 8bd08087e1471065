package plan

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// A volume grows in this order, each part by what the nodes report in their current sessions:
//
//	size changed -> every replica's backing device grows -> one node lets DRBD take that over -> grown
//
// A node that is away, or a replica that isn't good, holds all of it back: nobody's device grows before. But see GrowsAlone.

// grown ends the growth of volumes whose every diskful replica offers the new size.
func grown(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Volumes {
		vd := &c.Volumes[i]
		if vd.GrowsFromKiB == 0 || slices.ContainsFunc(c.Resources, func(r model.Resource) bool {
			v := r.Volume(vd.Number)
			return growing(&r, v) && !offers(c, vd, status(d, &r, v))
		}) {
			continue
		}
		vd.GrowsFromKiB, moved = 0, true
	}
	return moved
}

// GrowthWaits names the node that is away and has a replica that is to grow, without which nobody finishes; "" for none.
func GrowthWaits(s *state.Snapshot, d *state.Definition) string {
	for i := range d.Volumes {
		vd := &d.Volumes[i]
		for j := range d.Resources {
			r := &d.Resources[j]
			v := r.Volume(vd.Number)
			if vd.GrowsFromKiB == 0 || !growing(r, v) || offers(d.ResourceDefinition, vd, status(d, r, v)) {
				continue
			}
			if n := s.Node(r.Node); n == nil || !n.Online() {
				return fmt.Sprintf("volume %d grows: node '%s' isn't online, and all replicas grow together", vd.Number, r.Node)
			}
		}
	}
	return ""
}

// GrowthHeld: on 8.4, where two replicas don't see a third, nothing grows before one that is being removed is gone: too small
// for the others by then, it could never meet them again, and its guard asks them.
func GrowthHeld(d *state.Definition, vd *model.VolumeDefinition) bool {
	return d.DRBD == model.DRBD8 && slices.ContainsFunc(d.Resources, func(r model.Resource) bool {
		v := r.Volume(vd.Number)
		return r.Deleting && !r.Diskless && v != nil && v.Initialised
	})
}

// GrowsAlone: others have grown without this one and refuse it as too small: its backing device grows without a connection. On
// 8.4, where two replicas don't see a third, it had made room (its node was evicted). On 9 it is one that never met them, made
// before they grew: those wait only for peers that they have seen with a disk (MDF_PEER_DEVICE_SEEN in the source of 9.2.18).
func GrowsAlone(d *state.Definition, vd *model.VolumeDefinition, r *model.Resource) bool {
	v := r.Volume(vd.Number)
	if !d.HasDRBD() || !growing(r, v) && !(r.Deleting && d.DRBD == model.DRBD9 && v != nil && !v.Deleting) || vd.GrowsFromKiB == 0 && !r.Deleting {
		return false
	}
	own := status(d, r, v)
	if own == nil || own.UsableKiB == 0 || d.DRBD == model.DRBD9 && own.Disk != model.DiskInconsistent {
		return false
	}
	return slices.ContainsFunc(d.Resources, func(o model.Resource) bool {
		ov := o.Volume(vd.Number)
		if o.UUID == r.UUID || !growing(&o, ov) {
			return false
		}
		sv := status(d, &o, ov)
		return sv != nil && sv.Disk == model.DiskUpToDate && sv.UsableKiB > own.UsableKiB
	})
}

// GrowsFirst: it is being removed, and can't meet those who have its data, since they have outgrown it (9). It is ordered away once it
// has grown: its node asks them.
func GrowsFirst(d *state.Definition, r *model.Resource) bool {
	return r.Deleting && !r.Lose && !r.Diskless && !d.Deleting && slices.ContainsFunc(d.Volumes, func(vd model.VolumeDefinition) bool { return GrowsAlone(d, &vd, r) })
}

// growing tells whether the replica counts for its volume's growth.
func growing(r *model.Resource, v *model.Volume) bool {
	return v != nil && !r.Diskless && !r.Deleting && !v.Deleting && r.Toggle != model.Removing
}

// status is what is reported of the volume's incarnation; nil for nothing.
func status(d *state.Definition, r *model.Resource, v *model.Volume) *model.VolumeStatus {
	st := d.Seen[r.UUID]
	if st == nil || v == nil {
		return nil
	}
	if sv := st.Volume(v.Number); sv != nil && sv.ID == v.UUID {
		return sv
	}
	return nil
}

// BackingNow is the size in KiB of a backing device beside the volume's good replicas as they are now.
func BackingNow(d *state.Definition, vd *model.VolumeDefinition) int64 {
	return d.BackingLike(vd, offered(d, vd.Number))
}

// offered is what the volume's good replicas offer now, the most of them, in KiB; 0 if nobody says.
func offered(d *state.Definition, number int) (kib int64) {
	for i := range d.Resources {
		r := &d.Resources[i]
		if v := r.Volume(number); v != nil && !r.Diskless {
			if sv := status(d, r, v); sv != nil && sv.Disk == model.DiskUpToDate {
				kib = max(kib, sv.UsableKiB)
			}
		}
	}
	return kib
}

func offers(c *model.ResourceDefinition, vd *model.VolumeDefinition, sv *model.VolumeStatus) bool {
	if sv == nil {
		return false
	}
	if !c.HasDRBD() {
		return sv.Disk == model.DiskCreated && sv.BackingKiB >= c.Backing(vd)
	}
	switch sv.Disk { // attached, so that its size is known
	case model.DiskUpToDate, model.DiskInconsistent, "Outdated", "Consistent":
		return sv.UsableKiB >= c.GrowTo(vd)
	}
	return false
}

// Resizer is the replica whose node is to let DRBD take over what the backing devices have grown by: of those that offer
// less than all devices have room for, the one in use, else the first. "" while some backing device hasn't grown, isn't known
// to, or isn't good. (8.4 and 9 take the smallest device's size; 8.4 needs a Primary, 9 doesn't. With 9 some may offer it
// already: at a handshake only a node that sees all its peers grows, and a resize from there finds nothing to change, see the
// source of 9.2.18, drbd_new_dev_size and change_cluster_wide_device_size.)
func Resizer(d *state.Definition, vd *model.VolumeDefinition) model.UUID {
	if !d.HasDRBD() {
		return ""
	}
	var least int64
	for i := range d.Resources {
		r := &d.Resources[i]
		v := r.Volume(vd.Number)
		if !growing(r, v) {
			continue
		}
		sv := status(d, r, v)
		if sv == nil || sv.Disk != model.DiskUpToDate {
			return ""
		}
		backing := sv.BackingKiB
		if backing == 0 && sv.UsableKiB >= d.GrowTo(vd) {
			backing = d.Backing(vd) // made so large: its node has nothing to grow
		}
		if backing == 0 {
			return ""
		}
		if least == 0 || backing < least {
			least = backing
		}
	}
	var at model.UUID
	used := false
	for i := range d.Resources {
		r := &d.Resources[i]
		v := r.Volume(vd.Number)
		if !growing(r, v) || status(d, r, v).UsableKiB >= min(d.Usable(least), d.GrowTo(vd)) {
			continue
		}
		if u := d.Seen[r.UUID].InUse; at == "" || u && !used {
			at, used = r.UUID, u
		}
	}
	return at
}
