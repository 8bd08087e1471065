package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// A replica that takes no part in a snapshot, because its disk leaves a zpool, may still have what the others lack.
func TestSnapshotBesideALeavingDisk(t *testing.T) {
	w := snapping(t)
	for _, n := range []string{"alpha", "bravo"} {
		x := w.tx.Snapshot().Node(n).Node.Clone()
		x.Pool("swpool").Kind = model.ZFS
		w.tx.PutNode(x)
		seen := *w.tx.Snapshot().Node(n).Seen
		seen.Snapshots = []model.ProviderKind{model.ZFS}
		w.tx.SeeNode(n, &seen)
	}
	d := w.def("backups").ResourceDefinition.Clone()
	d.On("bravo").Toggle = model.Removing
	if err := w.tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	link := func(alpha, bravo string, inUse bool) {
		for node, state := range map[string]string{"alpha": alpha, "bravo": bravo} {
			other := map[string]string{"alpha": "bravo", "bravo": "alpha"}[node]
			w.see(node, "backups", model.DiskUpToDate, func(st *model.ResourceStatus) {
				st.Peers, st.InUse = []model.PeerStatus{{Node: other, State: state}}, inUse && node == "bravo"
			})
		}
	}
	take := core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "monday"}}}
	for _, c := range []struct {
		alpha, bravo string
		inUse        bool
		why          string
	}{
		{"Connecting", "Connecting", false, "nobody knows which one is newer"},
		{"Connecting", model.Connected, false, "nobody knows which one is newer"}, // bravo hasn't noticed yet
		{"Connecting", model.Connected, true, "DRBD on alpha isn't connected to bravo, where the resource is in use"},
	} {
		link(c.alpha, c.bravo, c.inUse)
		for _, cmd := range []core.Command{take, core.DefinitionClone{Source: "backups", Name: "copy"}} {
			if _, err := w.try(cmd); !fault.Is(err, fault.NotConnected) || !strings.Contains(fault.Of(err).Cause, c.why) {
				t.Errorf("%+v: %T: %v", c, cmd, err)
			}
		}
	}
	// Who names a node trusts it.
	link("Connecting", "Connecting", false)
	named := core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: "backups", Name: "trusted", Nodes: []string{"alpha"}}}}
	if _, err := w.try(named); err != nil {
		t.Error(err)
	}
	if sn := w.def("backups").Snapshot("trusted"); sn == nil || sn.Together {
		t.Errorf("%+v", sn)
	}
}
