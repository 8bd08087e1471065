package zfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/tool/run"
	"holdfast/internal/tool/zfs"
)

// Driver is one zpool, or a dataset in one.
type Driver struct {
	Host run.Host
	Tool zfs.Tool
	// Dataset is its whole name.
	Dataset string
	// Thin volumes reserve nothing (provider ZFS_THIN).
	Thin bool
}

var (
	_ pool.Driver = Driver{}
	_ pool.Grower = Driver{}
)

const (
	labelProp    = "holdfast:label"
	snapshotProp = "holdfast:snapshot"
	goneMark     = "gone:"    // starts the name of a snapshot that was removed while it has clones
	restoreExt   = ":restore" // ends the name of a clone that isn't large enough yet
	// blockKiB is what sizes are multiples of. ZFS wants the volume's block size, 8 or 16 KiB by default, at most this.
	blockKiB = 128
)

// volume is its whole name.
func (d Driver) volume(name string) string { return d.Dataset + "/" + name }
func (d Driver) path(name string) string   { return "/dev/zvol/" + d.volume(name) }

// world is a list of what is in the dataset.
type world []zfs.Dataset

func (w world) find(name string) *zfs.Dataset {
	for i := range w {
		if w[i].Name == name {
			return &w[i]
		}
	}
	return nil
}

// snapshots of a volume; hidden are those that were removed already.
func (w world) snapshots(volume string) (living, hidden []zfs.Dataset) {
	for _, s := range w {
		vol, snap, ok := strings.Cut(s.Name, "@")
		switch {
		case !ok || vol != volume:
		case gone(snap):
			hidden = append(hidden, s)
		default:
			living = append(living, s)
		}
	}
	return living, hidden
}

// clones of a snapshot.
func (w world) clones(snap string) (out []zfs.Dataset) {
	for _, v := range w {
		if v.Origin == snap {
			out = append(out, v)
		}
	}
	return out
}

func names(w world) (out []string) {
	for _, s := range w {
		out = append(out, s.Name)
	}
	return out
}

func gone(snap string) bool { return strings.HasPrefix(snap, goneMark) }

func label(s zfs.Dataset) model.UUID {
	switch s.Type {
	case "volume":
		return model.UUID(s.Props[labelProp])
	case "snapshot":
		return model.UUID(s.Props[snapshotProp])
	}
	return ""
}

func (d Driver) look(ctx context.Context) (world, error) {
	w, err := d.Tool.List(ctx, d.Dataset, labelProp, snapshotProp)
	if errors.Is(err, zfs.ErrNotFound) {
		return nil, fmt.Errorf("dataset %s: %w: %w", d.Dataset, pool.ErrNoPool, err)
	}
	return w, translate(err)
}

