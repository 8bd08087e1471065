package model

import (
	"testing"

	"pgregory.net/rapid"
)

func TestBackingKiB(t *testing.T) {
	for _, c := range []struct {
		size  int64
		gen   DRBDGeneration
		slots int
		want  int64
	}{
		{512 << 10, DRBD8, 7, 512<<10 + 36 + 5*4},    // the metadata itself reaches into a fifth bitmap block
		{512 << 10, DRBD9, 7, 512<<10 + 36 + 5*4*7},  //
		{100 << 10, DRBD8, 1, 100<<10 + 40},          //
		{4097, DRBD8, 1, 4100 + 40},                  // whole 4 KiB blocks
		{1 << 30, DRBD9, 1, 1<<30 + 36 + 4*(8192+1)}, // 1 TiB
	} {
		if got := BackingKiB(c.size, c.gen, c.slots); got != c.want {
			t.Errorf("BackingKiB(%d, %d, %d) = %d, want %d", c.size, c.gen, c.slots, got, c.want)
		}
	}
}

func TestBackingLeavesSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(MinVolumeKiB, MaxVolumeKiB).Draw(t, "size")
		slots := rapid.IntRange(1, MaxPeerSlots).Draw(t, "slots")
		b := BackingKiB(size, DRBD9, slots)
		// The guide's formula in sectors, of the whole backing device.
		meta := (b*2+(1<<18)-1)/(1<<18)*8*int64(slots) + 72
		if usable := b - meta/2; usable < size || b%4 != 0 || usable-size > 4*int64(slots)+4 {
			t.Fatalf("backing %d KiB leaves %d KiB of %d", b, usable, size)
		}
	})
}
