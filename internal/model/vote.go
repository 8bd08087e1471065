package model

// LacksVote tells whether a tie-breaker would help: DRBD 9 with an even number of diskful replicas and none without a disk,
// so that half of them is no majority (linstor-features 3.4).
func (d *ResourceDefinition) LacksVote() bool {
	full, less := d.Votes()
	return d.DRBD == DRBD9 && !d.Deleting && full >= 2 && full%2 == 0 && less == 0
}

// Votes counts the replicas that stay: with a disk, and without one; tie-breakers aren't counted.
func (d *ResourceDefinition) Votes() (full, less int) {
	for i := range d.Resources {
		switch r := &d.Resources[i]; {
		case r.Deleting || r.TieBreaker:
		case r.Diskless:
			less++
		default:
			full++
		}
	}
	return full, less
}

// TieBreaker returns the tie-breaker that stays, or nil; it points into d.
func (d *ResourceDefinition) TieBreaker() *Resource {
	for i := range d.Resources {
		if r := &d.Resources[i]; r.TieBreaker && !r.Deleting {
			return r
		}
	}
	return nil
}
