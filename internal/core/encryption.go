package core

import (
	"errors"
	"maps"
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/secret"
	"holdfast/internal/state"
)

// maxPassphrase is cryptsetup's limit for what is typed, in bytes (cryptsetup(8), "passphrase processing").
const maxPassphrase = 512

// PassphraseCreate makes the cluster's master key and seals it with a passphrase. It is unlocked then.
type PassphraseCreate struct{ New model.Secret }

func (c PassphraseCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	m := tx.Snapshot().Controller()
	if m.Master != nil {
		return Reply{}, fault.New(fault.Exists, fault.Controller, "There is a master passphrase already.").In("passphrase").
			Because("It was created before, and volumes may be encrypted under it.").Do("Change it with `encryption modify-passphrase`.")
	}
	if err := checkPassphrase("new_passphrase", c.New); err != nil {
		return Reply{}, err
	}
	master, err := secret.NewMaster(env.Rand)
	if err != nil {
		return Reply{}, cantSeal(err)
	}
	if err := sealMaster(tx, env, c.New, master); err != nil {
		return Reply{}, err
	}
	tx.Unlock(master)
	return Reply{Notes: []fault.Note{done(fault.Create, fault.Controller, nil, "Crypt passphrase created.")}}, nil
}

// PassphraseEnter unlocks the master key until the controller stops.
type PassphraseEnter struct{ Passphrase model.Secret }

func (c PassphraseEnter) Apply(tx *state.Tx, _ Env) (Reply, error) {
	master, err := openMaster(tx.Snapshot(), "passphrase", c.Passphrase)
	if err != nil {
		return Reply{}, err
	}
	if !slices.Equal(tx.Snapshot().Master(), master) {
		tx.Unlock(master)
	}
	n := done(fault.NoOp, fault.Controller, nil, "Passphrase accepted.")
	n.Field = "passphrase"
	return Reply{Notes: []fault.Note{n}}, nil
}

// PassphraseChange seals the same master key with another passphrase. Nothing else is encrypted anew.
type PassphraseChange struct{ Old, New model.Secret }

func (c PassphraseChange) Apply(tx *state.Tx, env Env) (Reply, error) {
	master, err := openMaster(tx.Snapshot(), "old_passphrase", c.Old)
	if err != nil {
		return Reply{}, err
	}
	if err := checkPassphrase("new_passphrase", c.New); err != nil {
		return Reply{}, err
	}
	if err := sealMaster(tx, env, c.New, master); err != nil {
		return Reply{}, err
	}
	if !slices.Equal(tx.Snapshot().Master(), master) {
		tx.Unlock(master)
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Controller, nil, "Crypt passphrase updated.")}}, nil
}

// VolumePassphrase gives an encrypted volume another key: its nodes change it as soon as they hear of it.
type VolumePassphrase struct {
	Definition string
	Number     int
	New        model.Secret
}

func (c VolumePassphrase) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, vd, err := copyWithVolume(tx, c.Definition, c.Number)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"RscDfn": d.Name, "VlmNr": itoa(c.Number)}
	if vd.Keys == nil {
		return Reply{}, fault.New(fault.Invalid, fault.VolumeDefinition, "Volume %d of '%s' has no passphrase.", c.Number, d.Name).In("passphrase").
			Because("Its layers have no LUKS: it isn't encrypted.").Do("Create a definition with `--layer-list drbd,luks,storage`.").Ref("RscDfn", d.Name)
	}
	if err := checkPassphrase("new_passphrase", c.New); err != nil {
		return Reply{}, err
	}
	if d.Taking() != nil || d.RollingBack() != nil {
		return Reply{}, fault.New(fault.InUse, fault.VolumeDefinition, "The passphrase of volume %d of '%s' can't be changed now.", c.Number, d.Name).
			Because("A snapshot of it is being taken, or it is being rolled back to one.").Do("Wait until that is done.").Ref("RscDfn", d.Name)
	}
	text, err := encrypt(tx.Snapshot(), env, c.New)
	if err != nil {
		return Reply{}, err
	}
	next := &model.VolumeKeys{Gen: vd.Keys.Gen + 1, Typed: true, Keys: [][]byte{text}}
	if slices.ContainsFunc(d.Resources, func(r model.Resource) bool { return !r.Diskless && r.Volume(c.Number) != nil }) {
		next.Keys = append(next.Keys, vd.Keys.Keys...)
	}
	vd.Keys = next
	if err := tx.PutDefinition(d); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.VolumeDefinition, refs, "Passphrase of volume definition with number '%d' of resource definition '%s' modified.", c.Number, d.Name)},
		Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

func checkPassphrase(field string, p model.Secret) error {
	if len(p) > 0 && len(p) <= maxPassphrase && !slices.Contains(p, '\n') && !slices.Contains(p, 0) {
		return nil
	}
	return fault.New(fault.Invalid, fault.Controller, "The new passphrase is not valid.").In(field).
		Because("It has 1 to %d bytes and no line break.", maxPassphrase).Do("Choose another one.")
}

func sealMaster(tx *state.Tx, env Env, passphrase model.Secret, master []byte) error {
	s, err := secret.Seal(env.Rand, string(passphrase), master)
	if err != nil {
		return cantSeal(err)
	}
	m := tx.Snapshot().Controller().Clone()
	m.Master = &model.MasterKey{Key: s.Key, Hash: s.Hash, Salt: s.Salt}
	tx.PutController(m)
	return nil
}

func cantSeal(err error) error {
	e := fault.New(fault.Internal, fault.Controller, "The key can't be encrypted.").Because("%v", err).Do("Look at the controller's machine: its random source may fail.")
	e.Err = err
	return e
}

