// Package pooltest is the conformance suite of storage drivers: each passes it on the model machine, and in the lab.
package pooltest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

// Pool is an empty pool to test in, of at least 1 GiB.
type Pool struct {
	Driver pool.Driver
	// Foreign makes a device of that name that isn't Holdfast's, by other means than the driver.
	Foreign func(t *testing.T, name string)
	// Reboot takes all devices away, as a boot does.
	Reboot func(t *testing.T)
	// Hold has something else open the device at path, or let it go.
	Hold func(t *testing.T, path string, on bool)
	// Write writes something of its own on the device or snapshot; Read gives what is on it, comparable, wherever it is.
	Write func(t *testing.T, name string)
	Read  func(t *testing.T, name string) string
	// Independent: a device can be removed while its snapshots stay.
	Independent bool
	// OnlyNewest: a device goes back to its newest snapshot only.
	OnlyNewest bool
	// Standing: devices come back by themselves at a boot.
	Standing bool
	// Vanish takes the pool itself away.
	Vanish func(t *testing.T)
}

const size = 64 << 10 // KiB

// Run runs the suite; open gives a new pool each time.
func Run(t *testing.T, open func(t *testing.T) Pool) {
	ctx := context.Background()
	look := func(t *testing.T, p Pool) pool.Picture {
		t.Helper()
		s, err := p.Driver.Scan(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	create := func(t *testing.T, p Pool, name string, id model.UUID) {
		t.Helper()
		if err := p.Driver.Create(ctx, name, size, id); err != nil {
			t.Fatal(err)
		}
	}
	is := func(t *testing.T, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}

	t.Run("empty", func(t *testing.T) {
		s := look(t, open(t))
		if len(s.Devices) != 0 || s.TotalKiB < 1<<20-1<<14 || s.FreeKiB > s.TotalKiB {
			t.Errorf("%+v", s)
		}
	})
	t.Run("create", func(t *testing.T) {
		p := open(t)
		before := look(t, p)
		create(t, p, "backups_00000", "v1")
		create(t, p, "a-b_00001", "v2")
		s := look(t, p)
		if len(s.Devices) != 2 || s.Devices[0].Name != "a-b_00001" {
			t.Fatalf("%+v", s.Devices)
		}
		d := s.Device("backups_00000")
		if d.Label != "v1" || d.Path == "" || d.SizeKiB < size || d.SizeKiB > size+32<<10 || d.AllocKiB > d.SizeKiB+d.SizeKiB/8 {
			t.Errorf("%+v", d)
		}
		if s.FreeKiB > before.FreeKiB || s.TotalKiB != before.TotalKiB {
			t.Errorf("%+v after %+v", s, before)
		}
		foreseen(t, p, before, s, pool.Device{Name: "backups_00000", Label: "v1", SizeKiB: size}, pool.Device{Name: "a-b_00001", Label: "v2", SizeKiB: size})
	})
	t.Run("create what exists", func(t *testing.T) {
		p := open(t)
		create(t, p, "backups_00000", "v1")
		is(t, p.Driver.Create(ctx, "backups_00000", size, "v2"), pool.ErrExists)
		is(t, p.Driver.Create(ctx, "backups_00000", size, "v1"), pool.ErrExists)
		p.Foreign(t, "mine")
		is(t, p.Driver.Create(ctx, "mine", size, "v3"), pool.ErrExists)
		s := look(t, p)
		if d := s.Device("backups_00000"); d == nil || d.Label != "v1" {
			t.Errorf("%+v", d)
		}
		if d := s.Device("mine"); d == nil || d.Label != "" {
			t.Errorf("%+v", d)
		}
	})
	t.Run("remove", func(t *testing.T) {
		p := open(t)
		create(t, p, "backups_00000", "v1")
		before := look(t, p)
		for range 2 { // nothing to remove is success
			is(t, p.Driver.Remove(ctx, "backups_00000", "v1"), nil)
		}
		s := look(t, p)
		if len(s.Devices) != 0 {
			t.Errorf("%+v", s.Devices)
		}
		foreseen(t, p, before, s, pool.Device{Name: "backups_00000"})
		create(t, p, "backups_00000", "v2") // the name is free again
		if d := look(t, p); d.Device("backups_00000").Label != "v2" {
			t.Errorf("%+v", d.Devices)
		}
	})
	t.Run("what isn't ours", func(t *testing.T) {
		p := open(t)
		create(t, p, "backups_00000", "v1")
		p.Foreign(t, "mine")
		is(t, p.Driver.Remove(ctx, "backups_00000", "v2"), pool.ErrLabel)
		is(t, p.Driver.Remove(ctx, "mine", "v1"), pool.ErrLabel)
		is(t, p.Driver.Activate(ctx, "backups_00000", "v2"), pool.ErrLabel)
		is(t, p.Driver.Activate(ctx, "none", "v2"), pool.ErrNotFound)
		if s := look(t, p); len(s.Devices) != 2 {
			t.Errorf("%+v", s.Devices)
		}
	})
	t.Run("boot", func(t *testing.T) {
		p := open(t)
		create(t, p, "backups_00000", "v1")
		create(t, p, "backups_00001", "v2")
		p.Reboot(t)
		if d := look(t, p); d.Device("backups_00000").Path != "" && !p.Standing || d.Device("backups_00000").Label != "v1" {
			t.Errorf("%+v", d.Devices)
		}
		for range 2 {
			is(t, p.Driver.Activate(ctx, "backups_00000", "v1"), nil)
		}
		if d := look(t, p); d.Device("backups_00000").Path == "" || d.Device("backups_00001").Path != "" && !p.Standing {
			t.Errorf("%+v", d.Devices)
		}
		is(t, p.Driver.Remove(ctx, "backups_00001", "v2"), nil) // inactive
	})
	t.Run("in use", func(t *testing.T) {
		p := open(t)
		create(t, p, "backups_00000", "v1")
		path := look(t, p)
		dev := path.Device("backups_00000").Path
		p.Hold(t, dev, true)
		is(t, p.Driver.Remove(ctx, "backups_00000", "v1"), pool.ErrInUse)
		if s := look(t, p); s.Device("backups_00000") == nil {
			t.Fatal("removed")
		}
		p.Hold(t, dev, false)
		is(t, p.Driver.Remove(ctx, "backups_00000", "v1"), nil)
		if s := look(t, p); len(s.Devices) != 0 {
			t.Errorf("%+v", s.Devices)
		}
	})
	grow(t, open)
	snapshots(t, open)
	t.Run("pool gone", func(t *testing.T) {
		p := open(t)
		create(t, p, "backups_00000", "v1")
		p.Vanish(t)
		_, err := p.Driver.Scan(ctx)
		is(t, err, pool.ErrNoPool)
		is(t, p.Driver.Create(ctx, "backups_00001", size, "v2"), pool.ErrNoPool)
		// What can't be looked for isn't known to be gone.
		is(t, p.Driver.Remove(ctx, "backups_00000", "v1"), pool.ErrNoPool)
	})
}

// foreseen: what a driver that is a pool.Foreseer foresees of those changes is what a look finds.
func foreseen(t *testing.T, p Pool, before, after pool.Picture, changes ...pool.Device) {
	t.Helper()
	f, ok := p.Driver.(pool.Foreseer)
	for _, d := range changes {
		if ok {
			before, ok = f.Made(before, d)
		}
	}
	if !ok {
		return
	}
	if !slices.Equal(before.Devices, after.Devices) || before.FreeKiB != after.FreeKiB {
		t.Errorf("foreseen %+v, found %+v", before, after)
	}
}
