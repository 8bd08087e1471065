package controller

import (
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/wire"
)

// A thin pool's forecast comes from the reports of an hour, outlives a session, and ends when nothing has changed for an hour.
func TestThinPoolForecast(t *testing.T) {
	r := newRig(t)
	a := r.node("alpha")
	a.report.Providers = append(a.report.Providers, model.LVMThin)
	first := a.report
	r.b.Message("alpha", a.id, wire.Report{Node: &first}, r.now)
	r.run()
	if _, err := r.do(core.PoolCreate{Node: "alpha", Name: "thin", Kind: "LVM_THIN", Props: map[string]string{model.PropPoolName: "sw_ssd/thin"}}, time.Second); err != nil {
		t.Fatal(err)
	}
	say := func(used int64) {
		t.Helper()
		a.report.Pools = nil
		for _, p := range a.pools {
			a.report.Pools = append(a.report.Pools, model.PoolStatus{UUID: p.UUID, Name: p.Name, FreeKiB: 1000 - used, TotalKiB: 1000})
		}
		rep := a.report
		r.b.Message("alpha", a.id, wire.Report{Node: &rep}, r.now)
		r.run()
	}
	fill := func() []model.PoolFill { return r.b.Snapshot().Node("alpha").Seen.Fill }
	say(100)
	r.forward(10 * time.Minute)
	r.b.Lost("alpha", a.id, "cut", r.now)
	r.run()
	r.online("alpha")
	say(200)
	f := fill()
	if len(f) != 1 || f[0].Pool != r.b.Snapshot().Node("alpha").Pool("thin").UUID || f[0].FullMS == 0 {
		t.Fatalf("%+v", f)
	}
	if left := time.Duration(f[0].FullMS-r.now.UnixMilli()) * time.Millisecond; left < 79*time.Minute || left > 82*time.Minute {
		t.Errorf("full in %s, want 80 minutes", left)
	}
	r.forward(59 * time.Minute)
	if fill()[0].FullMS == 0 {
		t.Error("it is forgotten too early")
	}
	r.forward(2 * time.Minute)
	if fill()[0].FullMS != 0 {
		t.Error("an hour without news, and it still fills")
	}
}
