package place

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// FullPercent is how full, in data or metadata, a thin pool may be before nothing new is made in it. A thin pool without
// room fails the writes to volumes that exist.
const FullPercent = 98

// ThinRatio is how many times its capacity a thin pool promises if nobody says otherwise (linstor-features 2.3).
const ThinRatio = 20.0

// Ratios of oversubscription.
type Ratios struct {
	General float64 // MaxOversubscriptionRatio
	Free    float64 // MaxFreeCapacityOversubscriptionRatio, else General
	Total   float64 // MaxTotalCapacityOversubscriptionRatio, else General
}

// RatiosOf a pool: of its properties, its definition's, the controller's, in this order. 1 for a kind that isn't thin.
func RatiosOf(s *state.Snapshot, p *model.StoragePool) Ratios {
	if !p.Kind.Thin() {
		return Ratios{1, 1, 1}
	}
	var def map[string]string
	if pd, ok := s.Controller().PoolDefs[model.Key(p.Name)]; ok {
		def = pd.Props
	}
	return RatiosIn(p.Props, def, s.Controller().Props)
}

// RatiosIn are those of a thin pool with these levels of properties, the first that sets one counts.
func RatiosIn(levels ...map[string]string) Ratios {
	read := func(key string, dflt float64) float64 {
		v, ok := props.First(key, levels...)
		if f, err := strconv.ParseFloat(v, 64); ok && err == nil && f >= 0 && !math.IsInf(f, 0) {
			return f
		}
		return dflt
	}
	var r Ratios
	r.General = read("MaxOversubscriptionRatio", ThinRatio)
	r.Free = read("MaxFreeCapacityOversubscriptionRatio", r.General)
	r.Total = read("MaxTotalCapacityOversubscriptionRatio", r.General)
	return r
}

// Status of the pool as its node reported it last, or nil.
func Status(n *state.Node, p *model.StoragePool) *model.PoolStatus {
	i := slices.IndexFunc(n.Seen.Pools, func(st model.PoolStatus) bool { return st.UUID == p.UUID })
	if i < 0 {
		return nil
	}
	return &n.Seen.Pools[i]
}

// DataPercent is how full the pool is, 0 to 100.
func DataPercent(st *model.PoolStatus) float64 {
	if st.TotalKiB <= 0 {
		return 0
	}
	return 100 * float64(st.TotalKiB-st.FreeKiB) / float64(st.TotalKiB)
}

// Full says why nothing new may be made in the pool whatever its size, as far as its last report tells; "" if it may.
func Full(n *state.Node, p *model.StoragePool) string {
	st := Status(n, p)
	switch {
	case st == nil:
		return ""
	case st.Trouble != "":
		return st.Trouble
	case st.MetaPercent >= FullPercent:
		return fmt.Sprintf("the metadata of its thin pool are %.1f %% full, and nothing new is made from %d %% on", st.MetaPercent, FullPercent)
	case p.Kind.Thin() && DataPercent(st) >= FullPercent:
		return fmt.Sprintf("it is %.1f %% full, and nothing new is made in a thin pool from %d %% on", DataPercent(st), FullPercent)
	}
	return ""
}

// Free space of a pool for new volumes in KiB. Of a thick pool: what was reported, minus what is desired there and isn't in
// that report yet. A thin one may promise more than it has: Ratios.Free times what was reported free, and in all with what
// it promised before Ratios.Total times its size, whichever is less (linstor-features 2.3).
func Free(s *state.Snapshot, n *state.Node, p *model.StoragePool) (kib int64, why string) {
	st := Status(n, p)
	if st == nil {
		return 0, "the node hasn't reported it yet"
	}
	if st.Reason != "" {
		return 0, st.Reason
	}
	if why := Full(n, p); why != "" {
		return 0, why
	}
	r := RatiosOf(s, p)
	free := times(st.FreeKiB, r.Free) - s.Pending(n.Name, p.Name)
	if p.Kind.Thin() {
		free = min(free, times(st.TotalKiB, r.Total)-s.Reserved(n.Name, p.Name))
	}
	return max(free, 0), ""
}

func times(kib int64, ratio float64) int64 {
	return int64(math.Min(float64(kib)*ratio, math.MaxInt64/2))
}
