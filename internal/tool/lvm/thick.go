package lvm

import (
	"context"
	"errors"
	"fmt"
)

// SnapshotThick makes a snapshot of a volume that isn't thin, with room for roomKiB (LVM rounds up to the extent, and makes it
// no larger than it can ever need) of what is written to the origin while it lasts. It is active with its origin only.
// ErrExists, ErrNotFound (the origin), ErrNoSpace.
func (t Tool) SnapshotThick(ctx context.Context, vg, origin, name string, roomKiB int64, tags ...string) error {
	if err := errors.Join(checkName(vg), checkName(origin), checkName(name)); err != nil {
		return err
	}
	if roomKiB <= 0 {
		return fmt.Errorf("take snapshot %s/%s: room of %d KiB", vg, name, roomKiB)
	}
	args, err := addTags([]string{"-y", "-s", "-n", name, "-L", fmt.Sprintf("%dk", roomKiB)}, tags)
	if err != nil {
		return err
	}
	if _, err := t.do(ctx, []string{"lvcreate"}, append(args, vg+"/"+origin)...); err != nil {
		return fmt.Errorf("take snapshot %s/%s: %w", vg, name, err)
	}
	return nil
}
