package satellite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/luks"
)

// mayGrow asks the kernel this moment, see steps.MayGrow, and gives what the volume offers in KiB.
func (x *execution) mayGrow(ctx context.Context, s steps.Step) (usable int64, err error) {
	k, err := x.now(ctx, s)
	if err != nil {
		return 0, err
	}
	why := steps.MayGrow(k, s.Number, s.Peers)
	if s.Alone {
		why = steps.MayGrowAlone(k, s.Number)
	}
	if why != "" {
		return 0, &WaitError{Reason: fmt.Sprintf("volume %d grows: %s", s.Number, why)}
	}
	return k.Volumes[s.Number].SizeKiB, nil
}

// growDevice makes a backing device larger. Under DRBD only where it is certain that the metadata lie at the end of the
// device as it is, and after that was noted for drbd-utils.
func (x *execution) growDevice(ctx context.Context, d pool.Driver, s steps.Step) error {
	g, ok := d.(pool.Grower)
	if !ok {
		return fmt.Errorf("storage pool %s can't make devices larger: create a larger volume and copy the data", s.Pool)
	}
	dev, err := x.device(ctx, d, s)
	if err != nil {
		return err
	}
	size := max(s.SizeKiB, dev.SizeKiB)
	header := int64(0)
	if s.LUKS { // what is below DRBD is what is in the mapping
		x.looksCrypt = true
		if len(x.job.keys[s.Label].keys) == 0 {
			return &WaitError{Reason: fmt.Sprintf("volume %d grows: it waits for its key: enter the passphrase on the controller, `encryption enter-passphrase`", s.Number)}
		}
		m, err := x.inner(ctx, s)
		if err != nil {
			return err
		}
		header, dev.Path, dev.SizeKiB = m.OffsetKiB, model.MappingPath(s.Label), m.SizeKiB+m.OffsetKiB
	}
	inner := dev
	inner.SizeKiB -= header
	var wait error
	if s.DRBD != model.Unpinned {
		usable, err := x.mayGrow(ctx, s)
		if err != nil {
			return err
		}
		if s.Alone { // so that it is certain where they lie
			if err := x.moveMetadata(ctx, s); err != nil {
				return err
			}
		}
		if dev.SizeKiB < s.SizeKiB {
			if wait = x.settle(s, inner, usable); wait != nil {
				size = dev.SizeKiB
				var w *WaitError
				if !errors.As(wait, &w) {
					return wait
				}
			}
		}
	}
	look := s.DRBD != model.Unpinned && !s.LUKS && size > dev.SizeKiB // a mapping makes noise of what lay there
	if look {
		if s.Own, err = x.drbd.EndID(ctx, dev.Path, dev.SizeKiB); err != nil {
			return err
		}
		if s.Own == 0 {
			return fmt.Errorf("volume %d grows: DRBD's metadata aren't at the end of %s, where they should be; nothing was changed", s.Number, dev.Path)
		}
		if err := x.isGrowing(s, s.Own); err != nil {
			return err
		}
	}
	err = g.Grow(ctx, s.Device, size, s.Label)
	if look { // also where that failed: it may have grown
		err = errors.Join(err, x.grown(ctx, d, s))
	}
	if err != nil {
		return err
	}
	if s.LUKS && wait == nil {
		if err := (luks.Tool{Run: x.host}).Resize(ctx, model.MappingName(s.Label), x.job.keys[s.Label].keys[0]); err != nil {
			return err
		}
	}
	if s.Alone && wait == nil {
		if err := x.moveMetadata(ctx, s); err != nil {
			return err
		}
		x.result.alone = map[model.UUID]int64{s.Label: size}
	}
	x.result.grown = map[model.UUID]int64{s.Label: size}
	return wait
}

// moveMetadata has DRBD 8.4, with no peer connected, move the metadata to the end of the device as it is now, and drbd-utils
// note that. It offers as much as before, or what the peer offered that refused it. 9 moves them at the next handshake.
func (x *execution) moveMetadata(ctx context.Context, s steps.Step) error {
	if s.DRBD != model.DRBD8 {
		return nil
	}
	return x.drbd.Resize(ctx, drbd.Target{File: x.cfg.configFile(s.Resource), Resource: s.Resource}, s.Number)
}

// isGrowing notes what tells the volume's metadata from others that the device's end may hold; 0: it holds none.
func (x *execution) isGrowing(s steps.Step, own uint64) error {
	rec := newRecord(x.boot, s)
	rec.Growing = maps.Clone(rec.Growing)
	if delete(rec.Growing, s.Number); own != 0 {
		if rec.Growing == nil {
			rec.Growing = map[int]uint64{}
		}
		rec.Growing[s.Number] = own
	}
	if err := rec.save(x.host, x.cfg); err != nil {
		return err
	}
	x.result.record = &rec
	return nil
}

// grown: the end was looked at.
func (x *execution) grown(ctx context.Context, d pool.Driver, s steps.Step) error {
	dev, err := x.device(ctx, d, s)
	if err == nil {
		err = x.clear(ctx, dev, s.Own)
	}
	if err == nil {
		err = x.isGrowing(s, 0)
	}
	return err
}

