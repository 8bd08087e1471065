package model

// BackingKiB is the size in KiB that a backing device must have so that DRBD with internal metadata offers at least
// sizeKiB. Per bitmap slot one bit stands for 4 KiB, rounded up to 4 KiB of bitmap for each 128 MiB (2^18 sectors); the
// superblock and the activity log take 36 KiB. 8.4 has one slot, 9 has one for each possible peer. (DRBD user's guide,
// "Estimating metadata size": sectors = ceil(Cs/2^18) * 8 * peers + 72.)
func BackingKiB(sizeKiB int64, gen DRBDGeneration, peerSlots int) int64 {
	slots := int64(1)
	if gen == DRBD9 {
		slots = int64(max(1, peerSlots))
	}
	size := (sizeKiB + 3) / 4 * 4
	b := size
	for {
		const chunk = 1 << 17 // 2^18 sectors in KiB
		next := size + (b+chunk-1)/chunk*4*slots + 36
		if next == b {
			return b
		}
		b = next
	}
}
