package place

import (
	"slices"
	"sort"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Space says how much more could be placed by a request.
type Space struct {
	// MaxKiB is the largest volume, as its user sees it, that could be made now; thin pools may promise more than they have.
	MaxKiB int64
	// AvailableKiB and CapacityKiB are what volumes of any size could still take, and could if all was empty, once for all
	// replicas; of thin pools what they really have.
	AvailableKiB, CapacityKiB int64
	// Largest are the pools that give MaxKiB; Next those that the next placement takes.
	Largest, Next []Choice
	AllThin       bool // Largest
	Refused       []Refused
}

// Query tells the space for q.Count replicas of one more volume; q.SizesKiB is not looked at.
func Query(s *state.Snapshot, q Request) Space {
	cands, refused := gather(s, q, 0)
	var sp Space
	sp.Refused = refused
	sp.AvailableKiB = packed(cands, q.Count, func(c candidate) int64 { return real(c).FreeKiB })
	sp.CapacityKiB = packed(cands, q.Count, func(c candidate) int64 { return real(c).TotalKiB })
	sp.Next = Place(s, Request{Definition: q.Definition, Filter: q.Filter, Count: q.Count,
		SizesKiB: []int64{q.Definition.Backing(&model.VolumeDefinition{SizeKiB: model.MinVolumeKiB})}}).Chosen

	// The best smallest pool is that of the fewest roomiest pools among which there is a choice at all.
	for i := range cands {
		cands[i].score = float64(cands[i].free)
	}
	slices.SortStableFunc(cands, byScore)
	need := sort.Search(len(cands)+1, func(k int) bool {
		chosen, _ := choose(s, q, cands[:k])
		return chosen != nil
	})
	if need > len(cands) || need == 0 {
		return sp
	}
	chosen, _ := choose(s, q, cands[:need])
	sp.AllThin = true
	least := chosen[0].free
	for _, c := range chosen {
		sp.Largest = append(sp.Largest, Choice{c.node.Name, c.pool.Name})
		sp.AllThin = sp.AllThin && c.pool.Kind.Thin()
		least = min(least, c.free)
	}
	sp.MaxKiB = usable(q.Definition.ResourceDefinition, least)
	return sp
}

// real is what the pool has, without promises beyond it.
func real(c candidate) model.PoolStatus {
	for _, st := range c.node.Seen.Pools {
		if st.UUID == c.pool.UUID {
			if !c.pool.Kind.Thin() {
				st.FreeKiB = c.free
			}
			return st
		}
	}
	return model.PoolStatus{}
}

// packed is the largest sum of sizes of volumes that fit with n replicas each on different nodes.
func packed(cands []candidate, n int, size func(candidate) int64) int64 {
	nodes := map[model.UUID]int64{}
	var all int64
	for _, c := range cands {
		nodes[c.node.UUID] += size(c)
		all += size(c)
	}
	if n < 1 || len(nodes) < n {
		return 0
	}
	// x fits if the nodes, none of which can take more than x, together take n times x.
	limit := all/int64(n) + 1
	over := sort.Search(int(limit), func(x int) bool {
		var sum int64
		for _, has := range nodes {
			sum += min(has, int64(x)+1)
		}
		return sum < (int64(x)+1)*int64(n)
	})
	return int64(over)
}

// usable is the largest size of a volume whose backing device has at most that many KiB; 0 if there is none.
func usable(d *model.ResourceDefinition, backing int64) int64 {
	backing = min(backing, 2*model.MaxVolumeKiB)
	const block = 4 // KiB
	n := sort.Search(int(backing/block), func(i int) bool {
		return d.Backing(&model.VolumeDefinition{SizeKiB: int64(i+1) * block}) > backing
	})
	size := min(int64(n)*block, model.MaxVolumeKiB)
	if size < model.MinVolumeKiB {
		return 0
	}
	return size
}
