package model

// PoolFill is how a pool has filled in the last hour; the controller's own, in memory only.
type PoolFill struct {
	Pool     UUID
	TotalKiB int64
	Samples  []FillSample // the oldest first, a minute apart or more; the first may be older than an hour
	// FullMS is when its data are full if it goes on like that, MetaFullMS a thin pool's metadata, in ms since 1970 UTC; 0: not
	// in sight.
	FullMS, MetaFullMS int64
}

// FillSample is what was in use then.
type FillSample struct {
	AtMS        int64
	UsedKiB     int64
	MetaPercent float64
}
