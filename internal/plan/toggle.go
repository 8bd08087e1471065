package plan

import (
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// MayDropDisk is the guard for a replica that stays and loses its disk: another one must be proven good in any case.
func MayDropDisk(s *state.Snapshot, d *state.Definition, r *model.Resource) Removal {
	for _, v := range r.Volumes {
		if vd := d.Volume(v.Number); v.From != nil && r.Toggle != model.Removing && vd != nil && !vd.Initialised && !vd.Deleting {
			return Removal{Reason: "it is being made of a snapshot, and no other replica has its data yet"}
		}
	}
	o := *r
	o.Lose, o.Successor = false, ""
	m := MayRemove(s, d, &o)
	if m.LastUnused {
		return Removal{Reason: "it is the last replica with a disk"}
	}
	return m
}

// toggles moves on the replicas that get or lose a disk.
func toggles(s *state.Snapshot, env Env, d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	if c.Deleting {
		return false
	}
	for i := range c.Resources {
		r := &c.Resources[i]
		if r.Deleting || r.Toggle == model.NoToggle {
			continue
		}
		st := d.Seen[r.UUID]
		switch r.Toggle {
		case model.AddRequested:
			if allMade(r) {
				r.Toggle, moved = model.Adding, true
			}
		case model.Adding:
			if UpToDate(d, r) {
				r.Toggle, moved = model.NoToggle, true
			}
		case model.RemoveRequested:
			if MayDropDisk(s, d, r).OK {
				r.Toggle, moved = model.Removing, true
			}
		case model.Removing:
			if st != nil && allDropped(r, st) {
				withoutDisk(env, r)
				moved = true
			}
		}
	}
	return moved
}

// allMade tells whether the metadata of all volumes are made and noted.
func allMade(r *model.Resource) bool {
	for _, v := range r.Volumes {
		if !v.Deleting && !v.Initialised {
			return false
		}
	}
	return true
}

// UpToDate tells whether each volume of the replica is reported good in the current session of its node. One without a
// volume has nothing that could be bad.
func UpToDate(d *state.Definition, r *model.Resource) bool {
	st := d.Seen[r.UUID]
	if st == nil || r.Diskless {
		return false
	}
	for i := range r.Volumes {
		v := &r.Volumes[i]
		if v.Deleting {
			continue
		}
		seen := st.Volume(v.Number)
		if seen == nil || seen.ID != v.UUID || seen.Disk != model.DiskUpToDate && seen.Disk != model.DiskCreated {
			return false
		}
	}
	return true
}

// allDropped tells whether the node confirms that no device of these incarnations is left.
func allDropped(r *model.Resource, st *model.ResourceStatus) bool {
	for i := range r.Volumes {
		v := &r.Volumes[i]
		seen := st.Volume(v.Number)
		if v.Deleting || seen == nil || seen.ID != v.UUID || !seen.NoDisk {
			return false
		}
	}
	return true
}

// withoutDisk makes the replica a diskless one. Its volumes are new incarnations: a late report speaks of the old.
func withoutDisk(env Env, r *model.Resource) {
	r.Diskless, r.Toggle, r.First = true, model.NoToggle, false
	for i := range r.Volumes {
		v := &r.Volumes[i]
		v.UUID, v.Pool, v.Initialised, v.Filled = env.UUID(), "", false, false
	}
}

// sourceStays tells whether the named source of a first sync may still become one. A disk that is gone for good can't.
func sourceStays(c *model.ResourceDefinition, id model.UUID) bool {
	r := c.Replica(id)
	return r != nil && !r.Diskless
}
