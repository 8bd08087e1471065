package satellite

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
)

// What is kept is read back the same, and in a form that doesn't hang on the names of Go's fields.
func TestKeptFile(t *testing.T) {
	k := kept{Cluster: "c", Order: model.Order{Epoch: 7, Instance: "i"},
		State: model.NodeState{Pools: []model.PoolSpec{{UUID: "p", Name: "swpool", Kind: model.LVM, Backing: "sw_ssd"}},
			Resources: []model.ResourceSpec{{Definition: "d", Name: "backups", ID: "r", Generation: 3,
				DRBD:    &model.DRBDSpec{Generation: model.DRBD9, Secret: "s", PeerSlots: 7, Port: 7000, Forget: []int{2}},
				Volumes: []model.VolumeSpec{{ID: "v", Number: 1, Minor: 1000, SizeKiB: 4096, Pool: "swpool", Want: model.Gone, Seed: model.SeedSkip}}}}},
		Initialised: []model.UUID{"v"}, Data: []model.UUID{"v"},
		Unmentioned: map[model.UUID][]model.VolumeSpec{"r": {{ID: "w", Number: 2, Initialised: true}}},
		Epochs:      map[model.UUID]uint64{"r": 7}, Past: []past{{"old", 2}}, Forgotten: map[model.UUID][]int{"r": {2}}}
	b, err := k.marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := unmarshalKept(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(k, got, cmp.AllowUnexported(kept{}, past{})); d != "" {
		t.Error(d)
	}
	for _, want := range []string{`"schema":1`, `"initialised":["v"]`, `"sizeKib":"4096"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	if _, err := unmarshalKept([]byte(`{"schema":2}`)); err == nil || !strings.Contains(err.Error(), "newer release") {
		t.Error(err)
	}
}
