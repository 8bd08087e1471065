package rest

import (
	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// passphrase tells whether one is set, and was entered since the controller started.
func passphrase(c *call) error {
	status := "unlocked"
	switch {
	case c.snap.Controller().Master == nil:
		status = "unset"
	case c.snap.Master() == nil:
		status = "locked"
	}
	return c.json(api.PassphraseStatus{Status: status})
}

func createPassphrase(c *call) (core.Command, error) {
	var in api.PassphraseCreate
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.PassphraseCreate{New: model.Secret(in.NewPassphrase)}, nil
}

// enterPassphrase takes a bare JSON string (linstor-clients 2.1, rule 5).
func enterPassphrase(c *call) (core.Command, error) {
	var in string
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.PassphraseEnter{Passphrase: model.Secret(in)}, nil
}

func changePassphrase(c *call) (core.Command, error) {
	var in api.PassphraseCreate
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.PassphraseChange{Old: model.Secret(in.OldPassphrase), New: model.Secret(in.NewPassphrase)}, nil
}

func changeVolumePassphrase(c *call) (core.Command, error) {
	var in api.VolumeDefinitionModifyPassphrase
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	n, err := c.number("vlmnr", fault.VolumeDefinition)
	if err != nil {
		return nil, err
	}
	return core.VolumePassphrase{Definition: c.param("rsc"), Number: n, New: model.Secret(in.NewPassphrase)}, nil
}

// luksVolume is the encryption's part of a volume.
func luksVolume(v *model.Volume, seen *model.VolumeStatus) api.LUKSVolume {
	out := api.LUKSVolume{LayerVolume: api.LayerVolume{VolumeNumber: v.Number}}
	if seen == nil {
		return out
	}
	out.BackingDevice, out.AllocatedSizeKib, out.UsableSizeKib, out.DiskState = seen.Backing, seen.AllocKiB, seen.UsableKiB, seen.Disk
	if l := seen.LUKS; l != nil {
		if out.Opened = l.Open; l.Open {
			out.DevicePath = model.MappingPath(v.UUID)
		}
		if l.WrongKey {
			out.CorruptedKey = &l.WrongKey
		}
	}
	return out
}
