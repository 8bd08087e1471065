package model

import (
	"maps"
	"slices"
)

// DefaultGroup always exists.
const DefaultGroup = "DfltRscGrp"

// SelectFilter says where replicas may go (linstor-features 2.4). A nil or zero field says nothing.
type SelectFilter struct {
	PlaceCount           int // diskful replicas wanted; 0: unsaid
	AdditionalPlaceCount int
	Nodes                []string
	Pools                []string
	DisklessPools        []string
	NotPlaceWith         []string
	NotPlaceWithRegex    string
	ReplicasOnSame       []string
	ReplicasOnDifferent  []string
	XReplicas            map[string]int
	Layers               []LayerKind
	Providers            []ProviderKind
	DisklessOnRemaining  *bool
	DisklessType         string
}

// Clone is deep.
func (f SelectFilter) Clone() SelectFilter {
	f.Nodes, f.Pools, f.DisklessPools = slices.Clone(f.Nodes), slices.Clone(f.Pools), slices.Clone(f.DisklessPools)
	f.NotPlaceWith = slices.Clone(f.NotPlaceWith)
	f.ReplicasOnSame, f.ReplicasOnDifferent = slices.Clone(f.ReplicasOnSame), slices.Clone(f.ReplicasOnDifferent)
	f.XReplicas, f.Layers, f.Providers = maps.Clone(f.XReplicas), slices.Clone(f.Layers), slices.Clone(f.Providers)
	if f.DisklessOnRemaining != nil {
		b := *f.DisklessOnRemaining
		f.DisklessOnRemaining = &b
	}
	return f
}

// Over returns f with its unsaid fields taken from g: a request over its group.
func (f SelectFilter) Over(g SelectFilter) SelectFilter {
	f, g = f.Clone(), g.Clone()
	if f.PlaceCount == 0 {
		f.PlaceCount = g.PlaceCount
	}
	if f.AdditionalPlaceCount == 0 {
		f.AdditionalPlaceCount = g.AdditionalPlaceCount
	}
	or := func(a *[]string, b []string) {
		if *a == nil {
			*a = b
		}
	}
	or(&f.Nodes, g.Nodes)
	or(&f.Pools, g.Pools)
	or(&f.DisklessPools, g.DisklessPools)
	or(&f.NotPlaceWith, g.NotPlaceWith)
	or(&f.ReplicasOnSame, g.ReplicasOnSame)
	or(&f.ReplicasOnDifferent, g.ReplicasOnDifferent)
	if f.NotPlaceWithRegex == "" {
		f.NotPlaceWithRegex = g.NotPlaceWithRegex
	}
	if f.XReplicas == nil {
		f.XReplicas = g.XReplicas
	}
	if f.Layers == nil {
		f.Layers = g.Layers
	}
	if f.Providers == nil {
		f.Providers = g.Providers
	}
	if f.DisklessOnRemaining == nil {
		f.DisklessOnRemaining = g.DisklessOnRemaining
	}
	if f.DisklessType == "" {
		f.DisklessType = g.DisklessType
	}
	return f
}

// VolumeGroup is the template of a volume definition.
type VolumeGroup struct {
	UUID   UUID
	Number int
	Props  map[string]string
	Gross  bool
}

// ResourceGroup is the template of resource definitions.
type ResourceGroup struct {
	Record      int64
	UUID        UUID
	Name        string
	Description string
	Props       map[string]string
	Filter      SelectFilter
	PeerSlots   int // 0: unsaid
	Volumes     []VolumeGroup
	Generation  uint64
}

// Clone is deep.
func (g *ResourceGroup) Clone() *ResourceGroup {
	c := *g
	c.Props, c.Filter = maps.Clone(g.Props), g.Filter.Clone()
	c.Volumes = slices.Clone(g.Volumes)
	for i := range c.Volumes {
		c.Volumes[i].Props = maps.Clone(c.Volumes[i].Props)
	}
	return &c
}
