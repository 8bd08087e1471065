package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

func TestCreateSyncDelete(t *testing.T) {
	for name, c := range map[string]struct {
		gen   model.DRBDGeneration
		nodes []string
		seed  model.Seed
	}{
		"8.4":      {model.DRBD8, []string{"alpha", "bravo"}, model.SeedSync},
		"8.4 skip": {model.DRBD8, []string{"alpha", "bravo"}, model.SeedSkip},
		"9":        {model.DRBD9, []string{"alpha", "bravo", "charlie"}, model.SeedSync},
		"9 skip":   {model.DRBD9, []string{"alpha", "bravo", "charlie"}, model.SeedSkip},
		"one node": {model.DRBD8, []string{"alpha"}, model.SeedSync},
		"one, 9":   {model.DRBD9, []string{"alpha"}, model.SeedSync},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.gen, c.nodes...)
			r.deploy("backups", c.gen, c.seed, 2)
			r.run(20 * time.Second)
			r.upToDate("backups")
			for _, n := range r.nodes {
				st := n.of("backups")
				if v := st.Volume(1); v.Device != "/dev/drbd1001" || v.Backing != "/dev/sw_ssd/backups_00001" || v.UsableKiB < 64<<10 || v.AllocKiB < v.UsableKiB {
					t.Errorf("%s: %+v", n.name, v)
				}
				if len(st.Peers) != len(c.nodes)-1 {
					t.Errorf("%s: %+v", n.name, st.Peers)
				}
				for _, p := range st.Peers {
					if p.State != model.Connected || len(p.Volumes) != 2 || p.Volumes[0].PeerDisk != model.DiskUpToDate {
						t.Errorf("%s: %+v", n.name, p)
					}
				}
				if p := n.report.Pools; len(p) != 1 || len(p[0].Volumes) != 2 || p[0].Reason != "" || p[0].TotalKiB-p[0].FreeKiB < 128<<10 {
					t.Errorf("%s: %+v", n.name, p)
				}
				if len(n.report.Orphans) > 0 || n.report.DRBD != c.gen {
					t.Errorf("%s: %+v", n.name, n.report)
				}
			}
			for _, n := range r.nodes {
				n.remove("backups", whole)
			}
			r.run(10 * time.Second)
			for _, n := range r.nodes {
				if st := n.of("backups"); !st.Gone || st.Phase != model.Done {
					t.Errorf("%s: %+v", n.name, st)
				}
				n.nothingLeft()
				n.specs = nil
			}
			r.run(time.Second)
			for _, n := range r.nodes {
				if len(n.status) > 0 || len(n.a.kept.Initialised) > 0 || len(n.a.kept.Data) > 0 {
					t.Errorf("%s still knows of it: %+v", n.name, n.a.kept)
				}
			}
		})
	}
}
