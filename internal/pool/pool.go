package pool

import (
	"context"
	"errors"
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

// Picture is what was in a pool at one moment.
type Picture struct {
	FreeKiB  int64
	TotalKiB int64
	Devices  []Device // by name; ours and others'
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
	// Leftover: only the label is there, of a device that was never finished or is half removed. Create of that name works.
	Leftover bool
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
	ErrNoPool   = errors.New("the pool's volume group or directory isn't there")
)

// Timeout of one storage command before it counts as hung.
const Timeout = 45 * time.Second
