package rest

import (
	"holdfast/internal/core"
	"holdfast/internal/fault"
)

// planned makes a command that moves or removes data into one that only says what it would do.
func (c *call) planned() (core.Command, error) {
	cmd, err := c.route.change(c)
	if err != nil {
		return nil, err
	}
	switch cmd.(type) {
	case core.ResourceDelete, core.ResourceDeleteAll, core.ToggleDisk, core.ResourceActivate, core.UnmakeAvailable, core.DefinitionDelete, core.VolumeDelete,
		core.NodeEvacuate, core.NodeEvict, core.NodeLost, core.NodeRestore,
		core.NodeDelete, core.PoolDelete, core.SnapshotDelete, core.SnapshotRollback:
		return core.Planned{Command: cmd}, nil
	}
	return nil, fault.New(fault.Unsupported, c.route.obj, "The plan of this change can't be shown.").
		Because("Plans are made for what moves or removes data.").Do("Leave 'plan' away: then the change is made.")
}
