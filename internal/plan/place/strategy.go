package place

import (
	"strconv"

	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// strategy is one view of what makes a pool a good place. A candidate's value is divided by the largest of all candidates
// and multiplied with the weight, the sum over the strategies is its score (linstor-features 3.1).
type strategy struct {
	name   string
	weight float64 // where the controller's property Autoplacer/Weights/<name> says nothing
	sign   float64 // 1: more is better, -1: less is
	value  func(*state.Snapshot, candidate, *usage) float64
}

// strategies are LINSTOR's. It knows MaxThroughput's weight but never looks at it; here it counts. MinRscCount has no
// weight by default: counting what is on every node at every placement isn't free.
var strategies = []strategy{
	{"MaxFreeSpace", 1, 1, func(_ *state.Snapshot, c candidate, _ *usage) float64 { return float64(c.free) }},
	{"MinReservedSpace", 0, -1, func(_ *state.Snapshot, c candidate, u *usage) float64 { return float64(u.kib[c.pool.UUID]) }},
	{"MinRscCount", 0, -1, func(_ *state.Snapshot, c candidate, u *usage) float64 { return float64(u.volumes[c.pool.UUID]) }},
	{"MaxThroughput", 0, 1, func(s *state.Snapshot, c candidate, u *usage) float64 {
		return number("Autoplacer/MaxThroughput", c.pool.Props, c.node.Props, s.Controller().Props) - u.throttles[c.pool.UUID]
	}},
}

// rate gives the candidates that have a pool their scores.
func rate(s *state.Snapshot, cands []candidate) {
	if len(cands) == 0 || cands[0].pool == nil {
		return
	}
	var u *usage
	values := make([]float64, len(cands))
	for _, st := range strategies {
		weight := st.weight
		if v, ok := s.Controller().Props["Autoplacer/Weights/"+st.name]; ok {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				weight = f
			}
		}
		if weight == 0 {
			continue
		}
		if u == nil && st.name != "MaxFreeSpace" {
			u = count(s, cands)
		}
		most := 0.0
		for i, c := range cands {
			values[i] = st.value(s, c, u)
			most = max(most, values[i])
		}
		for i := range cands {
			if most > 0 {
				cands[i].score += st.sign * weight * values[i] / most
			}
		}
	}
}

// usage is what is desired in the pools, by their ids.
type usage struct {
	kib       map[model.UUID]int64   // backing sizes
	volumes   map[model.UUID]int     // replicas' volumes
	throttles map[model.UUID]float64 // bytes/s that volumes there may take at most, those that have a limit
}

func count(s *state.Snapshot, cands []candidate) *usage {
	u := &usage{map[model.UUID]int64{}, map[model.UUID]int{}, map[model.UUID]float64{}}
	seen := map[model.UUID]bool{}
	for _, c := range cands {
		if seen[c.node.UUID] {
			continue
		}
		seen[c.node.UUID] = true
		s.OnNode(c.node.Name, func(d *state.Definition) bool {
			var group map[string]string
			if g := s.Group(d.Group); g != nil {
				group = g.Props
			}
			for i := range d.Resources {
				r := &d.Resources[i]
				if r.Diskless || model.Key(r.Node) != model.Key(c.node.Name) {
					continue
				}
				for j := range r.Volumes {
					v := &r.Volumes[j]
					p, vd := c.node.Pool(v.Pool), d.Volume(v.Number)
					if p == nil || vd == nil {
						continue
					}
					u.kib[p.UUID] += d.Backing(vd)
					u.volumes[p.UUID]++
					for _, key := range []string{"sys/fs/blkio_throttle_read", "sys/fs/blkio_throttle_write"} {
						u.throttles[p.UUID] += number(key, v.Props, r.Props, vd.Props, d.Props, group, c.node.Props, s.Controller().Props)
					}
				}
			}
			return true
		})
	}
	return u
}

func number(key string, levels ...map[string]string) float64 {
	v, _ := props.First(key, levels...)
	f, _ := strconv.ParseFloat(v, 64)
	return f
}
