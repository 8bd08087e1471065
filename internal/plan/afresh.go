package plan

import "holdfast/internal/model"

// afresh lets a volume begin anew once nobody has it any more: its last copy was given up (`--lose`) or deleted by command, and the
// definition stayed. The next replica is the first one again: without that its first sync would have no source for ever.
func afresh(c *model.ResourceDefinition) (moved bool) {
	if c.Deleting || c.Cloning != nil || c.Rollback != nil {
		return false
	}
	for i := range c.Volumes {
		vd := &c.Volumes[i]
		if !vd.Initialised || vd.Deleting || deployed(c, vd.Number) {
			continue
		}
		vd.Initialised, vd.Source, vd.SkipSync, vd.Making = false, "", false, model.NoMaking
		moved = true
	}
	return moved
}
