package steps

import (
	"testing"

	"holdfast/internal/model"
)

// On 8.4 a replica that is being synced keeps its peer until it has its data; other changes don't wait.
func TestLeaves(t *testing.T) {
	for _, c := range []struct {
		name, before, disk, replication string
		gen                             model.DRBDGeneration
		waits                           bool
	}{
		{"another peer, in a sync", "charlie", model.DiskInconsistent, "SyncTarget", model.DRBD8, true},
		{"the same peer", "bravo", model.DiskInconsistent, "SyncTarget", model.DRBD8, false},
		{"synced", "charlie", model.DiskUpToDate, "Established", model.DRBD8, false},
		{"no sync runs", "charlie", model.DiskInconsistent, "Established", model.DRBD8, false},
		{"9 has room for both", "charlie", model.DiskInconsistent, "SyncTarget", model.DRBD9, false},
	} {
		p := planner{
			spec: model.ResourceSpec{Name: "db", DRBD: &model.DRBDSpec{Generation: c.gen, Peers: []model.PeerSpec{{Node: "bravo"}}}},
			seen: Seen{ConfigThere: true, Config: []byte("resource \"db\" {\n    on \"alpha\" {\n    }\n    on \"" + c.before + "\" {\n    }\n}\n"),
				Kernel: &Kernel{Volumes: map[int]KernelVolume{0: {Disk: c.disk}},
					Peers: []KernelPeer{{State: model.Connected, Volumes: map[int]KernelPeerVolume{0: {Replication: c.replication, Disk: model.DiskUpToDate}}}}}},
		}
		if why := p.leaves(); (why != "") != c.waits {
			t.Errorf("%s: %q", c.name, why)
		}
	}
}
