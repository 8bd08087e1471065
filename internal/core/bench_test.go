package core_test

import (
	"fmt"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// BenchmarkAutoplace places three replicas in a cluster of 200 nodes that carry 10,000 definitions.
func BenchmarkAutoplace(b *testing.B) {
	w := newWorld(&testing.T{})
	const nodes, defs = 200, 10000
	for i := range nodes {
		w.node(fmt.Sprintf("node%03d", i), model.DRBD9, 1<<40)
	}
	vols := map[string][]model.UUID{}
	for i := range defs {
		d := &model.ResourceDefinition{UUID: w.env.UUID(), Name: fmt.Sprintf("r%05d", i), Group: model.DefaultGroup, DRBD: model.DRBD9, PeerSlots: 7,
			Volumes: []model.VolumeDefinition{{SizeKiB: 1 << 20, Minor: 1000 + i, Initialised: true}}}
		for j := range 3 {
			n := fmt.Sprintf("node%03d", (i*7+j*61)%nodes)
			v := model.Volume{UUID: w.env.UUID(), Pool: "swpool", Initialised: true}
			vols[n] = append(vols[n], v.UUID)
			d.Resources = append(d.Resources, model.Resource{UUID: w.env.UUID(), Node: n, NodeID: j, Port: w.tx.Snapshot().FreePort(n, 7000, 7999), Volumes: []model.Volume{v}})
		}
		if err := w.tx.PutDefinition(d); err != nil {
			b.Fatal(err)
		}
	}
	w.tx.Snapshot().Nodes(func(n *state.Node) bool {
		seen := *n.Seen
		seen.Pools = []model.PoolStatus{seen.Pools[0]}
		seen.Pools[0].Volumes = vols[n.Name]
		w.tx.SeeNode(n.Name, &seen)
		return true
	})
	w.do(core.DefinitionCreate{Name: "new"})
	w.do(core.VolumeCreate{Definition: "new", SizeKiB: 8192})
	w.tx.Touched()
	for b.Loop() {
		if _, err := (core.Autoplace{Definition: "new", Filter: model.SelectFilter{PlaceCount: 3}}).Apply(w.tx.Fork(), w.env); err != nil {
			b.Fatal(err)
		}
	}
}
