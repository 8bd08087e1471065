package pool

import (
	"context"
	"slices"
	"strings"

	"holdfast/internal/model"
)

// Foreseer is a Driver that knows what its picture is after a change of its own that went well, so that nobody has to look
// for that alone. Nothing else may have changed the pool since before.
type Foreseer interface {
	// Made is the picture after Create of the device, after Snapshot where it has an Origin, or else after Remove where its size
	// is 0; false: only a look tells.
	Made(before Picture, d Device) (after Picture, ok bool)
}

// Glancer is a Snapshotter that can go by a picture that is a few seconds old instead of a look of its own: whoever renames
// devices under their users can do so between a look and what follows it, too.
type Glancer interface {
	// SnapshotSeen is Snapshot by what was seen.
	SnapshotSeen(ctx context.Context, seen Picture, origin string, originLabel model.UUID, snap string, label model.UUID) error
}

// With gives the picture with one device more, or with it as it is now.
func (p Picture) With(d Device) Picture {
	p = p.Without(d.Name)
	p.Devices = append(p.Devices, d)
	slices.SortFunc(p.Devices, func(a, b Device) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// Without gives the picture without that device.
func (p Picture) Without(name string) Picture {
	p.Devices = slices.DeleteFunc(slices.Clone(p.Devices), func(d Device) bool { return d.Name == name })
	return p
}
