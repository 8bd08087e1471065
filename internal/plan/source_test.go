package plan

import (
	"testing"

	"holdfast/internal/model"
)

// Of two copies of a controller each has one node: the one that knows of the other names no source for a first sync, which the
// other may have named too.
func TestNoSourceBesideAnotherController(t *testing.T) {
	for status, want := range map[model.ConnectionStatus]model.UUID{
		model.StatusOtherController: "", model.StatusUnknown: "", model.StatusOffline: "backups-alpha", model.StatusOnline: "backups-alpha",
	} {
		r := newRig(t)
		n := r.tx.Snapshot().Node("bravo").Node.Clone()
		n.Interfaces = []model.NetInterface{{Name: "default", Address: "10.77.0.2", Port: 3366, Active: true}}
		r.tx.PutNode(n)
		r.tx.SeeNode("bravo", &model.NodeObserved{Status: status})
		d := &model.ResourceDefinition{UUID: "backups", Name: "backups", DRBD: model.DRBD9, PeerSlots: 7,
			Volumes: []model.VolumeDefinition{{UUID: "v", SizeKiB: 65536, Minor: 1000}}}
		for k, node := range []string{"alpha", "bravo"} {
			d.Resources = append(d.Resources, model.Resource{UUID: model.UUID("backups-" + node), Node: node, NodeID: k, Port: 7000,
				Volumes: []model.Volume{{UUID: model.UUID("v-" + node), Pool: "thin", Initialised: true}}})
		}
		r.put(d)
		source := func() model.UUID { return r.tx.Snapshot().DefinitionByID("backups").Volumes[0].Source }
		if source() != want {
			t.Errorf("%s: %q", status, source())
		}
		r.tx.SeeNode("bravo", &model.NodeObserved{Status: model.StatusOffline})
		if r.after(); source() != "backups-alpha" {
			t.Errorf("%s, then offline: %q", status, source())
		}
	}
}
