package plan_test

import (
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/plan"
)

const minute = 60_000

// filler is a pool of 1000 KiB on a model clock.
type filler struct {
	now  int64
	fill []model.PoolFill
}

func (f *filler) at(minutes, used int64, meta float64) model.PoolFill {
	f.now = minutes * minute
	f.fill = plan.Fill(f.fill, []model.PoolStatus{{UUID: "p", TotalKiB: 1000, FreeKiB: 1000 - used, MetaPercent: meta}}, func(model.UUID) bool { return true }, f.now)
	return f.fill[0]
}

func TestFillForecast(t *testing.T) {
	var f filler
	if got := f.at(1000, 100, 0); got.FullMS != 0 {
		t.Errorf("one look says %d", got.FullMS)
	}
	if got := f.at(1004, 400, 0); got.FullMS != 0 {
		t.Errorf("four minutes say %d", got.FullMS)
	}
	if got := f.at(1010, 200, 10); got.FullMS != 1090*minute || got.MetaFullMS != 1100*minute {
		t.Errorf("10 KiB and a percent a minute: full at %d and %d min", got.FullMS/minute, got.MetaFullMS/minute)
	}
	if got := f.at(1020, 100, 10); got.FullMS != 0 || got.MetaFullMS == 0 {
		t.Errorf("emptied: %+v", got)
	}
	// Only the last hour counts, and before a change all was as it had been.
	for m := int64(1021); m < 1300; m++ {
		f.at(m, 100, 10)
	}
	if got := f.at(1300, 160, 10); got.FullMS != (1300+840)*minute || got.MetaFullMS != 0 {
		t.Errorf("60 KiB in an hour: full at %d min, %+v", got.FullMS/minute, got)
	}
	if got := f.at(1500, 220, 10); got.FullMS != (1500+780)*minute || len(got.Samples) > 62 {
		t.Errorf("60 KiB, and silence before: full at %d min, %d samples", got.FullMS/minute, len(got.Samples))
	}
	if plan.FillStale(f.fill, f.now+59*minute) || !plan.FillStale(f.fill, f.now+60*minute) {
		t.Error("it is stale after an hour without news")
	}
	if got := f.at(1600, 1000, 10); got.FullMS != 1600*minute {
		t.Errorf("full: %d", got.FullMS/minute)
	}
	if got := plan.Fill(f.fill, []model.PoolStatus{{UUID: "p", TotalKiB: 2000, FreeKiB: 1000}}, func(model.UUID) bool { return true }, f.now); len(got[0].Samples) != 1 {
		t.Errorf("an extended pool: %+v", got)
	}
	if got := plan.Fill(f.fill, []model.PoolStatus{{UUID: "p", TotalKiB: 1000}}, func(model.UUID) bool { return false }, f.now); got != nil {
		t.Errorf("a pool that isn't thin: %+v", got)
	}
}

// A slow drip is no news.
func TestFillFarAhead(t *testing.T) {
	var f filler
	f.at(0, 100, 0)
	if got := f.at(6000, 101, 0); got.FullMS != 0 {
		t.Errorf("full at %d min", got.FullMS/minute)
	}
}
