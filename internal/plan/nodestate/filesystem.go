package nodestate

import (
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// fileSystem is what the replica's node is told of a file system that the properties ask for; nil: nothing. Before its time it is
// announced, so that nobody hears that the volume is ready.
func fileSystem(s *state.Snapshot, d *state.Definition, r *model.Resource, vd *model.VolumeDefinition) *model.FileSystemSpec {
	if vd.Making == model.MakingDone || vd.Making == model.NoMaking && (vd.Initialised || !plan.Empty(d.ResourceDefinition, vd)) {
		return nil
	}
	if m := plan.Maker(d.ResourceDefinition, vd); m == nil || m.UUID != r.UUID {
		return nil
	}
	if d.HasDRBD() && vd.Making == model.NoMaking && vd.Source != r.UUID {
		return nil
	}
	f := plan.FileSystem(s, d.ResourceDefinition, vd)
	if f != nil {
		f.Now = vd.Making == model.MakingWanted
	}
	return f
}
