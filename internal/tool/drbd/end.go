package drbd

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"

	"holdfast/internal/tool/run"
)

// A superblock takes the last whole 4 KiB of a device with internal metadata. It begins with the size that was agreed last, in
// sectors, and the current UUID; behind 60 bytes is a magic number that tells the format (drbd_meta_data.h of drbd-headers, and
// read in the lab). All are big-endian.
const (
	superblockBytes = 4096
	magicAt         = 60

	magicV08, magicV08Unclean, magicV09 = 0x8374026b, 0x8374026c, 0x8374026d
)

// SuperblockID tells metadata from others, as long as no new data generation begins and they take no new size: it stays when
// DRBD moves them. 0: that is none of DRBD's superblocks. (The device-uuid would be better, but drbd-utils leave it 0.)
func SuperblockID(block []byte) uint64 {
	if len(block) < magicAt+4 {
		return 0
	}
	switch binary.BigEndian.Uint32(block[magicAt:]) {
	case magicV08, magicV08Unclean, magicV09:
		const inUse = 1 // of the current UUID
		return bits.RotateLeft64(binary.BigEndian.Uint64(block), 32) ^ binary.BigEndian.Uint64(block[8:])&^inUse
	}
	return 0
}

// Superblock makes one of that size and current UUID, for models and tests.
func Superblock(f Format, sizeKiB int64, current uint64) []byte {
	b := make([]byte, superblockBytes)
	magic := uint32(magicV08Unclean)
	if f == V09 {
		magic = magicV09
	}
	binary.BigEndian.PutUint64(b, uint64(sizeKiB*2))
	binary.BigEndian.PutUint64(b[8:], current)
	binary.BigEndian.PutUint32(b[magicAt:], magic)
	return b
}

// EndID reads the end of a device of that size, past the page cache, also while DRBD has it. It gives the SuperblockID; 0: no metadata are there.
func (t Tool) EndID(ctx context.Context, device string, sizeKiB int64) (uint64, error) {
	r, err := t.dd(ctx, device, "if="+device, "skip="+lastBlock(sizeKiB), "iflag=direct")
	if err != nil {
		return 0, fmt.Errorf("read the end of %s: %w", device, err)
	}
	return SuperblockID(r.Stdout), nil
}

// ClearEnd overwrites the superblock at the end of a device of that size with zeros, durably.
func (t Tool) ClearEnd(ctx context.Context, device string, sizeKiB int64) error {
	if _, err := t.dd(ctx, device, "if=/dev/zero", "of="+device, "seek="+lastBlock(sizeKiB), "oflag=direct", "conv=notrunc,fsync"); err != nil {
		return fmt.Errorf("clear the end of %s: %w", device, err)
	}
	return nil
}

func (t Tool) dd(ctx context.Context, device string, args ...string) (run.Result, error) {
	if !deviceRE.MatchString(device) {
		return run.Result{}, ErrBadName
	}
	argv := append([]string{"dd", "bs=" + strconv.Itoa(superblockBytes), "count=1", "status=none"}, args...)
	return run.Check(ctx, t.Run, run.Cmd{Argv: argv}, nil)
}

func lastBlock(sizeKiB int64) string { return strconv.FormatInt(sizeKiB*1024/superblockBytes-1, 10) }
