package stored

import "holdfast/internal/model"

type definition struct {
	header
	ID           model.UUID           `json:"id"`
	Name         string               `json:"name"`
	Generation   uint64               `json:"gen"`
	ExternalName string               `json:"externalName,omitempty"`
	Group        string               `json:"group,omitempty"`
	Props        map[string]string    `json:"props,omitempty"`
	Layers       []model.LayerKind    `json:"layers,omitempty"`
	Secret       string               `json:"secret,omitempty"`
	Port         int                  `json:"port,omitempty"`
	PeerSlots    int                  `json:"peerSlots,omitempty"`
	DRBD         model.DRBDGeneration `json:"drbd,omitempty"`
	Deleting     bool                 `json:"deleting,omitempty"`
	CreatedMS    int64                `json:"created,omitempty"`
	Volumes      []volumeDefinition   `json:"volumes,omitempty"`
	Replicas     []replica            `json:"replicas,omitempty"`
	Retired      []retired            `json:"retired,omitempty"`
	Snapshots    []snapshot           `json:"snapshots,omitempty"`
	Connections  []connection         `json:"connections,omitempty"`
	Rollback     *rollback            `json:"rollback,omitempty"`
	Cloning      *cloning             `json:"cloning,omitempty"`
	AutoNextMS   int64                `json:"autoNext,omitempty"`
	AutoReason   string               `json:"autoReason,omitempty"`
	Verify       *verify              `json:"verify,omitempty"`
	GoodAmong    int                  `json:"goodAmong,omitempty"`
}

type volumeDefinition struct {
	ID          model.UUID        `json:"id"`
	Number      int               `json:"nr"`
	SizeKiB     int64             `json:"kib"`
	Gross       bool              `json:"gross,omitempty"`
	LeastKiB    int64             `json:"least,omitempty"`
	GrowsFrom   int64             `json:"growsFromKib,omitempty"`
	Props       map[string]string `json:"props,omitempty"`
	Minor       int               `json:"minor,omitempty"`
	Deleting    bool              `json:"deleting,omitempty"`
	Initialised bool              `json:"initialised,omitempty"`
	Source      model.UUID        `json:"source,omitempty"`
	SkipSync    bool              `json:"skipSync,omitempty"`
	Keys        *volumeKeys       `json:"keys,omitempty"`
	Making      model.Making      `json:"making,omitempty"`
}

type replica struct {
	ID         model.UUID        `json:"id"`
	Node       string            `json:"node"`
	Diskless   bool              `json:"diskless,omitempty"`
	TieBreaker bool              `json:"tieBreaker,omitempty"`
	NodeID     int               `json:"nodeId,omitempty"`
	Port       int               `json:"port,omitempty"`
	Props      map[string]string `json:"props,omitempty"`
	CreatedMS  int64             `json:"created,omitempty"`
	First      bool              `json:"first,omitempty"`
	Volumes    []volume          `json:"volumes,omitempty"`
	Deleting   bool              `json:"deleting,omitempty"`
	Lose       bool              `json:"lose,omitempty"`
	Toggle     model.Toggle      `json:"toggle,omitempty"`
	Successor  model.UUID        `json:"successor,omitempty"`
	Inactive   bool              `json:"inactive,omitempty"`
	UsedMS     int64             `json:"used,omitempty"`
	NoDisk     string            `json:"noDisk,omitempty"`
}

type volume struct {
	ID          model.UUID        `json:"id"`
	Number      int               `json:"nr"`
	Pool        string            `json:"pool,omitempty"`
	Props       map[string]string `json:"props,omitempty"`
	Deleting    bool              `json:"deleting,omitempty"`
	Initialised bool              `json:"initialised,omitempty"`
	Filled      bool              `json:"filled,omitempty"`
	From        *source           `json:"from,omitempty"`
}

type retired struct {
	NodeID  int          `json:"nodeId"`
	Replica model.UUID   `json:"replica"`
	Since   uint64       `json:"since,omitempty"`
	WaitFor []model.UUID `json:"waitFor,omitempty"`
}

