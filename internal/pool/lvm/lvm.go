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

// TagPrefix starts the tag that labels a volume of ours.
const TagPrefix = "holdfast:"

// Driver is one volume group.
type Driver struct {
	Tool lvm.Tool
	VG   string
}

var _ pool.Driver = Driver{}

// Scan implements pool.Driver with one LVM command.
func (d Driver) Scan(ctx context.Context) (pool.Picture, error) {
	g, err := d.Tool.VG(ctx, d.VG)
	if err != nil {
		return pool.Picture{}, translate(err)
	}
	p := pool.Picture{FreeKiB: g.FreeBytes >> 10, TotalKiB: g.SizeBytes >> 10, UnitKiB: g.ExtentBytes >> 10, Disks: disks(g)}
	for _, v := range g.LVs {
		dev := device(v)
		if v.Pool != "" { // in a thin pool: another pool's, or nobody's, but its name is taken here too
			dev.Label = ""
		}
		if copies(g, v, &dev) {
			p.Devices = append(p.Devices, dev)
		}
	}
	slices.SortFunc(p.Devices, func(a, b pool.Device) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

// disks of a group; nil where some are missing.
func disks(g lvm.VG) []string {
	if g.MissingPVs > 0 {
		return nil
	}
	return g.PVs
}

func device(v lvm.LV) pool.Device {
	d := pool.Device{Name: v.Name, Label: label(v.Tags), SizeKiB: v.SizeBytes >> 10, AllocKiB: v.SizeBytes >> 10}
	if v.Active {
		d.Path = v.Path
	}
	return d
}

// label of a volume; two labels fit no incarnation, so such a volume is nobody's to touch.
func label(tags []string) model.UUID {
	var l model.UUID
	for _, t := range tags {
		if id, ok := strings.CutPrefix(t, TagPrefix); ok {
			if l != "" {
				return "ambiguous"
			}
			l = model.UUID(id)
		}
	}
	return l
}

// Create implements pool.Driver.
func (d Driver) Create(ctx context.Context, name string, sizeKiB int64, id model.UUID) error {
	if err := d.Tool.Create(ctx, d.VG, name, sizeKiB, TagPrefix+string(id)); err != nil {
		return translate(err)
	}
	return d.flush(ctx, "/dev/"+d.VG+"/"+name) // the volume passes it on to the disks that it lies on
}

// Activate implements pool.Driver.
func (d Driver) Activate(ctx context.Context, name string, id model.UUID) error {
	_, v, err := d.own(ctx, name, id)
	if err != nil {
		return err
	}
	if v.Active {
		return nil
	}
	return translate(d.Tool.Activate(ctx, d.VG, name))
}

// Remove implements pool.Driver. A volume that has snapshots is left alone: lvremove would take them too.
func (d Driver) Remove(ctx context.Context, name string, id model.UUID) error {
	g, v, err := d.own(ctx, lvName(name), id)
	if half, ok := g.LV(name + copyExt); ok && label(half.Tags) == id && errors.Is(err, pool.ErrNotFound) {
		v, err = half, nil
	}
	if errors.Is(err, pool.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if v.Origin() {
		return fmt.Errorf("remove %s/%s: it has snapshots: %w", d.VG, name, pool.ErrInUse)
	}
	err = d.Tool.Remove(ctx, d.VG, v.Name)
	if errors.Is(err, lvm.ErrNotFound) {
		return nil
	}
	if err != nil {
		return translate(err)
	}
	return d.flush(ctx, g.PVs...)
}

// own looks afresh and gives the group, and the volume if its label is that one.
func (d Driver) own(ctx context.Context, name string, id model.UUID) (lvm.VG, lvm.LV, error) {
	g, err := d.Tool.VG(ctx, d.VG)
	if err != nil {
		return g, lvm.LV{}, translate(err)
	}
	v, ok := g.LV(name)
	if !ok {
		return g, v, fmt.Errorf("logical volume %s/%s: %w", d.VG, name, pool.ErrNotFound)
	}
	if l := label(v.Tags); l != id {
		return g, v, fmt.Errorf("logical volume %s/%s: %w: it has %q", d.VG, name, pool.ErrLabel, l)
	}
	return g, v, nil
}

// translate adds what the pool's user matches on.
func translate(err error) error { return pool.Translate(err, meanings) }

var meanings = []pool.Meaning{
	{From: lvm.ErrVGNotFound, To: pool.ErrNoPool},
	{From: lvm.ErrExists, To: pool.ErrExists},
	{From: lvm.ErrNotFound, To: pool.ErrNotFound},
	{From: lvm.ErrNoSpace, To: pool.ErrNoSpace},
	{From: lvm.ErrInUse, To: pool.ErrInUse},
}
