package place

import (
	"strings"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// thin is a snapshot with one node, one pool of that kind and status, and a volume of 64 MiB that is counted there.
func thin(t *testing.T, kind model.ProviderKind, st model.PoolStatus, pool, controller map[string]string) (*state.Snapshot, *state.Node, *model.StoragePool) {
	t.Helper()
	s, problems := state.Build(state.Loaded{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tx := state.Begin(s)
	tx.PutController(&model.ControllerState{Props: controller})
	tx.PutNode(&model.Node{UUID: "n", Name: "alpha", Type: model.Satellite, Pools: []model.StoragePool{{UUID: "p", Name: "swpool", Kind: kind, Props: pool}}})
	d := &model.ResourceDefinition{UUID: "d", Name: "r0", Layers: []model.LayerKind{model.LayerStorage}, Volumes: []model.VolumeDefinition{{UUID: "vd", SizeKiB: 64 << 10}},
		Resources: []model.Resource{{UUID: "r", Node: "alpha", Volumes: []model.Volume{{UUID: "v", Pool: "swpool"}}}}}
	if err := tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	st.UUID, st.Name, st.Volumes = "p", "swpool", []model.UUID{"v"}
	tx.SeeNode("alpha", &model.NodeObserved{Status: model.StatusOnline, NodeReport: model.NodeReport{Pools: []model.PoolStatus{st}}})
	s = tx.Snapshot()
	n := s.Node("alpha")
	return s, n, n.Pool("swpool")
}

func TestOversubscription(t *testing.T) {
	const free, total, used = 256 << 10, 1 << 20, 64 << 10
	st := model.PoolStatus{FreeKiB: free, TotalKiB: total}
	for _, c := range []struct {
		kind             model.ProviderKind
		pool, controller map[string]string
		want             int64
	}{
		{model.LVM, nil, nil, free},
		{model.LVM, map[string]string{"MaxOversubscriptionRatio": "3"}, nil, free},
		{model.LVMThin, nil, nil, 20 * free},
		{model.ZFSThin, nil, map[string]string{"MaxOversubscriptionRatio": "2"}, 2 * free},
		{model.LVMThin, map[string]string{"MaxOversubscriptionRatio": "3"}, map[string]string{"MaxOversubscriptionRatio": "2"}, 3 * free},
		{model.LVMThin, map[string]string{"MaxFreeCapacityOversubscriptionRatio": "1.5"}, nil, free * 3 / 2},
		{model.LVMThin, map[string]string{"MaxFreeCapacityOversubscriptionRatio": "100", "MaxTotalCapacityOversubscriptionRatio": "2"}, nil, 2*total - used},
		{model.LVMThin, map[string]string{"MaxTotalCapacityOversubscriptionRatio": "0.01"}, nil, 0},
		{model.LVMThin, map[string]string{"MaxOversubscriptionRatio": "NaN"}, nil, 20 * free},
	} {
		s, n, p := thin(t, c.kind, st, c.pool, c.controller)
		if got, why := Free(s, n, p); got != c.want || why != "" {
			t.Errorf("%s %v %v: %d KiB %s, want %d", c.kind, c.pool, c.controller, got, why, c.want)
		}
	}
}

func TestFull(t *testing.T) {
	for _, c := range []struct {
		kind model.ProviderKind
		st   model.PoolStatus
		want string
	}{
		{model.LVMThin, model.PoolStatus{FreeKiB: 21, TotalKiB: 1000, MetaPercent: 97.9}, ""},
		{model.LVMThin, model.PoolStatus{FreeKiB: 20, TotalKiB: 1000}, "98.0 % full"},
		{model.LVMThin, model.PoolStatus{FreeKiB: 500, TotalKiB: 1000, MetaPercent: 98.2}, "metadata of its thin pool are 98.2 % full"},
		{model.LVMThin, model.PoolStatus{FreeKiB: 500, TotalKiB: 1000, Trouble: "read-only"}, "read-only"},
		{model.LVM, model.PoolStatus{FreeKiB: 1, TotalKiB: 1000}, ""},
	} {
		s, n, p := thin(t, c.kind, c.st, nil, nil)
		why := Full(n, p)
		if c.want == "" && why != "" || !strings.Contains(why, c.want) {
			t.Errorf("%+v: %q", c.st, why)
		}
		if _, not := Free(s, n, p); not != why {
			t.Errorf("%+v: %q", c.st, not)
		}
	}
}
