package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// A volume group isn't looked at for what was made in it, which is known; a thin pool is, soon: others fill it.
func TestForeseen(t *testing.T) {
	for _, thin := range []bool{false, true} {
		r := newRig(t, model.DRBD8, "alpha")
		alpha := r.nodes[0]
		pool := model.PoolSpec{UUID: "p1", Name: "swpool", Kind: model.LVM, Backing: "sw_ssd"}
		if thin {
			alpha.m.AddThin("sw_ssd", "thin", 1<<20, true)
			pool.Kind, pool.Backing = model.LVMThin, "sw_ssd/thin"
		}
		alpha.pools = []model.PoolSpec{pool}
		r.run(5 * time.Second)
		before := alpha.report.Pools[0]
		logged := alpha.m.Logged()
		r.deploy("backups", model.DRBD8, model.SeedSync, 1)
		r.run(2 * time.Second)
		r.upToDate("backups")
		if n := alpha.ran(logged, "fullreport"); n != 0 {
			t.Errorf("thin %v: looked %d times", thin, n)
		}
		if v := alpha.volume("backups", 0); v.Backing != "/dev/sw_ssd/backups_00000" || (v.AllocKiB == 0) != thin {
			t.Errorf("thin %v: %+v", thin, v)
		}
		if after := alpha.report.Pools[0]; !thin && after.FreeKiB != before.FreeKiB-alpha.a.pools["swpool"].last.Device("backups_00000").SizeKiB ||
			len(after.Volumes) != 1 || after.SeenMS != before.SeenMS {
			t.Errorf("thin %v: %+v, was %+v", thin, after, before)
		}
		if !thin {
			continue
		}
		alpha.m.FillThin("sw_ssd", "thin", 1<<20, 80)
		r.run(poolSoon)
		if p := alpha.report.Pools[0]; p.Trouble == "" || p.MetaPercent < 80 {
			t.Errorf("full: %+v", p)
		}
	}
}
