package condition

import (
	"strings"
	"testing"

	"holdfast/internal/model"
)

// With 8.4, a replica that came up alone is pointed out until it meets its peer, or somebody uses it.
func TestUnmet(t *testing.T) {
	tx, d, seen := backups(t)
	d.DRBD = model.DRBD8
	if err := tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	tx.SeeNode("bravo", &model.NodeObserved{Status: model.StatusOffline})
	is := func() (found *Condition) {
		tx.SeeResource("def", "r-alpha", seen["alpha"])
		for _, c := range Of(tx.Snapshot(), tx.Snapshot().Definition("backups")) {
			if c.Kind == Unmet {
				found = &c
			}
		}
		return found
	}
	st := *seen["alpha"]
	alone := func(change func(*model.ResourceStatus)) *Condition {
		c := st
		c.Peers = []model.PeerStatus{{Node: "bravo", State: "Connecting"}}
		if change != nil {
			change(&c)
		}
		seen["alpha"] = &c
		return is()
	}
	c := alone(nil)
	if c == nil || c.Node != "alpha" || c.Peer != "bravo" || !c.Mends[0].LosesNothing || !strings.Contains(c.Mends[1].Loses, "bravo") {
		t.Fatalf("%+v", c)
	}
	for name, change := range map[string]func(*model.ResourceStatus){
		"it has met its peer":   func(s *model.ResourceStatus) { s.MetPeer = true },
		"it is in use":          func(s *model.ResourceStatus) { s.InUse = true },
		"it isn't good":         func(s *model.ResourceStatus) { s.Volumes = []model.VolumeStatus{{Disk: model.DiskInconsistent}} },
		"it is connected again": func(s *model.ResourceStatus) { s.Peers = []model.PeerStatus{{Node: "bravo", State: model.Connected}} },
	} {
		if c := alone(change); c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
