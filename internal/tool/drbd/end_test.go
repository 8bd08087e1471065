package drbd

import "testing"

func TestSuperblockID(t *testing.T) {
	for _, f := range []Format{V08, V09} {
		id := SuperblockID(Superblock(f, 69592, 0x51B13A43B12A2816))
		if id == 0 || id != SuperblockID(Superblock(f, 69592, 0x51B13A43B12A2817)) { // in use
			t.Errorf("%s: %x", f, id)
		}
		if id == SuperblockID(Superblock(f, 135124, 0x51B13A43B12A2816)) || id == SuperblockID(Superblock(f, 69592, 0x211BCB0C756D6B96)) {
			t.Errorf("%s: another has %x too", f, id)
		}
	}
	for _, none := range [][]byte{nil, make([]byte, 63), make([]byte, superblockBytes)} {
		if got := SuperblockID(none); got != 0 {
			t.Errorf("%d bytes: %x", len(none), got)
		}
	}
	if lastBlock(68<<10) != "17407" { // 4 KiB before 68 MiB
		t.Error(lastBlock(68 << 10))
	}
}