func openMaster(s *state.Snapshot, field string, passphrase model.Secret) ([]byte, error) {
	m := s.Controller().Master
	if m == nil {
		return nil, fault.New(fault.NotFound, fault.Controller, "There is no master passphrase.").In("passphrase").
			Because("None was ever created.").Do("Create one with `encryption create-passphrase`.")
	}
	master, err := secret.Open(secret.Sealed{Key: m.Key, Hash: m.Hash, Salt: m.Salt}, string(passphrase))
	switch {
	case errors.Is(err, secret.ErrPassphrase):
		return nil, fault.New(fault.Invalid, fault.Controller, "The passphrase is wrong.").In(field).
			Because("It isn't the one with which the master key was sealed.").Do("Enter the right one. Without it encrypted volumes can't be opened: nobody can make it known again.")
	case err != nil:
		e := fault.New(fault.Internal, fault.Controller, "The master key can't be opened.").Because("%v", err).Do("Restore the store from a backup.")
		e.Err = err
		return nil, e
	}
	return master, nil
}

// encrypt a volume's key; refused while the master key isn't there.
func encrypt(s *state.Snapshot, env Env, plain []byte) ([]byte, error) {
	if s.Master() == nil {
		e := fault.New(fault.NotFound, fault.Controller, "The volume's key can't be encrypted.").In("passphrase")
		if s.Controller().Master == nil {
			return nil, e.Because("No master passphrase was created yet.").Do("Create one with `encryption create-passphrase`.")
		}
		return nil, e.Because("The master key is locked since the controller started.").Do("Enter the passphrase with `encryption enter-passphrase`.")
	}
	text, err := secret.Encrypt(env.Rand, s.Master(), plain)
	if err != nil {
		return nil, cantSeal(err)
	}
	return text, nil
}

// newKeys draws a key for a volume.
func newKeys(s *state.Snapshot, env Env) (*model.VolumeKeys, error) {
	key, err := secret.NewKey(env.Rand)
	if err != nil {
		return nil, cantSeal(err)
	}
	defer clear(key)
	text, err := encrypt(s, env, key)
	if err != nil {
		return nil, err
	}
	return &model.VolumeKeys{Gen: 1, Keys: [][]byte{text}}, nil
}

// keys of the new volume of m; nil if m isn't encrypted.
func (c VolumeCreate) keys(s *state.Snapshot, env Env, m *model.ResourceDefinition) (*model.VolumeKeys, error) {
	switch {
	case !m.HasLUKS() && (c.Passphrase != nil || c.Keys != nil):
		return nil, fault.New(fault.Invalid, fault.VolumeDefinition, "The volume can't be encrypted.").In("layer_list").
			Because("The layers of '%s' are %v, without LUKS.", m.Name, m.LayerStack()).Do("Create the definition with `--layer-list drbd,luks,storage`.").Ref("RscDfn", m.Name)
	case !m.HasLUKS():
		return nil, nil
	case c.Keys != nil:
		return c.Keys, nil
	case c.Passphrase == nil:
		return newKeys(s, env)
	}
	if err := checkPassphrase("passphrase", c.Passphrase); err != nil {
		return nil, err
	}
	text, err := encrypt(s, env, c.Passphrase)
	if err != nil {
		return nil, err
	}
	return &model.VolumeKeys{Gen: 1, Typed: true, Keys: [][]byte{text}}, nil
}

// passphraseProp takes the passphrase out of the properties, where LINSTOR's clients may put it: there all could read it.
func passphraseProp(p map[string]string, passphrase model.Secret) (map[string]string, model.Secret) {
	const key = "Encryption/Passphrase"
	v, ok := p[key]
	if !ok {
		return p, passphrase
	}
	p = maps.Clone(p)
	delete(p, key)
	if passphrase == nil {
		passphrase = model.Secret(v)
	}
	return p, passphrase
}

// keyVolumes makes the keys of m's volumes fit its layers. m has no replicas.
func keyVolumes(s *state.Snapshot, env Env, m *model.ResourceDefinition) (err error) {
	for i := range m.Volumes {
		vd := &m.Volumes[i]
		switch {
		case !m.HasLUKS():
			vd.Keys = nil
		case vd.Keys == nil:
			if vd.Keys, err = newKeys(s, env); err != nil {
				return err
			}
		}
	}
	return nil
}

// noLUKS refuses a node that can't encrypt.
func noLUKS(n *state.Node, m *model.ResourceDefinition, diskless bool) error {
	if diskless || !m.HasLUKS() || !n.Online() || slices.Contains(n.Seen.Layers, model.LayerLUKS) {
		return nil
	}
	return fault.New(fault.Unsupported, fault.Resource, "Node '%s' can't carry '%s'.", n.Name, m.Name).In("layer_list").
		Because("It has no LUKS: %v.", n.WhyNot(model.LayerLUKS)).Do("Install cryptsetup there, and bring its satellite to the controller's release.").Ref("Node", n.Name)
}

// withKeysOf are the volume's keys when its devices go back to what they were in a snapshot, when they had other ones.
func withKeysOf(k, then *model.VolumeKeys) *model.VolumeKeys {
	if k == nil || then == nil || slices.EqualFunc(k.Keys, then.Keys, slices.Equal[[]byte]) {
		return k
	}
	next := &model.VolumeKeys{Gen: k.Gen + 1, Typed: k.Typed, Keys: slices.Clone(k.Keys)}
	for _, text := range then.Keys {
		if !slices.ContainsFunc(next.Keys, func(b []byte) bool { return slices.Equal(b, text) }) {
			next.Keys = append(next.Keys, text)
		}
	}
	return next
}
