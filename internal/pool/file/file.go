package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/tool/loop"
	"holdfast/internal/tool/run"
)

const (
	dataExt  = ".img"
	labelExt = ".label"
	newExt   = ".new"
	prefix   = "holdfast:"
)

// Driver is one directory.
type Driver struct {
	Host run.Host
	Loop loop.Tool
	Dir  string // absolute
	// Thick: files have all their blocks from the beginning (provider FILE).
	Thick bool
}

var _ pool.Driver = Driver{}

func (d Driver) data(name string) string  { return path.Join(d.Dir, name+dataExt) }
func (d Driver) label(name string) string { return path.Join(d.Dir, name+labelExt) }
func (d Driver) draft(name string) string { return path.Join(d.Dir, name+newExt) }

// there checks the pool itself.
func (d Driver) there() error {
	st, err := d.Host.Stat(d.Dir)
	if err != nil {
		return fmt.Errorf("look at directory %s: %w", d.Dir, err)
	}
	if !st.Exists || !st.Dir {
		return fmt.Errorf("directory %s: %w", d.Dir, pool.ErrNoPool)
	}
	return nil
}

// Scan implements pool.Driver: one look at the directory, the loop devices and the file system.
func (d Driver) Scan(ctx context.Context) (pool.Picture, error) {
	if err := d.there(); err != nil {
		return pool.Picture{}, err
	}
	loops, err := d.Loop.List(ctx)
	if err != nil {
		return pool.Picture{}, err
	}
	var p pool.Picture
	if p.TotalKiB, p.FreeKiB, err = space(ctx, d.Host, d.Dir); err != nil {
		return pool.Picture{}, err
	}
	p.NoSnapshots = d.noSnapshots()
	names, err := d.Host.ReadDir(d.Dir)
	if err != nil {
		return pool.Picture{}, fmt.Errorf("read directory %s: %w", d.Dir, err)
	}
	for _, file := range names {
		// A file that was deleted while its loop device lives is still a device: its label tells whose.
		name, ok := strings.CutSuffix(file, dataExt)
		if !ok {
			if name, ok = strings.CutSuffix(file, labelExt); !ok || slices.Contains(names, name+dataExt) {
				continue
			}
		}
		dev := pool.Device{Name: name, Origin: origin(name)}
		if dev.Origin == "" {
			dev.Path = attached(loops, d.data(name))
		}
		if dev.Label, err = d.read(name); err != nil {
			return pool.Picture{}, err
		}
		if dev.Leftover = !slices.Contains(names, name+dataExt) && dev.Path == ""; dev.Leftover && dev.Label == "" {
			continue
		}
		st, err := d.Host.Stat(d.data(name))
		if err != nil {
			return pool.Picture{}, fmt.Errorf("look at %s: %w", d.data(name), err)
		}
		dev.SizeKiB, dev.AllocKiB = st.Size>>10, st.Allocated>>10
		if dev.Path != "" {
			// A loop device doesn't notice that its file has grown.
			if size, err := d.Loop.SizeKiB(d.Host, dev.Path); err == nil {
				dev.SizeKiB = size
			} else if !errors.Is(err, fs.ErrNotExist) { // detached meanwhile
				return pool.Picture{}, err
			}
		}
		p.Devices = append(p.Devices, dev)
	}
	slices.SortFunc(p.Devices, func(a, b pool.Device) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

func attached(loops []loop.Device, file string) string {
	for _, l := range loops {
		if l.File == file {
			return l.Path
		}
	}
	return ""
}

// read gives the label; "" for none.
func (d Driver) read(name string) (model.UUID, error) {
	b, err := d.Host.ReadFile(d.label(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read label %s: %w", d.label(name), err)
	}
	id, ok := strings.CutPrefix(strings.TrimSpace(string(b)), prefix)
	if !ok {
		return "", nil
	}
	return model.UUID(id), nil
}

// Create implements pool.Driver: label, data under another name, data, loop device.
func (d Driver) Create(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	if err := d.there(); err != nil {
		return err
	}
	if err := d.begin(name, id); err != nil {
		return err
	}
	if err := d.allocate(ctx, d.draft(name), sizeKiB); err != nil {
		return fmt.Errorf("create %s: %w", d.data(name), err)
	}
	if err := d.finish(name); err != nil {
		return err
	}
	_, err := d.Loop.Attach(ctx, d.data(name))
	return err
}

// own checks that the device is there with that label.
func (d Driver) own(name string, id model.UUID) error {
	st, err := d.Host.Stat(d.data(name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.data(name), err)
	}
	l, err := d.read(name)
	switch {
	case err != nil:
		return err
	case l == "" && !st.Exists:
		return fmt.Errorf("%s: %w", d.data(name), pool.ErrNotFound)
	case l != id:
		return fmt.Errorf("%s: %w: it has %q", d.data(name), pool.ErrLabel, l)
	}
	return nil
}

// Activate implements pool.Driver.
func (d Driver) Activate(ctx context.Context, name string, id model.UUID) error {
	if err := d.there(); err != nil {
		return err
	}
	if err := d.own(name, id); err != nil {
		return err
	}
	_, err := d.Loop.Attach(ctx, d.data(name))
	if errors.Is(err, loop.ErrNoFile) {
		return fmt.Errorf("%w: %w", pool.ErrNotFound, err)
	}
	return err
}

// Remove implements pool.Driver: loop device, data, label.
func (d Driver) Remove(ctx context.Context, name string, id model.UUID) error {
	if err := d.there(); err != nil {
		return err
	}
	if err := d.own(name, id); errors.Is(err, pool.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if err := d.detach(ctx, name); err != nil {
		return err
	}
	for _, f := range []string{d.data(name), d.draft(name), d.label(name)} {
		if err := d.Host.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", f, err)
		}
	}
	return nil
}
