package lvm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/tool/lvm"
)

// Thin is one thin pool of a volume group (provider LVM_THIN). A snapshot is a thin volume called <device>.<snapshot>,
// inactive; it stays when its origin goes.
//
// A roll back makes a copy of the snapshot, <device>+rollback with the device's label, removes the device and renames the
// copy. If that is cut short while the device isn't there, the copy counts as the device, and the next call that is about
// the device renames it. A restore that has to grow the copy first makes it as <device>+restore; what is left of one that
// was cut short is a leftover.
type Thin struct {
	Tool     lvm.Tool
	VG, Pool string
}

var (
	_ pool.Driver      = Thin{}
	_ pool.Grower      = Thin{}
	_ pool.Snapshotter = Thin{}
	_ pool.Glancer     = Thin{}
)

const (
	rollbackExt = "+rollback"
	restoreExt  = "+restore"
)

// lvName of a device or snapshot. Devices' names have no '.'.
func lvName(name string) string { return strings.Replace(name, "@", ".", 1) }

// Scan implements pool.Driver with one LVM command. The kernel measures only an active thin pool; after a boot, nobody may
// have activated it yet.
func (d Thin) Scan(ctx context.Context) (pool.Picture, error) {
	g, thin, err := d.look(ctx)
	if err != nil {
		return pool.Picture{}, err
	}
	if !thin.Measured {
		if err := d.Tool.Activate(ctx, d.VG, d.Pool); err != nil {
			return pool.Picture{}, d.translate(err)
		}
		if g, thin, err = d.look(ctx); err != nil {
			return pool.Picture{}, err
		}
		if !thin.Measured {
			return pool.Picture{}, fmt.Errorf("thin pool %s/%s doesn't tell how full it is", d.VG, d.Pool)
		}
	}
	p := pool.Picture{Disks: disks(g), TotalKiB: thin.SizeBytes >> 10, UnitKiB: g.ExtentBytes >> 10, MetaPercent: thin.MetaPercent, Zeroes: thin.Flag(8) == 'z', Trouble: trouble(thin)}
	p.FreeKiB = int64(float64(p.TotalKiB) * (100 - min(thin.DataPercent, 100)) / 100)
	for _, v := range g.LVs {
		dev := device(v)
		if v.Pool != d.Pool {
			if v.Name != d.Pool { // another pool's, or nobody's, but its name is taken here too
				dev.Label = ""
				p.Devices = append(p.Devices, dev)
			}
			continue
		}
		dev.AllocKiB = int64(float64(dev.SizeKiB) * v.DataPercent / 100)
		if dev.Label != "" {
			if of, snap, ok := strings.Cut(v.Name, "."); ok {
				dev.Name, dev.Origin, dev.Path = pool.SnapshotName(of, snap), of, ""
			} else if of, ok := strings.CutSuffix(v.Name, rollbackExt); ok {
				if _, there := g.LV(of); there {
					continue
				}
				dev.Name, dev.Path = of, ""
			} else if of, ok := strings.CutSuffix(v.Name, restoreExt); ok {
				if _, there := g.LV(of); there {
					continue
				}
				dev.Name, dev.Path, dev.Leftover = of, "", true
			}
		}
		p.Devices = append(p.Devices, dev)
	}
	slices.SortFunc(p.Devices, func(a, b pool.Device) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

// trouble by lvs(8), volume health.
func trouble(thin lvm.LV) string {
	switch thin.Flag(9) {
	case 'D':
		return "the thin pool is out of data space; extend it (lvextend)"
	case 'M':
		return "the thin pool's metadata is read-only: it is full or damaged (lvextend --poolmetadatasize, lvconvert --repair)"
	case 'F':
		return "the thin pool has failed (lvconvert --repair)"
	}
	return ""
}

func (d Thin) look(ctx context.Context) (lvm.VG, lvm.LV, error) {
	g, err := d.Tool.VG(ctx, d.VG)
	if err != nil {
		return g, lvm.LV{}, d.translate(err)
	}
	thin, ok := g.LV(d.Pool)
	if !ok || !thin.ThinPool() {
		return g, thin, fmt.Errorf("thin pool %s/%s: %w", d.VG, d.Pool, pool.ErrNoPool)
	}
	return g, thin, nil
}

// own looks afresh and gives the group, and the device or snapshot if its label is that one. It finishes a roll back.
func (d Thin) own(ctx context.Context, name string, id model.UUID) (lvm.VG, lvm.LV, error) {
	g, _, err := d.look(ctx)
	if err != nil {
		return g, lvm.LV{}, err
	}
	v, ok := g.LV(lvName(name))
	if half, there := g.LV(name + rollbackExt); !ok && there && half.Pool == d.Pool && label(half.Tags) == id {
		if err := d.Tool.Rename(ctx, d.VG, half.Name, name); err != nil {
			return g, v, d.translate(err)
		}
		if err := d.flush(ctx, g); err != nil {
			return g, v, err
		}
		half.Name, half.Path = name, "/dev/"+d.VG+"/"+name
		v, ok = half, true
	}
	switch {
	case !ok:
		return g, v, fmt.Errorf("thin volume %s/%s: %w", d.VG, lvName(name), pool.ErrNotFound)
	case v.Pool != d.Pool:
		return g, v, fmt.Errorf("volume %s/%s: %w: it isn't in thin pool %s", d.VG, v.Name, pool.ErrLabel, d.Pool)
	case label(v.Tags) != id:
		return g, v, fmt.Errorf("thin volume %s/%s: %w: it has %q", d.VG, v.Name, pool.ErrLabel, label(v.Tags))
	}
	return g, v, nil
}

func (d Thin) flush(ctx context.Context, g lvm.VG) error {
	return Driver{Tool: d.Tool, VG: d.VG}.flush(ctx, g.PVs...)
}

func (d Thin) translate(err error) error {
	if errors.Is(err, lvm.ErrPoolNotFound) {
		return fmt.Errorf("%w: %w", pool.ErrNoPool, err)
	}
	return translate(err)
}

// Create implements pool.Driver.
func (d Thin) Create(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	if err := d.Tool.CreateThin(ctx, d.VG, d.Pool, name, sizeKiB, TagPrefix+string(id)); err != nil {
		return d.translate(err)
	}
	return Driver{Tool: d.Tool, VG: d.VG}.flush(ctx, "/dev/"+d.VG+"/"+name)
}

// Activate implements pool.Driver.
func (d Thin) Activate(ctx context.Context, name string, id model.UUID) error {
	_, v, err := d.own(ctx, name, id)
	if err != nil || v.Active {
		return err
	}
	return d.translate(d.Tool.Activate(ctx, d.VG, name))
}

// Remove implements pool.Driver.
func (d Thin) Remove(ctx context.Context, name string, id model.UUID) error {
	g, v, err := d.own(ctx, name, id)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	for _, ext := range []string{rollbackExt, restoreExt} {
		if err := d.dropCopy(ctx, g, name+ext, id); err != nil {
			return err
		}
	}
	if err == nil {
		if err := d.Tool.Remove(ctx, d.VG, v.Name); err != nil && !errors.Is(err, lvm.ErrNotFound) {
			return d.translate(err)
		}
	}
	return d.flush(ctx, g)
}

// dropCopy removes what a roll back or restore made and didn't come to use.
func (d Thin) dropCopy(ctx context.Context, g lvm.VG, lv string, id model.UUID) error {
	v, ok := g.LV(lv)
	if !ok || v.Pool != d.Pool || label(v.Tags) != id {
		return nil
	}
	if err := d.Tool.Remove(ctx, d.VG, lv); err != nil && !errors.Is(err, lvm.ErrNotFound) {
		return d.translate(err)
	}
	return nil
}

// Grow implements pool.Grower. It takes nothing of the pool before the new part is written to.
func (d Thin) Grow(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	g, v, err := d.own(ctx, name, id)
	if err != nil || v.SizeBytes>>10 >= sizeKiB {
		return err
	}
	if err := d.Tool.Extend(ctx, d.VG, v.Name, sizeKiB); err != nil {
		return d.translate(err)
	}
	return d.flush(ctx, g)
}

// Snapshot implements pool.Snapshotter. The kernel writes out what is on its way to the origin and holds it meanwhile.
func (d Thin) Snapshot(ctx context.Context, origin string, originID model.UUID, snap string, id model.UUID) error {
	g, v, err := d.own(ctx, origin, originID)
	if err != nil {
		return err
	}
	return d.take(ctx, v.Name, pool.SnapshotName(origin, snap), id, g.PVs)
}

// take makes the snapshot, and it durable on the group's disks.
func (d Thin) take(ctx context.Context, origin, name string, id model.UUID, disks []string) error {
	if err := d.Tool.SnapshotThin(ctx, d.VG, origin, lvName(name), false, TagPrefix+string(id)); err != nil {
		return d.translate(err)
	}
	return Driver{Tool: d.Tool, VG: d.VG}.flush(ctx, disks...)
}

// SnapshotSeen implements pool.Glancer.
func (d Thin) SnapshotSeen(ctx context.Context, seen pool.Picture, origin string, originID model.UUID, snap string, id model.UUID) error {
	v := seen.Device(origin)
	if v == nil || v.Label != originID || v.Path == "" || len(seen.Disks) == 0 {
		return d.Snapshot(ctx, origin, originID, snap, id)
	}
	return d.take(ctx, lvName(origin), pool.SnapshotName(origin, snap), id, seen.Disks)
}

// Restore implements pool.Snapshotter.
func (d Thin) Restore(ctx context.Context, snap string, snapID model.UUID, name string, sizeKiB int64, id model.UUID) error {
	g, v, err := d.own(ctx, snap, snapID)
	if err != nil {
		return err
	}
	tag := TagPrefix + string(id)
	if v.SizeBytes>>10 >= sizeKiB {
		if err := d.Tool.SnapshotThin(ctx, d.VG, v.Name, name, true, tag); err != nil {
			return d.translate(err)
		}
		return d.flush(ctx, g)
	}
	if _, ok := g.LV(name); ok {
		return fmt.Errorf("restore %s/%s: %w", d.VG, name, pool.ErrExists)
	}
	half := name + restoreExt
	if err := d.dropCopy(ctx, g, half, id); err != nil {
		return err
	}
	if err := d.Tool.SnapshotThin(ctx, d.VG, v.Name, half, true, tag); err != nil {
		return d.translate(err)
	}
	if err := d.Tool.Extend(ctx, d.VG, half, sizeKiB); err != nil {
		return d.translate(err)
	}
	if err := d.Tool.Rename(ctx, d.VG, half, name); err != nil {
		return d.translate(err)
	}
	return d.flush(ctx, g)
}

// Rollback implements pool.Snapshotter.
func (d Thin) Rollback(ctx context.Context, name string, id model.UUID, snap string, snapID model.UUID) error {
	g, v, err := d.own(ctx, name, id)
	if err != nil {
		return err
	}
	_, s, err := d.own(ctx, snap, snapID)
	if err != nil {
		return err
	}
	if v.Open() {
		return fmt.Errorf("roll back %s/%s: it is open: %w", d.VG, v.Name, pool.ErrInUse)
	}
	if err := d.dropCopy(ctx, g, name+rollbackExt, id); err != nil {
		return err
	}
	half := name + rollbackExt
	if err := d.Tool.SnapshotThin(ctx, d.VG, s.Name, half, true, TagPrefix+string(id)); err != nil {
		return d.translate(err)
	}
	if s.SizeBytes < v.SizeBytes {
		err = d.Tool.Extend(ctx, d.VG, half, v.SizeBytes>>10) // it has grown since
	}
	if err == nil {
		err = d.Tool.Remove(ctx, d.VG, v.Name)
	}
	if err != nil {
		return errors.Join(d.translate(err), d.Tool.Remove(ctx, d.VG, half))
	}
	if err := d.Tool.Rename(ctx, d.VG, half, name); err != nil {
		return d.translate(err)
	}
	return d.flush(ctx, g)
}
