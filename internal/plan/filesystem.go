package plan

import (
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// making moves the file systems on that properties ask for; see model.Making. With DRBD it is wanted in the same commit in which
// the volume's first copy becomes good, without DRBD as soon as there is a replica, of which nobody is told before it is made.
func making(s *state.Snapshot, d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Volumes {
		vd := &c.Volumes[i]
		was := vd.Making
		asked := func() bool { return FileSystem(s, c, vd) != nil }
		switch vd.Making {
		case model.NoMaking:
			begun := c.HasDRBD() && vd.Initialised && vd.Source != ""
			if old := d.Volume(vd.Number); c.HasDRBD() && (old == nil || old.Initialised) {
				begun = false
			} else if !c.HasDRBD() {
				begun = !vd.Initialised && deployed(c, vd.Number)
			}
			// What a volume was made from is forgotten in the commit in which its first copy is good.
			if begun && Empty(c, vd) && Empty(d.ResourceDefinition, vd) && asked() {
				vd.Making = model.MakingWanted
			}
		case model.MakingWanted:
			switch {
			case slices.ContainsFunc(c.Resources, func(r model.Resource) bool {
				v := r.Volume(vd.Number)
				if v == nil {
					return false
				}
				sv := status(d, &r, v)
				return sv != nil && sv.FileSystem
			}):
				vd.Making = model.MakingDone
			case !asked():
				vd.Making = model.NoMaking
			}
		}
		moved = moved || vd.Making != was
	}
	return moved
}

// Empty tells whether the volume, by what c knows, is one that was made with nothing in it: not from a snapshot, not a clone.
func Empty(c *model.ResourceDefinition, vd *model.VolumeDefinition) bool {
	return c.Cloning == nil && c.Rollback == nil && !vd.Deleting && !restored(c, vd.Number)
}

// FileSystem that the properties ask for on the volume; nil: none. Those of the replica where its first copy is count too.
func FileSystem(s *state.Snapshot, c *model.ResourceDefinition, vd *model.VolumeDefinition) *model.FileSystemSpec {
	levels := []map[string]string{vd.Props, c.Props}
	if g := s.Group(c.Group); g != nil {
		levels = append(levels, g.Props)
	}
	if i := Maker(c, vd); i != nil {
		levels = slices.Insert(levels, 0, i.Props)
	}
	return props.FileSystem(levels...)
}

// Maker is the replica whose node makes the file system: the one of the first copy, else the oldest with a disk; nil: none.
func Maker(c *model.ResourceDefinition, vd *model.VolumeDefinition) *model.Resource {
	var first *model.Resource
	for i := range c.Resources {
		r := &c.Resources[i]
		if v := r.Volume(vd.Number); v == nil || v.Deleting || !r.Diskful() {
			continue
		}
		if r.UUID == vd.Source {
			return r
		}
		if first == nil || r.CreatedMS < first.CreatedMS {
			first = r
		}
	}
	return first
}
