package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

var _ pool.Snapshotter = Driver{}

// origin of a snapshot; "" for a device.
func origin(name string) string {
	o, _, ok := strings.Cut(name, "@")
	if !ok {
		return ""
	}
	return o
}

// noSnapshots says why the directory can't have any; "" if it can, or nobody knows.
func (d Driver) noSnapshots() string {
	h, ok := d.Host.(interface {
		Reflinks(dir string) (bool, error)
	})
	if !ok {
		return ""
	}
	if can, err := h.Reflinks(d.Dir); err != nil || can {
		return ""
	}
	return "the file system of " + d.Dir + " shares no blocks between files"
}

// Snapshot implements pool.Snapshotter: a file that shares its blocks with the origin's. The kernel copies the map of
// blocks in one go (ioctl_ficlone(2)): what was written to the loop device before is in it.
func (d Driver) Snapshot(ctx context.Context, of string, ofID model.UUID, snap string, id model.UUID) error {
	return d.copyTo(ctx, of, ofID, pool.SnapshotName(of, snap), 0, id)
}

// Restore implements pool.Snapshotter.
func (d Driver) Restore(ctx context.Context, snap string, snapID model.UUID, name string, sizeKiB int64, id model.UUID) error {
	if err := d.copyTo(ctx, snap, snapID, name, sizeKiB, id); err != nil {
		return err
	}
	_, err := d.Loop.Attach(ctx, d.data(name))
	return err
}

func (d Driver) copyTo(ctx context.Context, from string, fromID model.UUID, name string, sizeKiB int64, id model.UUID) error {
	if err := d.there(); err != nil {
		return err
	}
	if err := d.whole(from, fromID); err != nil {
		return err
	}
	if err := d.begin(name, id); err != nil {
		return err
	}
	if err := d.clone(ctx, from, name, sizeKiB); err != nil {
		if e := d.Host.Remove(d.label(name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		return err
	}
	return d.finish(name)
}

// whole checks that the device is there, with its data and that label.
func (d Driver) whole(name string, id model.UUID) error {
	if err := d.own(name, id); err != nil {
		return err
	}
	st, err := d.Host.Stat(d.data(name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.data(name), err)
	}
	if !st.Exists {
		return fmt.Errorf("%s: %w", d.data(name), pool.ErrNotFound)
	}
	return nil
}

// Rollback implements pool.Snapshotter: a copy of the snapshot takes the place of the device's file in one rename.
func (d Driver) Rollback(ctx context.Context, name string, id model.UUID, snap string, snapID model.UUID) error {
	if err := d.there(); err != nil {
		return err
	}
	if err := d.whole(name, id); err != nil {
		return err
	}
	if err := d.whole(snap, snapID); err != nil {
		return err
	}
	if err := d.detach(ctx, name); err != nil {
		if errors.Is(err, pool.ErrInUse) {
			// It would go at its last close; a second attach takes that back.
			_, again := d.Loop.Attach(ctx, d.data(name))
			err = errors.Join(err, again)
		}
		return err
	}
	st, err := d.Host.Stat(d.data(name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.data(name), err)
	}
	if err := d.clone(ctx, snap, name, st.Size>>10); err != nil { // it may have grown since
		return err
	}
	if err := d.finish(name); err != nil {
		return err
	}
	_, err = d.Loop.Attach(ctx, d.data(name))
	return err
}
