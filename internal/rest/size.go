package rest

import (
	"slices"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/place"
	"holdfast/internal/state"
)

func adjustGroup(c *call) (core.Command, error) {
	cmd, err := adjust(c)
	cmd.Group = c.param("group")
	return cmd, err
}

func adjustAll(c *call) (core.Command, error) { return adjust(c) }

func adjust(c *call) (core.GroupAdjust, error) {
	var in api.ResourceGroupAdjust
	if err := c.decode(&in, true); err != nil {
		return core.GroupAdjust{}, err
	}
	if err := noSnapshots(in.SnapNames); err != nil {
		return core.GroupAdjust{}, err
	}
	f, err := toFilter(in.SelectFilter)
	return core.GroupAdjust{Filter: f}, err
}

// query asks for a volume in a definition that isn't there, placed by that filter.
func (c *call) query(f model.SelectFilter, slots int) (place.Request, place.Space) {
	if slots == 0 {
		slots = core.DefaultPeerSlots
	}
	n := f.PlaceCount
	if n == 0 {
		n = 2
	}
	d := &state.Definition{ResourceDefinition: &model.ResourceDefinition{Layers: f.Layers, PeerSlots: slots}}
	q := place.Request{Definition: d, Filter: f, Count: n + f.AdditionalPlaceCount}
	return q, place.Query(c.snap, q)
}

// sizeInfo is a group's space. Where a volume fits nowhere, the sizes are 0 and a warning says why.
func (c *call) sizeInfo(g *model.ResourceGroup, over *api.AutoSelectFilter) (api.QuerySizeInfoResponse, error) {
	f, err := toFilter(over)
	if err != nil {
		return api.QuerySizeInfoResponse{}, err
	}
	f = f.Over(g.Filter)
	q, sp := c.query(f, g.PeerSlots)
	all := c.snap.Controller().Props
	info := &api.QuerySizeInfoSpaceInfo{MaxVolumeSizeKib: sp.MaxKiB, AvailableSizeKib: sp.AvailableKiB, CapacityKib: sp.CapacityKiB,
		DefaultMaxOversubscriptionRatio: place.ThinRatio, NextSpawnResult: []api.QuerySizeInfoSpawnResult{}}
	most := place.RatiosIn(all)
	info.MaxOversubscriptionRatio, info.MaxFreeCapacityOversubscription, info.MaxTotalCapacityOversubscription = most.General, most.Free, most.Total
	for _, ch := range sp.Next {
		r := api.QuerySizeInfoSpawnResult{NodeName: ch.Node, StorPoolName: ch.Pool}
		p := c.snap.Node(ch.Node).Pool(ch.Pool)
		own := place.RatiosOf(c.snap, p)
		r.OversubscriptionRatio, r.FreeCapacityOversubscription, r.TotalCapacityOversubscription = own.General, own.Free, own.Total
		info.NextSpawnResult = append(info.NextSpawnResult, r)
	}
	out := api.QuerySizeInfoResponse{SpaceInfo: info}
	if len(sp.Largest) == 0 {
		n := fault.Of(place.NotEnough(q, place.Result{Refused: sp.Refused})).Note
		n.Severity, n.Op = fault.Warning, fault.NoOp
		n.Message = "No volume can be placed by resource group '" + g.Name + "'."
		out.Reports = api.ApiCallRcList{toRc(n, c.route.op, c.route.obj)}
	}
	return out, nil
}

func querySizeInfo(c *call) error {
	var in api.QuerySizeInfoRequest
	if err := c.decode(&in, true); err != nil {
		return err
	}
	g, err := c.group()
	if err != nil {
		return err
	}
	out, err := c.sizeInfo(g, in.SelectFilter)
	if err != nil {
		return err
	}
	return c.json(out)
}

func queryAllSizeInfo(c *call) error {
	var in api.QuerySizeInfoRequest
	if err := c.decode(&in, true); err != nil {
		return err
	}
	out := api.QueryAllSizeInfoResponse{Result: map[string]api.QuerySizeInfoResponse{}}
	var err error
	c.snap.Groups(func(g *model.ResourceGroup) bool {
		var one api.QuerySizeInfoResponse
		one, err = c.sizeInfo(g, in.SelectFilter)
		out.Result[g.Name] = one
		return err == nil
	})
	if err != nil {
		return err
	}
	return c.json(out)
}

func queryMaxOfGroup(c *call) error {
	g, err := c.group()
	if err != nil {
		return err
	}
	return c.maxVolumes(g.Filter, g.PeerSlots)
}

func queryMax(c *call) error {
	var in api.AutoSelectFilter
	if err := c.decode(&in, true); err != nil {
		return err
	}
	f, err := toFilter(&in)
	if err != nil {
		return err
	}
	return c.maxVolumes(f, 0)
}

// maxVolumes has a candidate for each name of storage pools that could take a volume, the largest first. Clients look each
// name up among the storage pool definitions (linstor-clients 1.4).
func (c *call) maxVolumes(f model.SelectFilter, slots int) error {
	out := api.MaxVolumeSizes{DefaultMaxOversubscriptionRatio: place.ThinRatio, Candidates: []api.Candidate{}}
	asked := f.Pools
	for k, p := range c.snap.Controller().PoolDefs {
		if k == model.Key(model.DisklessPool) || len(asked) > 0 && !slices.ContainsFunc(asked, func(s string) bool { return model.Key(s) == k }) {
			continue
		}
		f.Pools = []string{p.Name}
		_, sp := c.query(f, slots)
		if sp.MaxKiB == 0 {
			continue
		}
		one := api.Candidate{StoragePool: p.Name, MaxVolumeSizeKib: sp.MaxKiB, AllThin: sp.AllThin}
		for _, ch := range sp.Largest {
			one.NodeNames = append(one.NodeNames, ch.Node)
		}
		slices.Sort(one.NodeNames)
		out.Candidates = append(out.Candidates, one)
	}
	slices.SortFunc(out.Candidates, func(a, b api.Candidate) int {
		if a.MaxVolumeSizeKib != b.MaxVolumeSizeKib {
			return int(min(max(b.MaxVolumeSizeKib-a.MaxVolumeSizeKib, -1), 1))
		}
		if a.StoragePool < b.StoragePool {
			return -1
		}
		return 1
	})
	return c.json(out)
}
