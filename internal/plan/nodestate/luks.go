package nodestate

import (
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/secret"
	"holdfast/internal/state"
)

// luks is what a node with a disk is told of the volume's encryption; nil: there is none. A key that can't be decrypted is
// left out: the node says that it waits for it.
func luks(s *state.Snapshot, vd *model.VolumeDefinition, levels ...map[string]string) *model.LUKSSpec {
	if vd.Keys == nil {
		return nil
	}
	spec := &model.LUKSSpec{Gen: vd.Keys.Gen, Typed: vd.Keys.Typed, Discards: props.On("Luks/AllowDiscards", false, levels...)}
	if s.Master() == nil {
		return spec
	}
	for _, text := range vd.Keys.Keys {
		key, err := secret.Decrypt(s.Master(), text)
		if err != nil {
			spec.Keys = nil
			break
		}
		spec.Keys = append(spec.Keys, key)
	}
	return spec
}
