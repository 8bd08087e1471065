package file

import (
	"context"
	"fmt"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

var _ pool.Grower = Driver{}

// Grow implements pool.Grower: the file, then its loop device, which doesn't notice by itself.
func (d Driver) Grow(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	if err := d.there(); err != nil {
		return err
	}
	if err := d.whole(name, id); err != nil {
		return err
	}
	st, err := d.Host.Stat(d.data(name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.data(name), err)
	}
	if st.Size < sizeKiB<<10 {
		if err := d.allocate(ctx, d.data(name), sizeKiB); err != nil {
			return err
		}
	}
	loops, err := d.Loop.List(ctx)
	if err != nil {
		return err
	}
	if dev := attached(loops, d.data(name)); dev != "" {
		return d.Loop.SetCapacity(ctx, dev)
	}
	return nil
}
