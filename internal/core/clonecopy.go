package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/place"
	"holdfast/internal/state"
)

// roomKiB of a snapshot that lasts while a volume of that many KiB is copied, for what is written to the volume meanwhile: a
// quarter of it, and at least 64 MiB.
func roomKiB(kib int64) int64 { return max(kib/4, 64<<10) }

// cheap tells whether all volumes of r are in pools that can have snapshots, which last without costing anything.
func cheap(n *state.Node, r *model.Resource) bool {
	return !slices.ContainsFunc(r.Volumes, func(v model.Volume) bool { return !snapshots(n, v) })
}

func snapshots(n *state.Node, v model.Volume) bool {
	p := n.Pool(v.Pool)
	return p == nil || slices.Contains(n.Seen.Snapshots, p.Kind)
}

// copyFrom chooses those of the replicas of which a clone is made: all in pools that can have snapshots. If there are none,
// one that is copied: it isn't in use, if possible, and its pools have room for the copy and, by volume, for what is
// written to the source meanwhile. sn is the snapshot, with its volumes.
func copyFrom(s *state.Snapshot, d *state.Definition, sn *model.Snapshot, cand []*model.Resource) (from []*model.Resource, room map[int]int64, err error) {
	for _, r := range cand {
		if cheap(s.Node(r.Node), r) {
			from = append(from, r)
		}
	}
	if len(from) > 0 {
		return from, nil, nil
	}
	var used, idle []*model.Resource
	for _, r := range cand {
		if st := d.Seen[r.UUID]; st != nil && st.InUse {
			used = append(used, r)
		} else {
			idle = append(idle, r)
		}
	}
	var why []string
	for _, r := range append(idle, used...) {
		n := s.Node(r.Node)
		need, room := map[string]int64{}, map[int]int64{}
		for _, v := range r.Volumes {
			if sv := sn.Volume(v.Number); sv != nil {
				need[v.Pool] += sv.BackingKiB
				if !snapshots(n, v) {
					room[v.Number] = roomKiB(sv.BackingKiB)
					need[v.Pool] += room[v.Number]
				}
			}
		}
		lacks := ""
		for _, pool := range slices.Sorted(maps.Keys(need)) {
			kib := need[pool]
			if p := n.Pool(pool); p != nil {
				if free, no := place.Free(s, n, p); no != "" {
					lacks = fmt.Sprintf("storage pool %s on %s: %s", p.Name, n.Name, no)
				} else if free < kib {
					lacks = fmt.Sprintf("in storage pool %s on %s %d KiB are free", p.Name, n.Name, free)
				}
				if lacks != "" {
					lacks += fmt.Sprintf(", %d are needed: for the copy, and for what is written to '%s' while it is copied", kib, d.Name)
					break
				}
			}
		}
		if lacks == "" {
			return []*model.Resource{r}, room, nil
		}
		why = append(why, lacks)
	}
	return nil, nil, fault.New(fault.NoSpace, fault.ResourceDefinition, "'%s' can't be cloned.", d.Name).
		Because("It has to be copied, and %s.", strings.Join(why, "; ")).
		Do("Extend the pool, or keep volumes that are cloned in a thin pool.").Ref("RscDfn", d.Name)
}

// alongside gives the clone m those replicas that aren't made from a snapshot because their pools can't: they are synced.
func alongside(tx *state.Tx, env Env, d *state.Definition, m *model.ResourceDefinition) (notes []fault.Note) {
	s := tx.Snapshot()
	for i := range d.Resources {
		r := &d.Resources[i]
		n := s.Node(r.Node)
		if !d.HasDRBD() || r.Deleting || r.Diskless || n == nil || !n.Online() || m.On(r.Node) != nil || cheap(n, r) {
			continue
		}
		on := ResourceOn{Node: r.Node, Pools: map[int]string{}}
		for _, v := range r.Volumes {
			on.Pools[v.Number] = v.Pool
		}
		if _, err := addReplica(tx, env, s.Definition(m.Name), m, on); err != nil {
			notes = append(notes, warn(fault.NoSpace, fault.Create, fault.Resource, refsOf(m.Name, r.Node), "The clone '%s' gets no replica on node '%s': %s", m.Name, r.Node, err))
		}
	}
	return notes
}
