package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/internal/model"
)

// Driver is one pool on this node.
type Driver interface {
	// Scan is the whole picture in as few calls as the storage has, at best one.
	Scan(ctx context.Context) (Picture, error)
	// Create makes a device of at least sizeKiB with that label, and its path. ErrExists if the name is taken, whatever by;
	// ErrNoSpace.
	Create(ctx context.Context, name string, sizeKiB int64, label model.UUID) error
	// Activate gives the device a path again, after a boot for example. It does nothing if it has one. ErrLabel if the
	// device has another label, ErrNotFound if there is none.
	Activate(ctx context.Context, name string, label model.UUID) error
	// Remove destroys the device if it has that label; nothing to remove is success. ErrLabel, ErrInUse.
	Remove(ctx context.Context, name string, label model.UUID) error
}

// Grower is a Driver that can make a device larger while it is in use.
type Grower interface {
	// Grow makes the device at least sizeKiB large; larger already is success. ErrLabel, ErrNotFound, ErrNoSpace.
	Grow(ctx context.Context, name string, sizeKiB int64, label model.UUID) error
}

// Snapshotter is a Driver that can take snapshots, each in a moment whatever the size.
//
// A snapshot is a device of the pool's picture too: its name is SnapshotName's, Origin names what it was taken of, it has a
// label of its own and no path. Remove destroys it like any other. How it is called in the pool is the driver's own.
type Snapshotter interface {
	// Snapshot takes one of the device origin, which carries originLabel. ErrExists, ErrLabel, ErrNotFound, ErrNoSpace.
	Snapshot(ctx context.Context, origin string, originLabel model.UUID, snap string, label model.UUID) error
	// Restore makes a new device with the snapshot's content, of at least sizeKiB. It may share blocks with the snapshot,
	// but the snapshot can be removed while it stays. Errors as Create and ErrLabel, ErrNotFound of the snapshot.
	Restore(ctx context.Context, snap string, snapLabel model.UUID, name string, sizeKiB int64, label model.UUID) error
	// Rollback gives the device, which isn't in use, the snapshot's content; both stay. ErrInUse, ErrLabel, ErrNotFound.
	// Where the storage can only go back to the newest snapshot, the driver makes the others stay by other means, or says
	// ErrNewerSnapshots and changes nothing.
	Rollback(ctx context.Context, name string, label model.UUID, snap string, snapLabel model.UUID) error
}

// SnapshotName is the name of the snapshot of a device.
func SnapshotName(device, snapshot string) string { return device + "@" + snapshot }

// Picture is what was in a pool at one moment.
type Picture struct {
	FreeKiB  int64
	TotalKiB int64
	Devices  []Device // by name; ours and others'
	// MetaPercent is how full the metadata of a thin pool are, 0 to 100; 0 where there are none to run out of.
	MetaPercent float64
	// Zeroes: new volumes of this very pool read as zeros, whatever lay there before.
	Zeroes bool
	// NoSnapshots says why this very pool can take no snapshots though its driver could; "" if it can, or isn't known.
	NoSnapshots string
	// Disks that the pool lies on, by path, if its driver is glad to be told of them the next time: it then leaves others
	// alone.
	Disks []string
	// UnitKiB: devices' sizes are multiples of it; 0 where a picture can't be foreseen.
	UnitKiB int64
	// Trouble says why nothing new can be made here though the pool can be read, such as a thin pool that went read-only.
	Trouble string
}

// Device is a backing device, ours or not.
type Device struct {
	Name string
	// Label is the incarnation it was made for; "" if it isn't ours.
	Label model.UUID
	// Path is the block device; "" while it isn't active.
	Path    string
	SizeKiB int64
	// AllocKiB is what it takes of the pool.
	AllocKiB int64
	// Origin is the device of which this one is a snapshot; "" for a device.
	Origin string
	// Held says what holds it, so that Remove would fail with ErrInUse; "" for nothing that is known.
	Held string
	// Newest says which is the newest snapshot of this device, whoever made it, also one that was removed and is still needed,
	// where the storage goes back to that one only; "" otherwise. NewestLabel is its label.
	Newest      string
	NewestLabel model.UUID
	// Leftover: only the label is there, of a device that was never finished or is half removed. Create of that name works.
	Leftover bool
	// Unfinished, with Leftover: a Copier's device that doesn't have its content yet. Path is "" until it is finished.
	Unfinished bool
	// Broken says why a snapshot has lost its content; "" if it hasn't.
	Broken string
}

// Device returns the device of that name, or nil.
func (p *Picture) Device(name string) *Device {
	for i := range p.Devices {
		if p.Devices[i].Name == name {
			return &p.Devices[i]
		}
	}
	return nil
}

// What drivers answer; match with errors.Is.
var (
	ErrExists   = errors.New("a device of that name exists")
	ErrNotFound = errors.New("there is no such device")
	ErrLabel    = errors.New("the device doesn't carry the label of this incarnation")
	ErrNoSpace  = errors.New("not enough free space in the pool")
	ErrInUse    = errors.New("the device is in use")
	// ErrNewerSnapshots: the storage can't go back further than to its newest snapshot.
	ErrNewerSnapshots = errors.New("there are newer snapshots")
	// ErrUnsupported: what lies beneath the pool can't do it, such as a file system that shares no blocks between files.
	ErrUnsupported = errors.New("the storage beneath the pool can't do that")
	ErrNoPool      = errors.New("the pool's volume group or directory isn't there")
)

// Meaning is what a tool's error means to the pool's user.
type Meaning struct{ From, To error }

// Translate adds to err the first of the meanings that fits, for errors.Is.
func Translate(err error, meanings []Meaning) error {
	for _, m := range meanings {
		if errors.Is(err, m.From) {
			return fmt.Errorf("%w: %w", m.To, err)
		}
	}
	return err
}

// Timeout of one storage command before it counts as hung.
const Timeout = 45 * time.Second
