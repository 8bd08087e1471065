package model

import (
	"fmt"
	"slices"
)

// LUKSHeaderKiB is what LUKS2 keeps at the head of the device for itself, in KiB: cryptsetup's default data offset
// (cryptsetup-luksFormat(8), --offset; two copies of the metadata, then the key slots), and the one that is always asked for.
const LUKSHeaderKiB = 16 << 10

// Secret is a key in the clear. It is never printed, stored or logged.
type Secret []byte

const hidden = "(secret)"

// String tells nothing.
func (Secret) String() string { return hidden }

// Format tells nothing, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText tells nothing.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MasterKey is the cluster's key as it is stored, encrypted with the passphrase (package secret).
type MasterKey struct{ Key, Hash, Salt []byte }

// VolumeKeys are the keys of an encrypted volume, each encrypted with the master key. Immutable.
type VolumeKeys struct {
	// Gen counts: it is raised with each change of the first key.
	Gen int
	// Typed: the first key is a person's passphrase, which needs a slow derivation.
	Typed bool
	// Keys, the one that it is to have first. While some replica may still have an older one, those follow.
	Keys [][]byte
}

// LUKSSpec is what a node is told of an encrypted volume.
type LUKSSpec struct {
	Gen   int
	Typed bool // see VolumeKeys
	// Discards pass through to the disk, from the next time that it is opened: they show there which blocks are unused.
	Discards bool
	// Keys that may open it, in the clear, the one that it is to have first; nil: the controller hasn't its passphrase.
	Keys []Secret
}

// LUKSStatus is what a node says of it.
type LUKSStatus struct {
	Open bool
	// Gen of the first key, once that opens it; 0: not known.
	Gen int
	// WrongKey: none of the keys opens it.
	WrongKey bool
}

// HasLUKS tells whether LUKS is in the layer stack.
func (d *ResourceDefinition) HasLUKS() bool { return slices.Contains(d.Layers, LayerLUKS) }

// header is what LUKS takes of each device, in KiB.
func (d *ResourceDefinition) header() int64 {
	if d.HasLUKS() {
		return LUKSHeaderKiB
	}
	return 0
}

// Encrypted tells whether any volume of the spec is.
func (s *ResourceSpec) Encrypted() bool {
	return slices.ContainsFunc(s.Volumes, func(v VolumeSpec) bool { return v.LUKS != nil })
}

// WithoutKeys is the spec as it may be kept on disk.
func (s ResourceSpec) WithoutKeys() ResourceSpec {
	if !s.Encrypted() {
		return s
	}
	s.Volumes = slices.Clone(s.Volumes)
	for i := range s.Volumes {
		if l := s.Volumes[i].LUKS; l != nil {
			s.Volumes[i].LUKS = &LUKSSpec{Gen: l.Gen, Typed: l.Typed, Discards: l.Discards}
		}
	}
	return s
}

// MappingName is the name in /dev/mapper under which an encrypted device of that label is open. Like the label it is one
// incarnation's own.
func MappingName(label UUID) string { return "holdfast-" + string(label) }

// MappingPath is its path.
func MappingPath(label UUID) string { return "/dev/mapper/" + MappingName(label) }
