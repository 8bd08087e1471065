package stored

import "holdfast/internal/model"

// volumeKeys are encrypted with the master key. Each is an object, so that exports know them by their name.
type volumeKeys struct {
	Gen   int         `json:"gen"`
	Typed bool        `json:"typed,omitempty"`
	Keys  []sealedKey `json:"keys"`
}

type sealedKey struct {
	Text []byte `json:"secret"`
}

func keysOut(k *model.VolumeKeys) *volumeKeys {
	if k == nil {
		return nil
	}
	out := &volumeKeys{Gen: k.Gen, Typed: k.Typed}
	for _, b := range k.Keys {
		out.Keys = append(out.Keys, sealedKey{b})
	}
	return out
}

func (k *volumeKeys) in() *model.VolumeKeys {
	if k == nil {
		return nil
	}
	out := &model.VolumeKeys{Gen: k.Gen, Typed: k.Typed}
	for _, b := range k.Keys {
		out.Keys = append(out.Keys, b.Text)
	}
	return out
}
