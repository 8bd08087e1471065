package rest

import (
	"holdfast/api"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// toFilter reads a select filter. A list that is there but empty stays so: in a modification it removes what was set.
func toFilter(in *api.AutoSelectFilter) (model.SelectFilter, error) {
	var f model.SelectFilter
	if in == nil {
		return f, nil
	}
	var err error
	if f.PlaceCount, err = small(in.PlaceCount, fault.ResourceGroup, "place_count"); err != nil {
		return f, err
	}
	if f.AdditionalPlaceCount, err = small(in.AdditionalPlaceCount, fault.ResourceGroup, "additional_place_count"); err != nil {
		return f, err
	}
	if f.AdditionalPlaceCount < 0 {
		return f, fault.New(fault.Invalid, fault.ResourceGroup, "An additional place count of %d is not possible.", f.AdditionalPlaceCount).
			In("place_count").Because("It is below 0.").Do("Choose a number of at least 1.")
	}
	if n := in.PortCount.Value(1); n > 1 {
		return f, fault.New(fault.Unsupported, fault.ResourceGroup, "%d TCP ports for each resource are not possible.", n).
			Because("This release of Holdfast uses one path between two nodes.").Do("Leave port_count away.")
	}
	if in.Overprovision != nil {
		return f, fault.New(fault.Unsupported, fault.ResourceGroup, "The oversubscription ratio can't be given in a select filter.").
			Because("This release of Holdfast takes it from the properties.").Do("Set MaxOversubscriptionRatio on the pool, its definition or the controller.")
	}
	switch in.DisklessType {
	case "", "DRBD_DISKLESS":
		f.DisklessType = in.DisklessType
	default:
		return f, fault.New(fault.Unsupported, fault.ResourceGroup, "The diskless type '%s' is not possible.", in.DisklessType).
			Because("This release of Holdfast has no NVMe layer.").Do("Choose DRBD_DISKLESS.")
	}
	f.Nodes, f.Pools, f.DisklessPools = in.NodeNameList, in.StoragePoolList, in.StoragePoolDisklessList
	if in.StoragePool != "" && len(f.Pools) == 0 { // the older form
		f.Pools = []string{in.StoragePool}
	}
	f.NotPlaceWith, f.NotPlaceWithRegex = in.NotPlaceWithRsc, in.NotPlaceWithRscRegex
	f.ReplicasOnSame, f.ReplicasOnDifferent = in.ReplicasOnSame, in.ReplicasOnDifferent
	x := in.XReplicasOnDifferentMap
	if x == nil {
		x = in.XReplicasOnDifferent
	}
	if x != nil {
		f.XReplicas = map[string]int{}
		for k, n := range x {
			if f.XReplicas[k], err = small(&n, fault.ResourceGroup, "x_replicas_on_different_map"); err != nil {
				return f, err
			}
		}
	}
	f.Layers = toLayers(in.LayerStack)
	if in.ProviderList != nil {
		f.Providers = []model.ProviderKind{}
		for _, k := range in.ProviderList {
			f.Providers = append(f.Providers, model.ProviderKind(k))
		}
	}
	if in.DisklessOnRemaining != nil {
		on := in.DisklessOnRemaining.Value(false)
		f.DisklessOnRemaining = &on
	}
	return f, nil
}

// toLayers reads a layer stack; an empty one says nothing.
func toLayers(in []api.LayerType) []model.LayerKind {
	var out []model.LayerKind
	for _, l := range in {
		out = append(out, model.LayerKind(l))
	}
	return out
}

// filterView gives nil for what is empty.
func filterView(f model.SelectFilter) *api.AutoSelectFilter {
	v := &api.AutoSelectFilter{NodeNameList: full(f.Nodes), StoragePoolList: full(f.Pools), StoragePoolDisklessList: full(f.DisklessPools),
		NotPlaceWithRsc: full(f.NotPlaceWith), NotPlaceWithRscRegex: f.NotPlaceWithRegex, ReplicasOnSame: full(f.ReplicasOnSame),
		ReplicasOnDifferent: full(f.ReplicasOnDifferent), DisklessType: f.DisklessType}
	if f.PlaceCount != 0 {
		v.PlaceCount = api.NewInt(int64(f.PlaceCount))
	}
	if f.AdditionalPlaceCount != 0 {
		v.AdditionalPlaceCount = api.NewInt(int64(f.AdditionalPlaceCount))
	}
	if len(f.Pools) > 0 {
		v.StoragePool = f.Pools[0]
	}
	for k, n := range f.XReplicas {
		if v.XReplicasOnDifferentMap == nil {
			v.XReplicasOnDifferentMap = map[string]api.Int{}
		}
		v.XReplicasOnDifferentMap[k] = api.Int(n)
	}
	for _, l := range f.Layers {
		v.LayerStack = append(v.LayerStack, api.LayerType(l))
	}
	for _, k := range f.Providers {
		v.ProviderList = append(v.ProviderList, api.ProviderKind(k))
	}
	if f.DisklessOnRemaining != nil {
		v.DisklessOnRemaining = api.NewBool(*f.DisklessOnRemaining)
	}
	return v
}

func full(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

// maxItems of one request: volumes, resources.
const maxItems = 1000

func tooMany(n int, o fault.Object, field string) error {
	if n <= maxItems {
		return nil
	}
	return fault.New(fault.Invalid, o, "%d are too many for one request.", n).In(field).
		Because("A request takes %d at most.", maxItems).Do("Send several requests.")
}
