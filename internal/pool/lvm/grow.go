package lvm

import (
	"context"
	"fmt"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

var _ pool.Grower = Driver{}

// Grow implements pool.Grower. LVM does it while the volume is in use.
func (d Driver) Grow(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	g, v, err := d.own(ctx, name, id)
	if err != nil {
		return err
	}
	if v.SizeBytes>>10 < sizeKiB && v.Origin() { // LVM: "Snapshot origin volumes can be resized only while inactive"
		return fmt.Errorf("grow %s/%s: there is a snapshot of it, which is being copied: %w", d.VG, name, pool.ErrInUse)
	}
	if v.SizeBytes>>10 < sizeKiB {
		if err := d.Tool.Extend(ctx, d.VG, name, sizeKiB); err != nil {
			return translate(err)
		}
	}
	return d.flush(ctx, g.PVs...) // also where it was large enough: nobody knows whether an earlier call came this far
}
