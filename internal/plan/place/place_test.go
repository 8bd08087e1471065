package place

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// cluster of nodes n0, n1 ... with a pool each of that many free KiB.
func cluster(t testing.TB, free []int64, controller map[string]string, pool func(i int) map[string]string) *state.Snapshot {
	o := state.Loaded{}
	s, problems := state.Build(o)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tx := state.Begin(s)
	tx.PutController(&model.ControllerState{Props: controller})
	for i, kib := range free {
		id := model.UUID(fmt.Sprintf("pool-%d", i))
		n := &model.Node{UUID: model.UUID(fmt.Sprintf("node-%d", i)), Name: fmt.Sprintf("n%d", i), Type: model.Satellite,
			Pools: []model.StoragePool{{UUID: id, Name: "swpool", Kind: model.LVM}}}
		if pool != nil {
			n.Pools[0].Props = pool(i)
		}
		tx.PutNode(n)
		tx.SeeNode(n.Name, &model.NodeObserved{Status: model.StatusOnline, NodeReport: model.NodeReport{DRBD: model.DRBD9,
			Pools: []model.PoolStatus{{UUID: id, Name: "swpool", FreeKiB: kib, TotalKiB: kib}}}})
	}
	return tx.Snapshot()
}

func want(t *testing.T, s *state.Snapshot, node string) {
	t.Helper()
	d := &state.Definition{ResourceDefinition: &model.ResourceDefinition{UUID: "new"}}
	res := Place(s, Request{Definition: d, Count: 1, SizesKiB: []int64{4096}})
	if len(res.Chosen) != 1 || res.Chosen[0].Node != node {
		t.Errorf("chosen %v, want %s", res.Chosen, node)
	}
}

func TestWeights(t *testing.T) {
	free := []int64{1 << 20, 4 << 20, 2 << 20}
	with := func(c map[string]string, pool func(int) map[string]string) *state.Snapshot {
		s := cluster(t, free, c, pool)
		tx := state.Begin(s)
		// On the roomiest two small volumes, on the next one large one.
		for i, v := range []struct {
			node string
			kib  int64
		}{{"n1", 8192}, {"n1", 8192}, {"n2", 512 << 10}} {
			d := &model.ResourceDefinition{UUID: model.UUID(fmt.Sprintf("d-%d", i)), Name: fmt.Sprintf("d%d", i), Layers: []model.LayerKind{model.LayerStorage},
				Volumes:   []model.VolumeDefinition{{UUID: model.UUID(fmt.Sprintf("vd-%d", i)), SizeKiB: v.kib}},
				Resources: []model.Resource{{UUID: model.UUID(fmt.Sprintf("r-%d", i)), Node: v.node, Volumes: []model.Volume{{UUID: model.UUID(fmt.Sprintf("v-%d", i)), Pool: "swpool"}}}}}
			if err := tx.PutDefinition(d); err != nil {
				t.Fatal(err)
			}
		}
		return tx.Snapshot()
	}
	want(t, with(nil, nil), "n1")
	const w = "Autoplacer/Weights/"
	want(t, with(map[string]string{w + "MaxFreeSpace": "0", w + "MinRscCount": "1"}, nil), "n0")
	want(t, with(map[string]string{w + "MaxFreeSpace": "0.1", w + "MinReservedSpace": "1"}, nil), "n1")
	fast := func(i int) map[string]string {
		return map[string]string{"Autoplacer/MaxThroughput": fmt.Sprint(100 << i)}
	}
	want(t, with(map[string]string{w + "MaxFreeSpace": "0", w + "MaxThroughput": "1"}, fast), "n2")
	throttled := map[string]string{w + "MaxFreeSpace": "0", w + "MaxThroughput": "1", "sys/fs/blkio_throttle_write": "350"}
	want(t, with(throttled, fast), "n0")
}

// What Query promises fits, and nothing larger does.
func TestQueryIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var free []int64
		for range rapid.IntRange(1, 5).Draw(rt, "nodes") {
			free = append(free, rapid.Int64Range(0, 64).Draw(rt, "MiB")<<10)
		}
		n := rapid.IntRange(1, 3).Draw(rt, "count")
		s := cluster(t, free, nil, nil)
		d := &state.Definition{ResourceDefinition: &model.ResourceDefinition{UUID: "new", PeerSlots: 7}}
		q := Request{Definition: d, Count: n}
		sp := Query(s, q)
		try := func(kib int64) bool {
			q := q
			q.SizesKiB = []int64{d.Backing(&model.VolumeDefinition{SizeKiB: kib})}
			return Place(s, q).Chosen != nil
		}
		if sp.MaxKiB > 0 && !try(sp.MaxKiB) {
			rt.Fatalf("free %v: %d KiB don't fit", free, sp.MaxKiB)
		}
		if more := max(sp.MaxKiB+4, model.MinVolumeKiB); try(more) {
			rt.Fatalf("free %v: %d KiB fit, more than %d", free, more, sp.MaxKiB)
		}
		// The naive packing: give KiB after KiB (here MiB) to the n roomiest nodes.
		left := append([]int64(nil), free...)
		var naive int64
		for {
			taken := 0
			for _, i := range roomiest(left, n) {
				if left[i] >= 1024 {
					taken++
				}
			}
			if taken < n {
				break
			}
			for _, i := range roomiest(left, n) {
				left[i] -= 1024
			}
			naive += 1024
		}
		if sp.AvailableKiB < naive || sp.AvailableKiB >= naive+1024 {
			rt.Fatalf("free %v, %d replicas: available %d, want %d", free, n, sp.AvailableKiB, naive)
		}
	})
}

func roomiest(left []int64, n int) []int {
	var out []int
	for len(out) < min(n, len(left)) {
		best := -1
		for i := range left {
			used := false
			for _, o := range out {
				used = used || o == i
			}
			if !used && (best < 0 || left[i] > left[best]) {
				best = i
			}
		}
		out = append(out, best)
	}
	return out
}
