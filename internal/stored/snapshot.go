package stored

import "holdfast/internal/model"

type snapshot struct {
	ID           model.UUID          `json:"id"`
	Name         string              `json:"name,omitempty"`
	Props        map[string]string   `json:"props,omitempty"`
	CreatedMS    int64               `json:"created,omitempty"`
	State        model.SnapshotState `json:"state,omitempty"`
	Reason       string              `json:"reason,omitempty"`
	Disconnected bool                `json:"disconnected,omitempty"`
	With         []model.UUID        `json:"with,omitempty"`
	Lease        model.UUID          `json:"lease,omitempty"`
	Waits        bool                `json:"waits,omitempty"` // false as before: its turn came with its creation
	BegunMS      int64               `json:"begun,omitempty"` // 0 as before: not known, and nobody waits for it
	Quiet        []model.UUID        `json:"quiet,omitempty"`
	Unheld       bool                `json:"unheld,omitempty"` // false as before: of one moment
	NodeIDs      []int               `json:"nodeIds,omitempty"`
	For          model.UUID          `json:"for,omitempty"`
	Auto         bool                `json:"auto,omitempty"`
	Together     bool                `json:"together,omitempty"` // false as before: what replicas have that take no part doesn't count
	Volumes      []snapshotVolume    `json:"volumes,omitempty"`
	Copies       []snapshotCopy      `json:"copies,omitempty"`
}

type snapshotVolume struct {
	Number     int               `json:"nr"`
	SizeKiB    int64             `json:"kib"`
	Gross      bool              `json:"gross,omitempty"`
	Props      map[string]string `json:"props,omitempty"`
	BackingKiB int64             `json:"backing,omitempty"`
	Keys       *volumeKeys       `json:"keys,omitempty"`
}

type snapshotCopy struct {
	ID       model.UUID   `json:"id"`
	Node     string       `json:"node"`
	Replica  model.UUID   `json:"of,omitempty"` // not "replica": a record is known by its id
	Deleting bool         `json:"deleting,omitempty"`
	Volumes  []copyVolume `json:"volumes,omitempty"`
}

type copyVolume struct {
	ID     model.UUID `json:"id"`
	Number int        `json:"nr"`
	Pool   string     `json:"pool"`
	Of     model.UUID `json:"of,omitempty"`
	Room   int64      `json:"room,omitempty"` // KiB; 0 as before: it needs none
}

type rollback struct {
	ID       model.UUID          `json:"id"`
	Snapshot model.UUID          `json:"snapshot"`
	State    model.RollbackState `json:"state"`
	Reason   string              `json:"reason,omitempty"`
	Keeps    model.UUID          `json:"keeps,omitempty"` // "" as before: all do
}

// source of a volume's first data.
type source struct {
	Snapshot model.UUID `json:"snapshot"`
	Label    model.UUID `json:"label"`
	Device   string     `json:"device"`
}

func snapshotsOut(in []model.Snapshot) (out []snapshot) {
	for _, s := range in {
		t := snapshot{ID: s.UUID, Name: s.Name, Props: s.Props, CreatedMS: s.CreatedMS, State: s.State, Reason: s.Reason,
			Disconnected: s.Disconnected, With: s.With, Lease: s.Lease, Waits: s.Waits, BegunMS: s.BegunMS, Quiet: s.Quiet, Unheld: s.Unheld, NodeIDs: s.NodeIDs, For: s.For, Auto: s.Auto, Together: s.Together}
		for _, v := range s.Volumes {
			t.Volumes = append(t.Volumes, snapshotVolume{Number: v.Number, SizeKiB: v.SizeKiB, Gross: v.Gross, Props: v.Props,
				BackingKiB: v.BackingKiB, Keys: keysOut(v.Keys)})
		}
		for _, c := range s.Copies {
			k := snapshotCopy{ID: c.UUID, Node: c.Node, Replica: c.Replica, Deleting: c.Deleting}
			for _, v := range c.Volumes {
				k.Volumes = append(k.Volumes, copyVolume{ID: v.UUID, Number: v.Number, Pool: v.Pool, Of: v.Of, Room: v.RoomKiB})
			}
			t.Copies = append(t.Copies, k)
		}
		out = append(out, t)
	}
	return out
}

func snapshotsIn(in []snapshot) (out []model.Snapshot) {
	for _, t := range in {
		s := model.Snapshot{UUID: t.ID, Name: t.Name, Props: t.Props, CreatedMS: t.CreatedMS, State: t.State, Reason: t.Reason,
			Disconnected: t.Disconnected, With: t.With, Lease: t.Lease, Waits: t.Waits, BegunMS: t.BegunMS, Quiet: t.Quiet, Unheld: t.Unheld, NodeIDs: t.NodeIDs, For: t.For, Auto: t.Auto, Together: t.Together}
		for _, v := range t.Volumes {
			s.Volumes = append(s.Volumes, model.SnapshotVolume{Number: v.Number, SizeKiB: v.SizeKiB, Gross: v.Gross, Props: v.Props,
				BackingKiB: v.BackingKiB, Keys: v.Keys.in()})
		}
		for _, k := range t.Copies {
			c := model.SnapshotCopy{UUID: k.ID, Node: k.Node, Replica: k.Replica, Deleting: k.Deleting}
			for _, v := range k.Volumes {
				c.Volumes = append(c.Volumes, model.CopyVolume{UUID: v.ID, Number: v.Number, Pool: v.Pool, Of: v.Of, RoomKiB: v.Room})
			}
			s.Copies = append(s.Copies, c)
		}
		out = append(out, s)
	}
	return out
}

func sourceOut(s *model.Source) *source {
	if s == nil {
		return nil
	}
	return &source{Snapshot: s.Snapshot, Label: s.Label, Device: s.Device}
}

func (s *source) in() *model.Source {
	if s == nil {
		return nil
	}
	return &model.Source{Snapshot: s.Snapshot, Label: s.Label, Device: s.Device}
}