// Scan implements pool.Driver with one command.
func (d Driver) Scan(ctx context.Context) (pool.Picture, error) {
	w, err := d.look(ctx)
	if err != nil {
		return pool.Picture{}, err
	}
	var p pool.Picture
	for _, s := range w {
		if s.Name == d.Dataset {
			p.FreeKiB, p.TotalKiB = s.FreeBytes>>10, (s.UsedBytes+s.FreeBytes)>>10
			continue
		}
		dev := pool.Device{Name: strings.TrimPrefix(s.Name, d.Dataset+"/"), Label: label(s), SizeKiB: s.SizeBytes >> 10, AllocKiB: s.UsedBytes >> 10}
		vol, snap, isSnap := strings.Cut(dev.Name, "@")
		switch {
		case isSnap && (dev.Label == "" || gone(snap)):
			continue // a person's own, or removed
		case isSnap:
			dev.Origin = vol
		case strings.HasSuffix(dev.Name, restoreExt) && dev.Label != "":
			dev.Name, dev.Leftover = strings.TrimSuffix(dev.Name, restoreExt), true
			if w.find(d.volume(dev.Name)) != nil {
				continue
			}
		case s.Type == "volume":
			// The node in /dev is udev's to make, a moment later.
			st, err := d.Host.Stat(d.path(dev.Name))
			if err != nil {
				return pool.Picture{}, fmt.Errorf("look at %s: %w", d.path(dev.Name), err)
			}
			if st.Exists {
				dev.Path = d.path(dev.Name)
			}
			living, hidden := w.snapshots(s.Name)
			if len(living) > 0 {
				dev.Held = "it has the snapshot " + living[0].Name
			}
			if all := append(living, hidden...); len(all) > 0 {
				n := slices.MaxFunc(all, func(a, b zfs.Dataset) int { return cmp.Compare(a.CreateTXG, b.CreateTXG) })
				dev.Newest, dev.NewestLabel = n.Name, label(n)
				if slices.ContainsFunc(hidden, func(h zfs.Dataset) bool { return h.Name == n.Name }) {
					dev.Newest += ", removed and kept for " + strings.Join(names(w.clones(n.Name)), " and ")
				}
			}
		}
		p.Devices = append(p.Devices, dev)
	}
	slices.SortFunc(p.Devices, func(a, b pool.Device) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

// own looks afresh and gives all there is, and the volume or snapshot if its label is that one.
func (d Driver) own(ctx context.Context, name string, id model.UUID) (world, *zfs.Dataset, error) {
	w, err := d.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	s := w.find(d.volume(name))
	switch {
	case s == nil:
		return w, nil, fmt.Errorf("%s: %w", d.volume(name), pool.ErrNotFound)
	case label(*s) != id:
		return w, s, fmt.Errorf("%s: %w: it has %q", s.Name, pool.ErrLabel, label(*s))
	}
	return w, s, nil
}

func roundUp(kib int64) int64 { return (kib + blockKiB - 1) / blockKiB * blockKiB << 10 }

// Create implements pool.Driver.
func (d Driver) Create(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	if err := d.Tool.Create(ctx, d.volume(name), roundUp(sizeKiB), d.Thin, labelProp, string(id)); err != nil {
		return translate(err)
	}
	return d.settle(ctx, name)
}

// settle waits until the volume's node is there. If udev takes too long, the next Activate waits again.
func (d Driver) settle(ctx context.Context, name string) error {
	_, err := run.Check(ctx, d.Host, run.Cmd{Argv: []string{"udevadm", "settle", "--timeout=20", "--exit-if-exists=" + d.path(name)}}, nil)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", d.path(name), err)
	}
	return nil
}

// Activate implements pool.Driver. Volumes come with the import of their zpool; all there is to do is to wait for the node.
func (d Driver) Activate(ctx context.Context, name string, id model.UUID) error {
	if _, _, err := d.own(ctx, name, id); err != nil {
		return err
	}
	st, err := d.Host.Stat(d.path(name))
	if err != nil || st.Exists {
		return err
	}
	if err := d.settle(ctx, name); err != nil {
		return err
	}
	if st, err = d.Host.Stat(d.path(name)); err != nil || st.Exists {
		return err
	}
	return fmt.Errorf("the volume %s is there, but udev makes no %s", d.volume(name), d.path(name))
}

// Grow implements pool.Grower. ZFS does it while the volume is in use.
func (d Driver) Grow(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	_, v, err := d.own(ctx, name, id)
	if err != nil || v.SizeBytes>>10 >= sizeKiB {
		return err
	}
	return translate(d.Tool.SetSize(ctx, v.Name, roundUp(sizeKiB)))
}

// Remove implements pool.Driver.
func (d Driver) Remove(ctx context.Context, name string, id model.UUID) error {
	w, s, err := d.own(ctx, name, id)
	if errors.Is(err, pool.ErrNotFound) {
		if half := w.find(d.volume(name) + restoreExt); half != nil && label(*half) == id {
			return d.destroy(ctx, half.Name)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if s.Type == "snapshot" {
		return d.removeSnapshot(ctx, w, s)
	}
	living, hidden := w.snapshots(s.Name)
	if len(living) > 0 {
		return fmt.Errorf("remove %s: it has the snapshot %s, and maybe more: %w", s.Name, living[0].Name, pool.ErrInUse)
	}
	if len(hidden) > 0 { // destroy would say so too late
		if busy, err := d.busy(name); err != nil || busy {
			return errors.Join(err, inUse(busy, s.Name))
		}
	}
	for range len(hidden) {
		_, hidden = w.snapshots(s.Name)
		i := slices.IndexFunc(hidden, func(h zfs.Dataset) bool { return len(w.clones(h.Name)) > 0 })
		if i < 0 {
			break
		}
		if err := d.Tool.Promote(ctx, w.clones(hidden[i].Name)[0].Name); err != nil {
			return translate(err)
		}
		if w, err = d.look(ctx); err != nil {
			return err
		}
	}
	_, hidden = w.snapshots(s.Name)
	for _, h := range hidden {
		if err := d.destroyLater(ctx, h.Name); err != nil {
			return err
		}
	}
	return d.destroy(ctx, s.Name)
}

func inUse(busy bool, name string) error {
	if !busy {
		return nil
	}
	return fmt.Errorf("%s: %w", name, pool.ErrInUse)
}

// busy asks a machine with real disks whether something has claimed the volume.
func (d Driver) busy(name string) (bool, error) {
	b, ok := d.Host.(interface {
		Busy(path string) (bool, error)
	})
	if !ok {
		return false, nil
	}
	st, err := d.Host.Stat(d.path(name))
	if err != nil || !st.Exists {
		return false, err
	}
	return b.Busy(d.path(name))
}

func (d Driver) destroy(ctx context.Context, name string) error {
	if err := d.Tool.Destroy(ctx, name); err != nil && !errors.Is(err, zfs.ErrNotFound) {
		return translate(err)
	}
	return nil
}

func (d Driver) destroyLater(ctx context.Context, snap string) error {
	if err := d.Tool.DestroyLater(ctx, snap); err != nil && !errors.Is(err, zfs.ErrNotFound) {
		return translate(err)
	}
	return nil
}

// translate adds what the pool's user matches on.
func translate(err error) error { return pool.Translate(err, meanings) }

var meanings = []pool.Meaning{
	{From: zfs.ErrNoPool, To: pool.ErrNoPool},
	{From: zfs.ErrExists, To: pool.ErrExists},
	{From: zfs.ErrNotFound, To: pool.ErrNotFound},
	{From: zfs.ErrNoSpace, To: pool.ErrNoSpace},
	{From: zfs.ErrInUse, To: pool.ErrInUse},
	{From: zfs.ErrDependent, To: pool.ErrInUse},
	{From: zfs.ErrNewer, To: pool.ErrNewerSnapshots},
}
