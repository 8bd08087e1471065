package nbd

// Off takes the power away: from now on every request gets ErrCut. Whatever was answered before counts; what a
// machine hears nothing of may have happened or not.
func (d *Disk) Off() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on = false
}

// Lose decides what of the cache had reached the medium when the power went: each page with probability keep (0 to 1),
// and one page in eight is torn, each sector of it deciding for itself. The disk must be off. It leaves the cache empty.
func (d *Disk) Lose(keep float64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Cuts++
	d.stats.CutUnflushed, d.stats.CutDropped, d.stats.CutTornPages = d.unflushed(), 0, 0
	for _, p := range d.order {
		var kept uint8
		if d.rng.IntN(8) == 0 {
			for b := uint8(1); b != 0; b <<= 1 {
				if d.rng.Float64() < keep {
					kept |= b
				}
			}
			kept &= p.dirty
		} else if d.rng.Float64() < keep {
			kept = p.dirty
		}
		if kept != 0 {
			if err := d.writePage(p, kept); err != nil {
				return err
			}
		}
		if kept != 0 && kept != p.dirty {
			d.stats.CutTornPages++
		}
		d.stats.CutDropped += dirtyBytes(p.dirty &^ kept)
	}
	d.stats.DroppedOverall += d.stats.CutDropped
	for len(d.order) > 0 {
		d.drop(d.order[len(d.order)-1])
	}
	return nil
}

// On gives the power back.
func (d *Disk) On() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on = true
}
