package stored

import "holdfast/internal/model"

type group struct {
	header
	ID          model.UUID        `json:"id"`
	Name        string            `json:"name"`
	Generation  uint64            `json:"gen"`
	Description string            `json:"description,omitempty"`
	Props       map[string]string `json:"props,omitempty"`
	Filter      filter            `json:"filter"`
	PeerSlots   int               `json:"peerSlots,omitempty"`
	Volumes     []volumeGroup     `json:"volumes,omitempty"`
}

type volumeGroup struct {
	ID     model.UUID        `json:"id"`
	Number int               `json:"nr"`
	Props  map[string]string `json:"props,omitempty"`
	Gross  bool              `json:"gross,omitempty"`
}

type filter struct {
	PlaceCount           int                  `json:"placeCount,omitempty"`
	AdditionalPlaceCount int                  `json:"additionalPlaceCount,omitempty"`
	Nodes                []string             `json:"nodes,omitempty"`
	Pools                []string             `json:"pools,omitempty"`
	DisklessPools        []string             `json:"disklessPools,omitempty"`
	NotPlaceWith         []string             `json:"notPlaceWith,omitempty"`
	NotPlaceWithRegex    string               `json:"notPlaceWithRegex,omitempty"`
	ReplicasOnSame       []string             `json:"replicasOnSame,omitempty"`
	ReplicasOnDifferent  []string             `json:"replicasOnDifferent,omitempty"`
	XReplicas            map[string]int       `json:"xReplicas,omitempty"`
	Layers               []model.LayerKind    `json:"layers,omitempty"`
	Providers            []model.ProviderKind `json:"providers,omitempty"`
	DisklessOnRemaining  *bool                `json:"disklessOnRemaining,omitempty"`
	DisklessType         string               `json:"disklessType,omitempty"`
}

func groupOut(g *model.ResourceGroup) *group {
	s := &group{ID: g.UUID, Name: g.Name, Generation: g.Generation, Description: g.Description, Props: g.Props,
		PeerSlots: g.PeerSlots, Filter: filterOut(g.Filter)}
	for _, v := range g.Volumes {
		s.Volumes = append(s.Volumes, volumeGroup{ID: v.UUID, Number: v.Number, Props: v.Props, Gross: v.Gross})
	}
	return s
}

func (s *group) in(record int64) *model.ResourceGroup {
	g := &model.ResourceGroup{Record: record, UUID: s.ID, Name: s.Name, Generation: s.Generation,
		Description: s.Description, Props: s.Props, PeerSlots: s.PeerSlots, Filter: s.Filter.in()}
	for _, v := range s.Volumes {
		g.Volumes = append(g.Volumes, model.VolumeGroup{UUID: v.ID, Number: v.Number, Props: v.Props, Gross: v.Gross})
	}
	return g
}

func filterOut(f model.SelectFilter) filter {
	return filter{PlaceCount: f.PlaceCount, AdditionalPlaceCount: f.AdditionalPlaceCount, Nodes: f.Nodes, Pools: f.Pools,
		DisklessPools: f.DisklessPools, NotPlaceWith: f.NotPlaceWith, NotPlaceWithRegex: f.NotPlaceWithRegex,
		ReplicasOnSame: f.ReplicasOnSame, ReplicasOnDifferent: f.ReplicasOnDifferent, XReplicas: f.XReplicas,
		Layers: f.Layers, Providers: f.Providers, DisklessOnRemaining: f.DisklessOnRemaining, DisklessType: f.DisklessType}
}

func (f filter) in() model.SelectFilter {
	return model.SelectFilter{PlaceCount: f.PlaceCount, AdditionalPlaceCount: f.AdditionalPlaceCount, Nodes: f.Nodes,
		Pools: f.Pools, DisklessPools: f.DisklessPools, NotPlaceWith: f.NotPlaceWith, NotPlaceWithRegex: f.NotPlaceWithRegex,
		ReplicasOnSame: f.ReplicasOnSame, ReplicasOnDifferent: f.ReplicasOnDifferent, XReplicas: f.XReplicas,
		Layers: f.Layers, Providers: f.Providers, DisklessOnRemaining: f.DisklessOnRemaining, DisklessType: f.DisklessType}
}
