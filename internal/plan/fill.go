package plan

import (
	"slices"

	"holdfast/internal/model"
)

const (
	fillWindowMS  = 60 * 60_000      // so much of the past counts
	fillLeastMS   = 5 * 60_000       // less of it says nothing
	fillApartMS   = 60_000           // between samples
	fillHorizonMS = 30 * 24 * 3600e3 // further ahead nothing is said
)

// Fill adds to how thin pools have filled what their node says now, and forecasts when they are full. A node says something
// when it has changed: in between all was as before.
func Fill(before []model.PoolFill, pools []model.PoolStatus, thin func(model.UUID) bool, nowMS int64) (out []model.PoolFill) {
	for _, st := range pools {
		if st.Reason != "" || st.TotalKiB <= 0 || !thin(st.UUID) {
			continue
		}
		f := model.PoolFill{Pool: st.UUID, TotalKiB: st.TotalKiB}
		if i := slices.IndexFunc(before, func(o model.PoolFill) bool { return o.Pool == st.UUID && o.TotalKiB == st.TotalKiB }); i >= 0 {
			f.Samples = slices.Clone(before[i].Samples) // a pool that was extended begins anew
		}
		now := model.FillSample{AtMS: nowMS, UsedKiB: st.TotalKiB - st.FreeKiB, MetaPercent: st.MetaPercent}
		if n := len(f.Samples); n > 1 && nowMS-f.Samples[n-2].AtMS < fillApartMS {
			f.Samples[n-1] = now
		} else {
			f.Samples = append(f.Samples, now)
		}
		for len(f.Samples) > 1 && nowMS-f.Samples[1].AtMS >= fillWindowMS {
			f.Samples = f.Samples[1:]
		}
		f.FullMS = reached(f.Samples, float64(st.TotalKiB), func(s model.FillSample) float64 { return float64(s.UsedKiB) })
		f.MetaFullMS = reached(f.Samples, 100, func(s model.FillSample) float64 { return s.MetaPercent })
		out = append(out, f)
	}
	return out
}

// reached is when a quantity is at its end if it goes on as its samples did, in ms since 1970 UTC; 0: not in sight.
func reached(samples []model.FillSample, end float64, of func(model.FillSample) float64) int64 {
	first, last := samples[0], samples[len(samples)-1]
	span := last.AtMS - max(first.AtMS, last.AtMS-fillWindowMS)
	rate := of(last) - of(first)
	if span < fillLeastMS || rate <= 0 {
		return 0
	}
	left := max(0, end-of(last)) * float64(span) / rate
	if left > fillHorizonMS {
		return 0
	}
	return last.AtMS + int64(left)
}

// FillStale tells whether a forecast is of a past that is over: nothing has changed for an hour.
func FillStale(fill []model.PoolFill, nowMS int64) bool {
	return slices.ContainsFunc(fill, func(f model.PoolFill) bool {
		return (f.FullMS != 0 || f.MetaFullMS != 0) && nowMS-f.Samples[len(f.Samples)-1].AtMS >= fillWindowMS
	})
}
