package model

// Growth is what a volume that grows takes of each pool beside what it had, in KiB; 0 if it doesn't grow.
func (d *ResourceDefinition) Growth(vd *VolumeDefinition) int64 {
	if vd.GrowsFromKiB == 0 {
		return 0
	}
	return d.Backing(vd) - d.backing(vd, vd.GrowsFromKiB)
}

// Usable is what a volume of this definition offers at the least on a backing device of that size in KiB.
func (d *ResourceDefinition) Usable(backingKiB int64) int64 {
	backingKiB = max(0, backingKiB-d.header())
	if !d.HasDRBD() {
		return backingKiB
	}
	return UsableKiB(backingKiB, d.DRBD, d.PeerSlots)
}

// BackingLike is the size in KiB of a backing device for another replica of a volume, where those that are up offer so much.
// It is Backing's, unless they offer more than fits on that: a controller whose store was rolled back has forgotten that the
// volume grew, and DRBD refuses a smaller one.
func (d *ResourceDefinition) BackingLike(vd *VolumeDefinition, offeredKiB int64) int64 {
	b := d.Backing(vd)
	if !d.HasDRBD() || offeredKiB < d.Usable(b+extentKiB) {
		return b
	}
	net := *vd
	net.Gross = false
	return max(b, d.backing(&net, offeredKiB))
}

// GrowTo is what the volume offers once it has grown, in KiB.
func (d *ResourceDefinition) GrowTo(vd *VolumeDefinition) int64 {
	if vd.Gross {
		return min(vd.SizeKiB, d.Usable(d.Backing(vd)))
	}
	return vd.SizeKiB
}

// UsableKiB is what DRBD with internal metadata offers at the least on a backing device of that size: the opposite of
// BackingKiB, rounded down. The metadata lie at the device's end. Backing devices come in whole extents (4 MiB), and what
// DRBD offers on one is always less than this function's result for one that is an extent larger.
func UsableKiB(backingKiB int64, gen DRBDGeneration, peerSlots int) int64 {
	slots := int64(1)
	if gen == DRBD9 {
		slots = int64(max(1, peerSlots))
	}
	const chunk = 1 << 17
	return max(0, (backingKiB-36-(backingKiB+chunk-1)/chunk*4*slots)/4*4)
}

// ToMake is the volume as its replicas are made now. Before one of them was good it has the size from which it grows: DRBD
// fixes the size when the first two meet, and refuses every later one whose device is smaller.
func (d *ResourceDefinition) ToMake(vd *VolumeDefinition) VolumeDefinition {
	v := *vd
	if v.GrowsFromKiB != 0 && !v.Initialised {
		v.SizeKiB, v.GrowsFromKiB = v.GrowsFromKiB, 0
	}
	return v
}
