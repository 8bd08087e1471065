package pool

import (
	"context"

	"holdfast/internal/model"
)

// Copier is a Driver whose snapshots cost room and time as long as they last. They are taken for a clone alone: its device is
// made, filled by copying the snapshot, and finished. What was cut short before that is a leftover, and begun anew.
type Copier interface {
	// Hold takes a snapshot as Snapshotter does, with room for roomKiB written to the device while it lasts. When that is
	// used up the snapshot is Broken, and the device goes on. ErrExists, ErrLabel, ErrNotFound, ErrNoSpace.
	Hold(ctx context.Context, origin string, originLabel model.UUID, snap string, label model.UUID, roomKiB int64) error
	// Begin makes the device, of at least sizeKiB, no smaller than the one that was copied, and Unfinished, if it isn't there, and sees
	// to it that CopyPaths are.
	// ErrInUse if somebody still writes to it; else errors as Create and ErrLabel, ErrNotFound of the snapshot.
	Begin(ctx context.Context, snap string, snapLabel model.UUID, name string, sizeKiB int64, label model.UUID) error
	// CopyPaths are where to copy the snapshot from, and where to.
	CopyPaths(snap, name string) (from, to string)
	// Finish makes it a device like any other; it is one already: success. ErrInUse if somebody still writes to it, ErrLabel,
	// ErrNotFound.
	Finish(ctx context.Context, name string, label model.UUID) error
}