func definitionOut(d *model.ResourceDefinition) *definition {
	s := &definition{ID: d.UUID, Name: d.Name, Generation: d.Generation, ExternalName: d.ExternalName, Group: d.Group,
		Props: d.Props, Layers: d.Layers, Secret: d.Secret, Port: d.Port, PeerSlots: d.PeerSlots, DRBD: d.DRBD, Deleting: d.Deleting,
		CreatedMS: d.CreatedMS}
	for _, v := range d.Volumes {
		s.Volumes = append(s.Volumes, volumeDefinition{ID: v.UUID, Number: v.Number, SizeKiB: v.SizeKiB, Gross: v.Gross, LeastKiB: v.LeastKiB, GrowsFrom: v.GrowsFromKiB,
			Props: v.Props, Minor: v.Minor, Deleting: v.Deleting, Initialised: v.Initialised, Source: v.Source, SkipSync: v.SkipSync, Keys: keysOut(v.Keys), Making: v.Making})
	}
	for i := range d.Resources {
		r := &d.Resources[i]
		t := replica{ID: r.UUID, Node: r.Node, Diskless: r.Diskless, TieBreaker: r.TieBreaker, NodeID: r.NodeID, Port: r.Port,
			Props: r.Props, CreatedMS: r.CreatedMS, First: r.First, Deleting: r.Deleting, Lose: r.Lose,
			Toggle: r.Toggle, Successor: r.Successor, Inactive: r.Inactive, UsedMS: r.UsedMS, NoDisk: r.NoDisk}
		for _, v := range r.Volumes {
			t.Volumes = append(t.Volumes, volume{ID: v.UUID, Number: v.Number, Pool: v.Pool, Props: v.Props,
				Deleting: v.Deleting, Initialised: v.Initialised, Filled: v.Filled, From: sourceOut(v.From)})
		}
		s.Replicas = append(s.Replicas, t)
	}
	for _, r := range d.Retired {
		s.Retired = append(s.Retired, retired{NodeID: r.NodeID, Replica: r.Replica, Since: r.Since, WaitFor: r.WaitFor})
	}
	s.Snapshots, s.Connections = snapshotsOut(d.Snapshots), connectionsOut(d.Connections)
	if rb := d.Rollback; rb != nil {
		s.Rollback = &rollback{ID: rb.ID, Snapshot: rb.Snapshot, State: rb.State, Reason: rb.Reason, Keeps: rb.Keeps}
	}
	s.Cloning = cloningOut(d.Cloning)
	s.AutoNextMS, s.AutoReason = d.Auto.NextMS, d.Auto.Reason
	s.Verify, s.GoodAmong = verifyOut(d.Verify), d.GoodAmong
	return s
}

func (s *definition) in(record int64) *model.ResourceDefinition {
	d := &model.ResourceDefinition{Record: record, UUID: s.ID, Name: s.Name, Generation: s.Generation,
		ExternalName: s.ExternalName, Group: s.Group, Props: s.Props, Layers: s.Layers, Secret: s.Secret,
		Port: s.Port, PeerSlots: s.PeerSlots, DRBD: s.DRBD, Deleting: s.Deleting, CreatedMS: s.CreatedMS}
	if len(s.Volumes) > 0 {
		d.Volumes = make([]model.VolumeDefinition, 0, len(s.Volumes))
	}
	for _, v := range s.Volumes {
		d.Volumes = append(d.Volumes, model.VolumeDefinition{UUID: v.ID, Number: v.Number, SizeKiB: v.SizeKiB, Gross: v.Gross, LeastKiB: v.LeastKiB, GrowsFromKiB: v.GrowsFrom,
			Props: v.Props, Minor: v.Minor, Deleting: v.Deleting, Initialised: v.Initialised, Source: v.Source, SkipSync: v.SkipSync, Keys: v.Keys.in(), Making: v.Making})
	}
	if len(s.Replicas) > 0 {
		d.Resources = make([]model.Resource, 0, len(s.Replicas))
	}
	for i := range s.Replicas {
		t := &s.Replicas[i]
		r := model.Resource{UUID: t.ID, Node: t.Node, Diskless: t.Diskless, TieBreaker: t.TieBreaker, NodeID: t.NodeID,
			Port: t.Port, Props: t.Props, CreatedMS: t.CreatedMS, First: t.First, Deleting: t.Deleting, Lose: t.Lose,
			Toggle: t.Toggle, Successor: t.Successor, Inactive: t.Inactive, UsedMS: t.UsedMS, NoDisk: t.NoDisk}
		if len(t.Volumes) > 0 {
			r.Volumes = make([]model.Volume, 0, len(t.Volumes))
		}
		for _, v := range t.Volumes {
			r.Volumes = append(r.Volumes, model.Volume{UUID: v.ID, Number: v.Number, Pool: v.Pool, Props: v.Props,
				Deleting: v.Deleting, Initialised: v.Initialised, Filled: v.Filled, From: v.From.in()})
		}
		d.Resources = append(d.Resources, r)
	}
	d.Connections = connectionsIn(s.Connections)
	for _, t := range s.Retired {
		d.Retired = append(d.Retired, model.RetiredNodeID{NodeID: t.NodeID, Replica: t.Replica, Since: t.Since, WaitFor: t.WaitFor})
	}
	d.Snapshots = snapshotsIn(s.Snapshots)
	if rb := s.Rollback; rb != nil {
		d.Rollback = &model.Rollback{ID: rb.ID, Snapshot: rb.Snapshot, State: rb.State, Reason: rb.Reason, Keeps: rb.Keeps}
	}
	d.Cloning = s.Cloning.in()
	d.Auto = model.AutoSnapshots{NextMS: s.AutoNextMS, Reason: s.AutoReason}
	d.Verify, d.GoodAmong = s.Verify.in(), s.GoodAmong
	return d
}
