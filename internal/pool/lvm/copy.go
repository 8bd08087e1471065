package lvm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/tool/lvm"
)

var _ pool.Copier = Driver{}

// copyExt is what the name of a volume ends in that isn't finished yet. So a satellite that knows nothing of copying never takes
// it for the device.
const copyExt = "+copy"

// snapshotOf names the device of which v is a snapshot of ours, and the snapshot; ok is false for others.
func snapshotOf(v lvm.LV) (of, snap string, ok bool) {
	if !v.Snapshot() || label(v.Tags) == "" {
		return "", "", false
	}
	return strings.Cut(v.Name, ".")
}

// copies puts what copying left into the device's picture: snapshots, unfinished devices, what holds an origin. It says
// false if the volume isn't to be shown.
func copies(g lvm.VG, v lvm.LV, dev *pool.Device) bool {
	if v.Origin() && dev.Label != "" {
		dev.Held = "a clone is being copied from a snapshot of it"
	}
	if of, snap, ok := snapshotOf(v); ok {
		dev.Name, dev.Origin, dev.Path = pool.SnapshotName(of, snap), of, ""
		if v.Invalid() {
			dev.Broken = "more was written to the volume meanwhile than it has room for"
		}
		return true
	}
	of, ok := strings.CutSuffix(v.Name, copyExt)
	if !ok || dev.Label == "" {
		return true
	}
	if _, there := g.LV(of); there {
		return false
	}
	dev.Name, dev.Path, dev.Leftover, dev.Unfinished = of, "", true, true
	return true
}

// Hold implements pool.Copier. While it lasts, the first write to each chunk of the device is copied first.
func (d Driver) Hold(ctx context.Context, origin string, originID model.UUID, snap string, id model.UUID, roomKiB int64) error {
	g, v, err := d.own(ctx, origin, originID)
	if err != nil {
		return err
	}
	if err := d.Tool.SnapshotThick(ctx, d.VG, v.Name, lvName(pool.SnapshotName(origin, snap)), roomKiB, TagPrefix+string(id)); err != nil {
		return translate(err)
	}
	return d.flush(ctx, g.PVs...)
}

// Begin implements pool.Copier.
func (d Driver) Begin(ctx context.Context, snap string, snapID model.UUID, name string, sizeKiB int64, id model.UUID) error {
	g, s, err := d.own(ctx, lvName(snap), snapID)
	switch {
	case err != nil:
		return err
	case s.Invalid():
		return fmt.Errorf("snapshot %s/%s has lost its content", d.VG, s.Name)
	}
	if !s.Active {
		if err := d.Tool.Activate(ctx, d.VG, s.Name); err != nil {
			return translate(err)
		}
	}
	of, _, _ := snapshotOf(s)
	if o, there := g.LV(of); there { // the snapshot's own size is that of its room
		sizeKiB = max(sizeKiB, o.SizeBytes>>10)
	}
	if _, there := g.LV(name); there {
		return fmt.Errorf("copy to %s/%s: %w", d.VG, name, pool.ErrExists)
	}
	v, there := g.LV(name + copyExt)
	switch {
	case there && label(v.Tags) != id:
		return fmt.Errorf("copy to %s/%s: %w: it has %q", d.VG, v.Name, pool.ErrLabel, label(v.Tags))
	case there && v.Open():
		return fmt.Errorf("copy to %s/%s: it is open: %w", d.VG, v.Name, pool.ErrInUse)
	case there && v.SizeBytes>>10 < sizeKiB:
		return fmt.Errorf("copy to %s/%s: it has %d KiB, not %d", d.VG, v.Name, v.SizeBytes>>10, sizeKiB)
	case there && v.Active:
		return nil
	case there:
		return translate(d.Tool.Activate(ctx, d.VG, v.Name))
	}
	return d.Create(ctx, name+copyExt, sizeKiB, id)
}

// CopyPaths implements pool.Copier.
func (d Driver) CopyPaths(snap, name string) (from, to string) {
	return "/dev/" + d.VG + "/" + lvName(snap), "/dev/" + d.VG + "/" + name + copyExt
}

// Finish implements pool.Copier. LVM renames in one commit.
func (d Driver) Finish(ctx context.Context, name string, id model.UUID) error {
	g, _, err := d.own(ctx, name, id)
	if err == nil {
		return d.flush(ctx, g.PVs...) // nobody knows whether an earlier call came this far
	}
	if !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	g, v, err := d.own(ctx, name+copyExt, id)
	if err != nil {
		return err
	}
	if v.Open() {
		return fmt.Errorf("finish %s/%s: it is open: %w", d.VG, v.Name, pool.ErrInUse)
	}
	if err := d.Tool.Rename(ctx, d.VG, v.Name, name); err != nil {
		return translate(err)
	}
	return d.flush(ctx, g.PVs...)
}
