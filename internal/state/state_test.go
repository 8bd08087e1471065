package state_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// The indexes are what a walk over everything would find, whatever was put, seen, dropped, joined or thrown away.
func TestIndexesAgainstAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := state.Build(state.Loaded{})
		tx := state.Begin(s)
		nodes := []string{"alpha", "bravo"}
		for _, n := range nodes {
			tx.PutNode(&model.Node{Name: n, Pools: []model.StoragePool{{UUID: model.UUID("p" + n), Name: "swpool", Kind: model.LVM}}})
		}
		serial := 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				f := tx.Fork()
				serial++
				d := &model.ResourceDefinition{UUID: model.UUID(fmt.Sprintf("d%d", serial)), Name: rapid.SampledFrom([]string{"a", "B", "c"}).Draw(t, "name"), DRBD: model.DRBD9, PeerSlots: 7}
				if old := f.Snapshot().Definition(d.Name); old != nil && rapid.Bool().Draw(t, "change") {
					d = old.ResourceDefinition.Clone()
				} else if old != nil && !old.Deleting {
					gone := old.ResourceDefinition.Clone()
					gone.Deleting = true
					if err := f.PutDefinition(gone); err != nil {
						t.Fatal(err)
					}
				}
				d.Volumes, d.Resources = nil, nil
				for n := range rapid.IntRange(0, 2).Draw(t, "volumes") {
					m := f.Snapshot().FreeMinor(1000, 2000)
					d.Volumes = append(d.Volumes, model.VolumeDefinition{Number: n, SizeKiB: int64(4096 * rapid.IntRange(1, 9).Draw(t, "size")), Minor: m + n})
				}
				for i, n := range nodes {
					if !rapid.Bool().Draw(t, "on") {
						continue
					}
					r := model.Resource{UUID: model.UUID(fmt.Sprintf("%s-r%d-%d", d.UUID, i, serial)), Node: n, Port: f.Snapshot().FreePort(n, 7000, 7999), Diskless: rapid.Bool().Draw(t, "diskless")}
					for _, v := range d.Volumes {
						r.Volumes = append(r.Volumes, model.Volume{UUID: model.UUID(fmt.Sprintf("%s-v%d", r.UUID, v.Number)), Number: v.Number, Pool: "swpool"})
					}
					d.Resources = append(d.Resources, r)
				}
				if err := f.PutDefinition(d); err != nil {
					return // numbers clash with those of another: the fork is dropped
				}
				if rapid.Bool().Draw(t, "keep") {
					tx.Join(f)
				}
			},
			"see": func(t *rapid.T) {
				n := rapid.SampledFrom(nodes).Draw(t, "node")
				p := model.PoolStatus{UUID: model.UUID("p" + n), Name: "swpool"}
				tx.Snapshot().OnNode(n, func(d *state.Definition) bool {
					for _, r := range d.Resources {
						for _, v := range r.Volumes {
							if r.Node == n && rapid.Bool().Draw(t, "counted") {
								p.Volumes = append(p.Volumes, v.UUID)
							}
						}
					}
					return true
				})
				tx.SeeNode(n, &model.NodeObserved{Status: model.StatusOnline, NodeReport: model.NodeReport{Pools: []model.PoolStatus{p}}})
			},
			"drop": func(t *rapid.T) {
				if d := tx.Snapshot().Definition(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")); d != nil {
					tx.DropDefinition(d.UUID)
				}
			},
			"": func(t *rapid.T) { walk(t, tx.Publish(1), nodes) },
		})
	})
}

func walk(t *rapid.T, s *state.Snapshot, nodes []string) {
	pending, reserved := map[string]int64{}, map[string]int64{}
	live := map[string]model.UUID{}
	s.AllDefinitions(func(d *state.Definition) bool {
		if !d.Deleting {
			if other, twice := live[model.Key(d.Name)]; twice {
				t.Fatalf("%s and %s are both called %s", other, d.UUID, d.Name)
			}
			live[model.Key(d.Name)] = d.UUID
			if got := s.Definition(d.Name); got == nil || got.UUID != d.UUID {
				t.Fatalf("the name %s leads to %v, not to %s", d.Name, got, d.UUID)
			}
		}
		for _, v := range d.Volumes {
			if u := s.MinorUser(v.Minor); u != d.UUID {
				t.Fatalf("minor %d is %s's, not %s's", v.Minor, u, d.UUID)
			}
		}
		for _, r := range d.Resources {
			if u := s.PortUser(r.Node, r.Port); u != d.UUID {
				t.Fatalf("port %d on %s is %s's, not %s's", r.Port, r.Node, u, d.UUID)
			}
			found := false
			s.OnNode(r.Node, func(o *state.Definition) bool {
				found = found || o.UUID == d.UUID
				return true
			})
			if !found {
				t.Fatalf("%s isn't listed on %s", d.UUID, r.Node)
			}
			counted := map[model.UUID]bool{}
			for _, p := range s.Node(r.Node).Seen.Pools {
				for _, id := range p.Volumes {
					counted[id] = true
				}
			}
			for _, v := range r.Volumes {
				if vd := d.Volume(v.Number); vd != nil && !r.Diskless {
					reserved[r.Node] += d.Backing(vd)
				}
				if vd := d.Volume(v.Number); vd != nil && !r.Diskless && !counted[v.UUID] {
					pending[r.Node] += d.Backing(vd)
				}
			}
		}
		return true
	})
	for _, n := range nodes {
		if got := s.Reserved(n, "SWPOOL"); got != reserved[n] {
			t.Fatalf("%d KiB are reserved on %s, a walk finds %d", got, n, reserved[n])
		}
		if got := s.Pending(n, "SWPOOL"); got != pending[n] {
			t.Fatalf("%d KiB are pending on %s, a walk finds %d", got, n, pending[n])
		}
	}
}
