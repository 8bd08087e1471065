package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/tool/loop"
	"holdfast/internal/tool/run"
)

// begin checks that the name is free, and takes it with a label.
func (d Driver) begin(name string, id model.UUID) error {
	st, err := d.Host.Stat(d.data(name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.data(name), err)
	}
	if st.Exists {
		return fmt.Errorf("create %s: %w", d.data(name), pool.ErrExists)
	}
	if err := d.Host.WriteFile(d.label(name), []byte(prefix+string(id)+"\n"), 0o600); err != nil {
		return fmt.Errorf("write label of %s: %w", name, full(err))
	}
	return d.noDraft(name)
}

func (d Driver) noDraft(name string) error {
	if err := d.Host.Remove(d.draft(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", d.draft(name), err)
	}
	return nil
}

// finish gives the draft its name. What was there before goes in the same moment.
func (d Driver) finish(name string) error {
	if err := d.Host.Rename(d.draft(name), d.data(name)); err != nil {
		return fmt.Errorf("create %s: %w", d.data(name), err)
	}
	return nil
}

// clone makes the draft of a device out of another's file, with at least sizeKiB, durably.
func (d Driver) clone(ctx context.Context, from, name string, sizeKiB int64) error {
	if err := d.noDraft(name); err != nil {
		return err
	}
	if _, err := run.Check(ctx, d.Host, run.Cmd{Argv: []string{"cp", "--reflink=always", d.data(from), d.draft(name)}}, classify); err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", d.data(from), err), d.noDraft(name))
	}
	st, err := d.Host.Stat(d.draft(name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.draft(name), err)
	}
	if st.Size < sizeKiB<<10 {
		return d.allocate(ctx, d.draft(name), sizeKiB)
	}
	return d.sync(ctx, d.draft(name))
}

// detach frees the device's loop device, if it has one. ErrInUse.
func (d Driver) detach(ctx context.Context, name string) error {
	loops, err := d.Loop.List(ctx)
	if err != nil {
		return err
	}
	dev := attached(loops, d.data(name))
	if dev == "" {
		return nil
	}
	if err := d.Loop.Detach(ctx, dev); err != nil && !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	// The kernel detaches an open one at its last close, without a word now (losetup(8)).
	if loops, err = d.Loop.List(ctx); err != nil {
		return err
	}
	if attached(loops, d.data(name)) == dev {
		return fmt.Errorf("%s: %s is open: %w", d.data(name), dev, pool.ErrInUse)
	}
	return nil
}