// clear takes away metadata at the device's end that aren't its own.
func (x *execution) clear(ctx context.Context, dev pool.Device, own uint64) error {
	at, err := x.drbd.EndID(ctx, dev.Path, dev.SizeKiB)
	if err != nil || at == 0 || at == own {
		return err
	}
	return x.drbd.ClearEnd(ctx, dev.Path, dev.SizeKiB)
}

// clearEnd does so before an attach. Where drbd-utils noted the device's size, they had it in hand since: it holds its own.
func (x *execution) clearEnd(ctx context.Context, d pool.Driver, s steps.Step) error {
	dev, err := x.device(ctx, d, s)
	if err != nil {
		return err
	}
	noted, err := x.place(s.Minor)
	if err != nil || noted == 0 || noted >= dev.SizeKiB {
		return err
	}
	if there, err := x.drbd.EndID(ctx, dev.Path, noted); err != nil || there == 0 {
		return err // never the only ones
	}
	return x.clear(ctx, dev, s.Own)
}

// device looks at the step's device now.
func (x *execution) device(ctx context.Context, d pool.Driver, s steps.Step) (pool.Device, error) {
	p, err := d.Scan(ctx)
	if err != nil {
		return pool.Device{}, err
	}
	dev := p.Device(s.Device)
	switch {
	case dev == nil:
		return pool.Device{}, fmt.Errorf("look at %s/%s: %w", s.Pool, s.Device, pool.ErrNotFound)
	case dev.Label != s.Label:
		return pool.Device{}, fmt.Errorf("look at %s/%s: %w", s.Pool, s.Device, pool.ErrLabel)
	}
	return *dev, nil
}

// settle makes certain that DRBD's metadata lie at the end of the attached device as it is now, and that drbd-utils' note
// says so durably. A WaitError: they don't, or it isn't known.
//
// What the volume offers proves it where it is more than fits before the noted place, or all that the device has room for.
func (x *execution) settle(s steps.Step, dev pool.Device, usable int64) error {
	noted, err := x.place(s.Minor)
	if err != nil {
		return err
	}
	if noted != dev.SizeKiB && (noted == 0 || usable <= noted) && usable < model.UsableKiB(dev.SizeKiB, s.DRBD, s.Slots) {
		return &WaitError{Reason: fmt.Sprintf("volume %d grows: waits until DRBD has taken over what the backing device grew by before", s.Number)}
	}
	return x.note(s.Minor, dev)
}

// place is the size in KiB of the device at whose end drbd-utils believes the metadata to lie; 0: it doesn't know.
func (x *execution) place(minor int) (int64, error) {
	b, err := x.host.ReadFile(drbd.PlaceFile(minor))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read the place of the metadata of minor %d: %w", minor, err)
	}
	p, _ := drbd.ParsePlace(b)
	return p.SizeKiB, nil
}

// note writes the place durably, also where it says so already: drbd-utils doesn't sync.
func (x *execution) note(minor int, dev pool.Device) error {
	if err := x.host.MkdirAll(drbd.PlaceDir, 0o755); err != nil {
		return fmt.Errorf("note the place of the metadata of minor %d: %w", minor, err)
	}
	p := drbd.Place{SizeKiB: dev.SizeKiB, Device: dev.Path}
	if err := x.host.WriteFile(drbd.PlaceFile(minor), p.Text(), 0o600); err != nil {
		return fmt.Errorf("note the place of the metadata of minor %d: %w", minor, err)
	}
	return nil
}

// takeSize lets DRBD grow into the larger backing devices. The note isn't touched: until the volume offers more, nobody
// knows whether the metadata were moved, and attach looks at the device's end before it follows the note.
func (x *execution) takeSize(ctx context.Context, s steps.Step) error {
	before, err := x.mayGrow(ctx, s)
	if err != nil {
		return err
	}
	take := x.drbd.TakeSize
	if s.Peers == 0 {
		take = x.drbd.ResizeAlone
	}
	err = take(ctx, s.Minor)
	if errors.Is(err, drbd.ErrNeedPrimary) {
		// With 8.4 each volume has a role of its own: another volume of this resource is in use, this one not.
		at := drbd.Target{File: x.cfg.configFile(s.Resource), Resource: s.Resource}
		if err = x.drbd.PrimaryVolume(ctx, at, s.Number, false); err == nil {
			err = take(ctx, s.Minor)
			if e := x.drbd.SecondaryVolume(ctx, at, s.Number); err == nil && !errors.Is(e, drbd.ErrInUse) {
				err = e
			}
		}
	}
	if err != nil {
		return err
	}
	k, err := x.now(ctx, s)
	if err != nil {
		return err
	}
	if k == nil || k.Volumes[s.Number].SizeKiB <= before {
		return &WaitError{Reason: fmt.Sprintf("volume %d grows: DRBD still offers %d KiB: some replica's backing device hasn't grown", s.Number, before)}
	}
	return nil
}

// growing tells whether something waits for DRBD to offer more, which no event may tell: of that resource, or ("") any.
func (a *Agent) growing(name string) bool {
	for _, r := range a.replicas {
		if r.spec.DRBD == nil || r.status.Phase != model.Working && r.status.Phase != model.Failed || name != "" && r.spec.Name != name {
			continue
		}
		for _, v := range r.spec.Volumes {
			if v.GrowKiB > 0 && v.Pool != "" {
				return true
			}
		}
	}
	return false
}
