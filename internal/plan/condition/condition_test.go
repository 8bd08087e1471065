package condition

import (
	"slices"
	"strings"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// backups has one volume with data on alpha and bravo, both online, UpToDate and connected, under DRBD 9.
func backups(t *testing.T) (*state.Tx, *model.ResourceDefinition, map[string]*model.ResourceStatus) {
	t.Helper()
	s, problems := state.Build(state.Loaded{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tx := state.Begin(s)
	d := &model.ResourceDefinition{UUID: "def", Name: "backups", DRBD: model.DRBD9, Generation: 1,
		Volumes: []model.VolumeDefinition{{UUID: "vd", Minor: 1000, SizeKiB: 4096, Initialised: true}}}
	seen := map[string]*model.ResourceStatus{}
	for i, n := range []string{"alpha", "bravo"} {
		tx.PutNode(&model.Node{UUID: model.UUID(n), Name: n, Type: model.Satellite})
		tx.SeeNode(n, &model.NodeObserved{Status: model.StatusOnline})
		d.Resources = append(d.Resources, model.Resource{UUID: model.UUID("r-" + n), Node: n, NodeID: i, Port: 7000,
			Volumes: []model.Volume{{UUID: model.UUID("v-" + n), Pool: "swpool", Initialised: true}}})
		other := map[string]string{"alpha": "bravo", "bravo": "alpha"}[n]
		seen[n] = &model.ResourceStatus{Definition: "def", Name: "backups", ID: model.UUID("r-" + n), Generation: 1, Phase: model.Done,
			Volumes: []model.VolumeStatus{{ID: model.UUID("v-" + n), Disk: model.DiskUpToDate, HasQuorum: true}},
			Peers: []model.PeerStatus{{Node: other, State: model.Connected,
				Volumes: []model.PeerVolumeStatus{{Replication: "Established", PeerDisk: model.DiskUpToDate}}}}}
	}
	return tx, d, seen
}

func TestConditions(t *testing.T) {
	type world map[string]*model.ResourceStatus
	apart := func(w world) {
		w["alpha"].Peers[0].State, w["bravo"].Peers[0].State = model.StandAlone, "Connecting"
		w["alpha"].Peers[0].Volumes, w["bravo"].Peers[0].Volumes = nil, nil
	}
	cases := []struct {
		name  string
		make  func(world, *state.Tx)
		kinds []Kind
		// free: the first mend loses nothing.
		free bool
	}{
		{"all is well", func(world, *state.Tx) {}, nil, false},
		{"split brain", func(w world, _ *state.Tx) { apart(w) }, []Kind{SplitBrain}, false},
		{"one is Inconsistent", func(w world, _ *state.Tx) {
			apart(w)
			w["bravo"].Volumes[0].Disk = model.DiskInconsistent
		}, []Kind{StandAlone, Behind}, true},
		{"doesn't sync", func(w world, _ *state.Tx) { w["bravo"].Volumes[0].Disk = model.DiskInconsistent }, []Kind{StuckResync}, true},
		{"syncs", func(w world, _ *state.Tx) {
			w["bravo"].Volumes[0].Disk, w["bravo"].Peers[0].Volumes[0].Replication = model.DiskInconsistent, "SyncTarget"
		}, nil, false},
		{"waits for a bitmap", func(w world, _ *state.Tx) {
			w["bravo"].Volumes[0].Disk, w["bravo"].Peers[0].Volumes[0].Replication = model.DiskInconsistent, "WFBitMapT"
		}, nil, false},
		{"waits for a bitmap of another size", func(w world, _ *state.Tx) {
			w["bravo"].Volumes[0].Disk, w["bravo"].Peers[0].Volumes[0].Replication = model.DiskInconsistent, "WFBitMapT"
			w["bravo"].Volumes[0].UsableKiB, w["alpha"].Volumes[0].UsableKiB = 8192, 4096
			w["alpha"].Peers = append(w["alpha"].Peers, model.PeerStatus{Node: "charlie", State: "Connecting"})
		}, []Kind{StuckResync}, true},
		{"no quorum", func(w world, _ *state.Tx) {
			w["alpha"].Volumes[0].HasQuorum, w["alpha"].Peers[0].State, w["alpha"].Suspended = false, "Connecting", true
		}, []Kind{LostQuorum, SuspendedIO}, true},
		{"quorum waits for a sync", func(w world, _ *state.Tx) {
			w["alpha"].Volumes[0].HasQuorum, w["alpha"].Peers[0].Volumes[0].PeerDisk = false, model.DiskInconsistent
		}, []Kind{LostQuorum}, true},
		{"the disk fell off", func(w world, _ *state.Tx) { w["bravo"].Volumes[0].Disk = model.DiskDiskless }, []Kind{FailedDisk}, true},
		{"nobody is good", func(w world, _ *state.Tx) {
			w["alpha"].Volumes[0].Disk, w["bravo"].Volumes[0].Disk = model.DiskInconsistent, "Outdated"
			w["alpha"].Peers[0].Volumes[0].PeerDisk, w["bravo"].Peers[0].Volumes[0].PeerDisk = "Outdated", model.DiskInconsistent
		}, []Kind{NoGoodCopy, Behind, Behind}, false},
		{"offline", func(_ world, tx *state.Tx) {
			tx.SeeNode("bravo", &model.NodeObserved{Status: model.StatusOffline, Reason: "silent"})
		},
			[]Kind{Unseen}, false},
		{"held back", func(w world, _ *state.Tx) { w["bravo"].Phase, w["bravo"].Reason = model.Blocked, "another DRBD" }, []Kind{Held}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tx, d, seen := backups(t)
			if err := tx.PutDefinition(d); err != nil {
				t.Fatal(err)
			}
			c.make(seen, tx)
			for _, n := range []string{"alpha", "bravo"} {
				tx.SeeResource("def", seen[n].ID, seen[n])
			}
			got := Of(tx.Snapshot(), tx.Snapshot().DefinitionByID("def"))
			var kinds []Kind
			for _, g := range got {
				kinds = append(kinds, g.Kind)
				if g.Message == "" || g.Resource != "backups" {
					t.Errorf("%+v", g)
				}
				for _, m := range g.Mends {
					if m.LosesNothing == (m.Loses != "") {
						t.Errorf("%s: a mend loses nothing or says what: %+v", g.Kind, m)
					}
				}
			}
			if !slices.Equal(kinds, c.kinds) {
				t.Fatalf("%v, not %v: %+v", kinds, c.kinds, got)
			}
			if len(got) > 0 && len(got[0].Mends) > 0 && got[0].Mends[0].LosesNothing != c.free {
				t.Errorf("%+v", got[0].Mends)
			}
		})
	}
}

// What is in use is never offered as the side to be given up.
func TestSplitBrainKeepsThePrimary(t *testing.T) {
	tx, d, seen := backups(t)
	if err := tx.PutDefinition(d); err != nil {
		t.Fatal(err)
	}
	seen["alpha"].InUse = true
	for _, n := range []string{"alpha", "bravo"} {
		seen[n].Peers[0].State = model.StandAlone
		tx.SeeResource("def", seen[n].ID, seen[n])
	}
	got := Of(tx.Snapshot(), tx.Snapshot().DefinitionByID("def"))
	if len(got) != 1 || len(got[0].Mends) != 1 || !strings.Contains(got[0].Mends[0].Loses, "bravo") {
		t.Errorf("%+v", got)
	}
}
