package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

// MarshalState gives what a node is told in the wire's form, as JSON: a satellite keeps the controller's word as it came,
// so that the rules for versions that differ hold for its file too.
func MarshalState(s model.NodeState) ([]byte, error) {
	b, err := protojson.Marshal(desiredOut(Desired{Full: true, Pools: s.Pools, DevicePools: s.DevicePools, Resources: s.Resources}))
	if err != nil {
		return nil, fmt.Errorf("encode node state: %w", err)
	}
	return b, nil
}

// UnmarshalState reads it. What this release doesn't know is passed over.
func UnmarshalState(b []byte) (model.NodeState, error) {
	var p pb.Desired
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &p); err != nil {
		return model.NodeState{}, fmt.Errorf("decode node state: %w", err)
	}
	d := desiredIn(&p)
	return model.NodeState{Pools: d.Pools, DevicePools: d.DevicePools, Resources: d.Resources}, nil
}
