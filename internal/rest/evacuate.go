package rest

import (
	"encoding/json"
	"fmt"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

func evacuateNode(c *call) (core.Command, error) {
	var in api.NodeEvacuate
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	return core.NodeEvacuate{Name: c.param("node"), To: in.Target, Not: in.DoNotTarget}, nil
}

func evictNode(c *call) (core.Command, error) { return core.NodeEvict{Name: c.param("node")}, nil }

func restoreNode(c *call) (core.Command, error) {
	var in api.NodeRestore
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	if in.DeleteSnapshots.Value(false) {
		return nil, fault.New(fault.Unsupported, fault.Node, "The snapshots of node '%s' can't be deleted here.", c.param("node")).In("delete_snapshots").
			Because("This release of Holdfast deletes snapshots by name only.").Do("Leave it away, and delete them with `snapshot delete`.")
	}
	return core.NodeRestore{Name: c.param("node"), DeleteResources: in.DeleteResources.Value(false)}, nil
}

func nodeFlags(n *state.Node) (f []string) {
	if n.Deleting {
		f = append(f, api.FlagDelete)
	}
	if n.Evicted {
		f = append(f, api.FlagEvicted)
	}
	if n.Evacuate {
		f = append(f, api.FlagEvacuate)
	}
	return f
}

// nodeMoveFlags are those that a replica has from its node.
func nodeMoveFlags(n *state.Node, r *model.Resource) (f []string) {
	if r.Inactive || n != nil && n.Evicted {
		f = append(f, api.FlagInactive)
	}
	if n != nil && n.Evicted {
		f = append(f, api.FlagEvicted)
	}
	if n != nil && n.Evacuate {
		f = append(f, api.FlagEvacuate)
	}
	return f
}

// nodeNow is the node as JSON. When it will be evicted hangs on more than the node: it isn't kept.
func nodeNow(s *state.Snapshot, n *state.Node) ([]byte, error) {
	at := core.EvictionMS(s, n)
	if at == 0 {
		m, err := nodeBytes(n)
		if err != nil {
			return nil, err
		}
		return m.node, nil
	}
	v := nodeView(n)
	v.EvictionTimestamp = at
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode node %s: %w", n.Name, err)
	}
	return b, nil
}
