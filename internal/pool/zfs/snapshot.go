package zfs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/tool/zfs"
)

var _ pool.Snapshotter = Driver{}

// Snapshot implements pool.Snapshotter.
func (d Driver) Snapshot(ctx context.Context, origin string, originID model.UUID, snap string, id model.UUID) error {
	if _, _, err := d.own(ctx, origin, originID); err != nil {
		return err
	}
	return translate(d.Tool.Snapshot(ctx, d.volume(pool.SnapshotName(origin, snap)), snapshotProp, string(id)))
}

// removeSnapshot destroys it, or hides it until its clones are gone.
func (d Driver) removeSnapshot(ctx context.Context, w world, s *zfs.Dataset) error {
	if len(w.clones(s.Name)) == 0 {
		return d.destroy(ctx, s.Name)
	}
	vol, _, _ := strings.Cut(s.Name, "@")
	hidden := pool.SnapshotName(vol, goneMark+string(label(*s)))
	if err := d.Tool.Rename(ctx, s.Name, hidden); err != nil {
		return translate(err)
	}
	return d.destroyLater(ctx, hidden)
}

// Restore implements pool.Snapshotter: a clone. One that has to be larger than the snapshot gets its name when it is.
func (d Driver) Restore(ctx context.Context, snap string, snapID model.UUID, name string, sizeKiB int64, id model.UUID) error {
	w, s, err := d.own(ctx, snap, snapID)
	if err != nil {
		return err
	}
	if w.find(d.volume(name)) != nil {
		return fmt.Errorf("restore %s: %w", d.volume(name), pool.ErrExists)
	}
	half := d.volume(name) + restoreExt
	if old := w.find(half); old != nil && label(*old) == id {
		if err := d.destroy(ctx, half); err != nil {
			return err
		}
	}
	if err := d.Tool.Clone(ctx, s.Name, half, labelProp, string(id)); err != nil {
		return translate(err)
	}
	if s.SizeBytes>>10 < sizeKiB {
		err = d.Tool.SetSize(ctx, half, roundUp(sizeKiB))
	}
	if err == nil && !d.Thin {
		err = d.Tool.Reserve(ctx, half)
	}
	if err != nil {
		return errors.Join(translate(err), d.destroy(ctx, half))
	}
	if err := d.Tool.Rename(ctx, half, d.volume(name)); err != nil {
		return translate(err)
	}
	return d.settle(ctx, name)
}

// Rollback implements pool.Snapshotter. ZFS takes the size back too, so a volume that has grown since grows again.
func (d Driver) Rollback(ctx context.Context, name string, id model.UUID, snap string, snapID model.UUID) error {
	w, v, err := d.own(ctx, name, id)
	if err != nil {
		return err
	}
	s := w.find(d.volume(snap))
	switch vol, _, _ := strings.Cut(snap, "@"); {
	case s == nil:
		return fmt.Errorf("%s: %w", d.volume(snap), pool.ErrNotFound)
	case label(*s) != snapID:
		return fmt.Errorf("%s: %w: it has %q", s.Name, pool.ErrLabel, label(*s))
	case vol != name:
		return fmt.Errorf("roll back %s to %s, which isn't its own snapshot: %w", v.Name, s.Name, pool.ErrUnsupported)
	}
	if busy, err := d.busy(name); err != nil || busy {
		return errors.Join(err, inUse(busy, v.Name))
	}
	if err := d.Tool.Rollback(ctx, s.Name); err != nil {
		return translate(err)
	}
	if s.SizeBytes < v.SizeBytes {
		return translate(d.Tool.SetSize(ctx, v.Name, v.SizeBytes))
	}
	return nil
}
