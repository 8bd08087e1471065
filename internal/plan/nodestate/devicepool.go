package nodestate

import (
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// DevicePools are the orders for pools of empty devices that are under way on the node.
func DevicePools(s *state.Snapshot, node string) []model.DevicePoolSpec {
	n := s.Node(node)
	if n == nil {
		return nil
	}
	var out []model.DevicePoolSpec
	for i := range n.DevicePools {
		p := &n.DevicePools[i]
		spec := model.DevicePoolSpec{ID: p.UUID, Kind: p.Kind, Group: p.Group(), Devices: p.Devices}
		if p.Kind == model.LVMThin {
			spec.Thin = p.Name
		}
		out = append(out, spec)
	}
	return out
}
