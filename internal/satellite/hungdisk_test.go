package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// The disk beneath a volume group answers nothing. LVM reads every disk to find one group, so its programs must be told which
// disks are the group's: then the other group's pool is read and gets volumes as ever.
func TestHungDiskHoldsUpItsPoolAlone(t *testing.T) {
	r, alpha, bravo := pair(t)
	for _, n := range []*node{alpha, bravo} {
		n.pools = append(n.pools, model.PoolSpec{UUID: "p2", Name: "second", Kind: model.LVM, Backing: "other"})
	}
	r.run(10 * time.Second)
	alpha.m.HangDisk("other", true)
	r.run(2 * time.Minute)
	if h := alpha.report.Hung; len(h) != 1 || h[0].Pool != "second" {
		t.Fatalf("%+v", h)
	}
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	r.upToDate("backups")
	for _, p := range alpha.report.Pools {
		if (p.Reason != "") != (p.Name == "second") {
			t.Errorf("%+v", p)
		}
	}
	alpha.m.HangDisk("other", false)
	r.run(70 * time.Second)
	if len(alpha.report.Hung) > 0 || alpha.report.Pools[0].Reason+alpha.report.Pools[1].Reason != "" {
		t.Errorf("%+v", alpha.report)
	}
}
