package model

import (
	"testing"

	"pgregory.net/rapid"
)

func TestUsableKiB(t *testing.T) {
	// What the kernel offered on devices of these sizes, 8.4.11 and 9.2.18 with 7 slots.
	for _, c := range []struct {
		backing int64
		gen     DRBDGeneration
		offered int64
	}{
		{100 << 10, DRBD8, 102360}, {120 << 10, DRBD8, 122840}, {160 << 10, DRBD8, 163796}, {200 << 10, DRBD8, 204756},
		{100 << 10, DRBD9, 102340}, {120 << 10, DRBD9, 122816}, {140 << 10, DRBD9, 143292},
	} {
		if got := UsableKiB(c.backing, c.gen, 7); got > c.offered || c.offered-got > 4*7+8 {
			t.Errorf("UsableKiB(%d, %d) = %d, the kernel offers %d", c.backing, c.gen, got, c.offered)
		}
	}
}

func TestUsableOfBacking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(MinVolumeKiB, MaxVolumeKiB/2).Draw(t, "size")
		d := ResourceDefinition{DRBD: DRBD9, PeerSlots: rapid.IntRange(1, MaxPeerSlots).Draw(t, "slots")}
		vd := VolumeDefinition{SizeKiB: size, GrowsFromKiB: rapid.Int64Range(MinVolumeKiB, size).Draw(t, "from")}
		b := d.Backing(&vd)
		if u := d.Usable(b); u < size {
			t.Fatalf("backing %d KiB leaves %d KiB of %d", b, u, size)
		}
		// One extent more shows: the most that DRBD offers on b is the device less a superblock, an activity log and the bitmaps.
		if most := b - 36 - b/(1<<17)*4*int64(d.PeerSlots); d.Usable(b+extentKiB) <= most {
			t.Fatalf("%d KiB on %d KiB can't be told from what is offered on an extent less, %d KiB", d.Usable(b+extentKiB), b+extentKiB, most)
		}
		if g := d.Growth(&vd); g < 0 || g%extentKiB != 0 || g > b {
			t.Fatalf("grows by %d KiB to %d KiB", g, b)
		}
	})
}

func TestBackingLike(t *testing.T) {
	for _, gen := range []DRBDGeneration{DRBD8, DRBD9} {
		for _, gross := range []bool{false, true} {
			d := &ResourceDefinition{Layers: []LayerKind{LayerDRBD, LayerStorage}, DRBD: gen, PeerSlots: 7}
			vd := &VolumeDefinition{SizeKiB: 100 << 10, Gross: gross}
			b := d.Backing(vd)
			for _, offered := range []int64{0, d.Usable(b), d.Usable(b+extentKiB) - 4} {
				if got := d.BackingLike(vd, offered); got != b {
					t.Errorf("%v gross %v: %d KiB offered: %d, not %d", gen, gross, offered, got, b)
				}
			}
			for _, offered := range []int64{d.Usable(b + extentKiB), 300 << 10, 20 << 20} {
				if got := d.BackingLike(vd, offered); got <= b || d.Usable(got) < offered || d.Usable(got-extentKiB) >= offered {
					t.Errorf("%v gross %v: %d KiB offered: %d offers %d", gen, gross, offered, got, d.Usable(got))
				}
			}
		}
	}
}
