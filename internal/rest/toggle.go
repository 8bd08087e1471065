package rest

import (
	"strings"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// toggleDisk takes the operation from the body.
func toggleDisk(c *call) (core.Command, error) {
	var in api.ToggleDiskRequest
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	cmd := core.ToggleDisk{Definition: c.param("rsc"), Node: c.param("node"), Pool: in.StoragePool, From: in.MigrateFrom}
	switch in.Operation {
	case api.IntoDrbdDiskful, "":
	case api.IntoDrbdDiskless, api.IntoDrbdClient:
		cmd.Diskless = true
		if in.MigrateFrom != "" {
			return nil, fault.New(fault.Invalid, fault.Resource, "A resource can't become diskless and take a disk over at once.").In("migrate_from").
				Because("The operation is %s.", in.Operation).Do("Leave migrate_from away, or ask for %s.", api.IntoDrbdDiskful)
		}
	default:
		return nil, fault.New(fault.Invalid, fault.Resource, "The operation '%s' is not valid.", in.Operation).In("operation").
			Because("It is one of %s.", strings.Join([]string{api.IntoDrbdDiskful, api.IntoDrbdDiskless, api.IntoDrbdClient}, ", ")).Do("Use one of these.")
	}
	return cmd, noLayers(in.LayerList)
}

func noLayers(list []api.LayerType) error {
	if len(list) == 0 {
		return nil
	}
	return fault.New(fault.Unsupported, fault.Resource, "The layers can't be changed here.").In("layer_list").
		Because("All replicas have the definition's.").Do("Leave the layers away.")
}

func toDiskful(c *call) (core.Command, error) {
	var in api.ToggleDiskDiskful
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	return core.ToggleDisk{Definition: c.param("rsc"), Node: c.param("node"), Pool: c.pathPool()}, noLayers(in.LayerList)
}

func toDiskless(c *call) (core.Command, error) {
	return core.ToggleDisk{Definition: c.param("rsc"), Node: c.param("node"), Diskless: true}, nil
}

func migrateDisk(c *call) (core.Command, error) {
	var in api.ToggleDiskDiskful
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	return core.ToggleDisk{Definition: c.param("rsc"), Node: c.param("node"), From: c.param("from"), Pool: c.pathPool()}, noLayers(in.LayerList)
}

func activate(c *call) (core.Command, error) {
	return core.ResourceActivate{Definition: c.param("rsc"), Node: c.param("node")}, nil
}

func deactivate(c *call) (core.Command, error) {
	return core.ResourceActivate{Definition: c.param("rsc"), Node: c.param("node"), Inactive: true}, nil
}

func deleteReplicas(c *call) (core.Command, error) {
	return core.ResourceDeleteAll{Definition: c.param("rsc")}, nil
}

func unmakeAvailable(c *call) (core.Command, error) {
	return core.UnmakeAvailable{Definition: c.param("rsc"), Node: c.param("node")}, nil
}

// toggleFlags are LINSTOR's of a disk on its way. While it isn't attached yet the replica is still diskless.
func toggleFlags(r *model.Resource) (f []string) {
	if r.Toggle == model.AddRequested {
		f = append(f, api.FlagDiskless)
	}
	if r.Toggle != model.NoToggle {
		f = append(f, string(r.Toggle))
	}
	if r.Toggle == model.AddRequested {
		f = append(f, api.FlagDrbdDiskless)
	}
	return f
}

// pathPool is the pool that the path ends with, "" if it doesn't.
func (c *call) pathPool() string {
	if strings.HasSuffix(c.route.pattern, "/{pool}") {
		return c.param("pool")
	}
	return ""
}
