package satellite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/tool/run"
	"holdfast/internal/wire"
)

// keptSchema is raised when an older satellite could not read the file any more.
const keptSchema = 1

// keptFile is kept on disk. What the controller said is in the wire's form.
type keptFile struct {
	Schema      int                   `json:"schema"`
	Cluster     model.UUID            `json:"cluster,omitempty"`
	Epoch       uint64                `json:"epoch"`
	Instance    model.UUID            `json:"instance,omitempty"`
	State       json.RawMessage       `json:"state"`
	Initialised []model.UUID          `json:"initialised,omitempty"`
	Data        []model.UUID          `json:"data,omitempty"`
	Unmentioned json.RawMessage       `json:"unmentioned,omitempty"` // replicas with nothing but the volumes
	Epochs      map[model.UUID]uint64 `json:"epochs,omitempty"`
	Past        []pastFile            `json:"past,omitempty"`
	Forgotten   map[model.UUID][]int  `json:"forgotten,omitempty"`
}

type pastFile struct {
	ID         model.UUID `json:"id"`
	Generation uint64     `json:"generation"`
}

func (c Config) keptFile() string { return path.Join(c.StateDir, "replicas", "desired.json") }

func loadKept(f run.FS, c Config) (kept, error) {
	b, err := f.ReadFile(c.keptFile())
	if errors.Is(err, fs.ErrNotExist) {
		return kept{}, nil
	}
	if err != nil {
		return kept{}, fmt.Errorf("read desired state: %w", err)
	}
	k, err := unmarshalKept(b)
	if err != nil {
		return kept{}, fmt.Errorf("read desired state %s: %w", c.keptFile(), err)
	}
	return k, nil
}

func unmarshalKept(b []byte) (kept, error) {
	var f keptFile
	if err := json.Unmarshal(b, &f); err != nil {
		return kept{}, err
	}
	if f.Schema > keptSchema {
		return kept{}, fmt.Errorf("it is of a newer release (schema %d, this one knows %d)", f.Schema, keptSchema)
	}
	k := kept{Cluster: f.Cluster, Order: model.Order{Epoch: f.Epoch, Instance: f.Instance}, Initialised: f.Initialised, Data: f.Data,
		Epochs: f.Epochs, Forgotten: f.Forgotten}
	for _, p := range f.Past {
		k.Past = append(k.Past, past(p))
	}
	var err error
	if k.State, err = wire.UnmarshalState(f.State); err != nil {
		return kept{}, err
	}
	if f.Unmentioned != nil {
		u, err := wire.UnmarshalState(f.Unmentioned)
		if err != nil {
			return kept{}, err
		}
		k.Unmentioned = map[model.UUID][]model.VolumeSpec{}
		for _, r := range u.Resources {
			k.Unmentioned[r.ID] = r.Volumes
		}
	}
	return k, nil
}

func (k *kept) marshal() ([]byte, error) {
	f := keptFile{Schema: keptSchema, Cluster: k.Cluster, Epoch: k.Order.Epoch, Instance: k.Order.Instance, Initialised: k.Initialised,
		Data: k.Data, Epochs: k.Epochs, Forgotten: k.Forgotten}
	for _, p := range k.Past {
		f.Past = append(f.Past, pastFile(p))
	}
	var err error
	if f.State, err = wire.MarshalState(k.State); err != nil {
		return nil, err
	}
	if len(k.Unmentioned) > 0 {
		var u model.NodeState
		for _, id := range slices.Sorted(maps.Keys(k.Unmentioned)) {
			u.Resources = append(u.Resources, model.ResourceSpec{ID: id, Volumes: k.Unmentioned[id]})
		}
		if f.Unmentioned, err = wire.MarshalState(u); err != nil {
			return nil, err
		}
	}
	return json.Marshal(f)
}

func (k *kept) save(f run.FS, c Config) error {
	b, err := k.marshal()
	if err != nil {
		return fmt.Errorf("keep desired state: %w", err)
	}
	if err := f.MkdirAll(path.Dir(c.keptFile()), 0o700); err != nil {
		return fmt.Errorf("keep desired state: %w", err)
	}
	if err := f.WriteFile(c.keptFile(), b, 0o600); err != nil {
		return fmt.Errorf("keep desired state: %w", err)
	}
	return nil
}
