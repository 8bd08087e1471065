package pooltest

import (
	"context"
	"errors"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/pool"
)

// snapshots is for drivers that are pool.Snapshotters.
func snapshots(t *testing.T, open func(t *testing.T) Pool) {
	ctx := context.Background()
	if _, ok := open(t).Driver.(pool.Snapshotter); !ok {
		return
	}
	const dev, snap = "backups_00000", "backups_00000@one"
	is := func(t *testing.T, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	find := func(t *testing.T, p Pool, name string) *pool.Device {
		t.Helper()
		s, err := p.Driver.Scan(ctx)
		must(t, err)
		return s.Device(name)
	}
	if pic, err := open(t).Driver.Scan(ctx); err != nil {
		t.Fatal(err)
	} else if pic.NoSnapshots != "" {
		t.Run("no snapshots", func(t *testing.T) {
			p := open(t)
			must(t, p.Driver.Create(ctx, dev, size, "v1"))
			is(t, p.Driver.(pool.Snapshotter).Snapshot(ctx, dev, "v1", "one", "s1"), pool.ErrUnsupported)
			if pic, err := p.Driver.Scan(ctx); err != nil || len(pic.Devices) != 1 || pic.NoSnapshots == "" {
				t.Errorf("%+v %v", pic, err)
			}
		})
		return
	}
	// setup gives a device with a snapshot, and something written since.
	setup := func(t *testing.T) (Pool, pool.Snapshotter) {
		p := open(t)
		s := p.Driver.(pool.Snapshotter)
		must(t, p.Driver.Create(ctx, dev, size, "v1"))
		p.Write(t, dev)
		must(t, s.Snapshot(ctx, dev, "v1", "one", "s1"))
		return p, s
	}
	t.Run("snapshot", func(t *testing.T) {
		p, s := setup(t)
		then := p.Read(t, dev)
		p.Write(t, dev)
		if p.Read(t, dev) == then {
			t.Fatal("the write isn't there")
		}
		d := find(t, p, snap)
		if d == nil || d.Label != "s1" || d.Path != "" || d.Origin != dev || d.SizeKiB < size {
			t.Fatalf("%+v", d)
		}
		if o := find(t, p, dev); o.Label != "v1" || o.Origin != "" || o.Path == "" {
			t.Errorf("%+v", o)
		}
		if got := p.Read(t, snap); got != then {
			t.Errorf("the snapshot has %s, want %s", got, then)
		}
		is(t, s.Snapshot(ctx, dev, "v1", "one", "s2"), pool.ErrExists)
		is(t, s.Snapshot(ctx, dev, "v1", "one", "s1"), pool.ErrExists)
		is(t, s.Snapshot(ctx, dev, "v2", "two", "s2"), pool.ErrLabel)
		is(t, s.Snapshot(ctx, "none_00000", "v2", "two", "s2"), pool.ErrNotFound)
		if d := find(t, p, snap); d == nil || d.Label != "s1" {
			t.Errorf("%+v", d)
		}
		p.Reboot(t)
		if d := find(t, p, snap); d == nil || d.Label != "s1" || d.Path != "" {
			t.Errorf("after a boot: %+v", d)
		}
	})
	t.Run("snapshot while in use", func(t *testing.T) {
		p, s := setup(t)
		p.Hold(t, find(t, p, dev).Path, true)
		before, err := p.Driver.Scan(ctx)
		must(t, err)
		is(t, s.Snapshot(ctx, dev, "v1", "two", "s2"), nil)
		after, err := p.Driver.Scan(ctx)
		must(t, err)
		foreseen(t, p, before, after, pool.Device{Name: pool.SnapshotName(dev, "two"), Label: "s2", Origin: dev})
		if d := find(t, p, "backups_00000@two"); d == nil || d.Label != "s2" {
			t.Errorf("%+v", d)
		}
	})
	t.Run("snapshot by what was seen", func(t *testing.T) {
		p, s := setup(t)
		g, ok := s.(pool.Glancer)
		if !ok {
			return
		}
		seen, err := p.Driver.Scan(ctx)
		must(t, err)
		is(t, g.SnapshotSeen(ctx, seen, dev, "v1", "one", "s2"), pool.ErrExists)
		is(t, g.SnapshotSeen(ctx, seen, dev, "v2", "two", "s2"), pool.ErrLabel)
		is(t, g.SnapshotSeen(ctx, seen, "none_00000", "v2", "two", "s2"), pool.ErrNotFound)
		is(t, g.SnapshotSeen(ctx, pool.Picture{}, dev, "v1", "two", "s2"), nil)
		is(t, g.SnapshotSeen(ctx, seen, dev, "v1", "three", "s3"), nil)
		for name, label := range map[string]model.UUID{"two": "s2", "three": "s3"} {
			if d := find(t, p, pool.SnapshotName(dev, name)); d == nil || d.Label != label || d.Origin != dev {
				t.Errorf("%s: %+v", name, d)
			}
		}
	})
	t.Run("remove snapshot", func(t *testing.T) {
		p, s := setup(t)
		is(t, p.Driver.Remove(ctx, snap, "v1"), pool.ErrLabel)
		for range 2 {
			is(t, p.Driver.Remove(ctx, snap, "s1"), nil)
		}
		if d := find(t, p, snap); d != nil {
			t.Errorf("%+v", d)
		}
		if d := find(t, p, dev); d == nil || d.Path == "" {
			t.Errorf("%+v", d)
		}
		is(t, s.Snapshot(ctx, dev, "v1", "one", "s2"), nil) // the name is free again
		is(t, p.Driver.Remove(ctx, snap, "s2"), nil)
		is(t, p.Driver.Remove(ctx, dev, "v1"), nil)
	})
	t.Run("remove origin", func(t *testing.T) {
		p, _ := setup(t)
		if !p.Independent {
			is(t, p.Driver.Remove(ctx, dev, "v1"), pool.ErrInUse)
			if find(t, p, dev) == nil || find(t, p, snap) == nil {
				t.Fatal("gone")
			}
			return
		}
		then := p.Read(t, snap)
		is(t, p.Driver.Remove(ctx, dev, "v1"), nil)
		if d := find(t, p, snap); d == nil || d.Label != "s1" || d.Origin != dev || p.Read(t, snap) != then {
			t.Errorf("%+v", d)
		}
	})
	t.Run("restore", func(t *testing.T) {
		p, s := setup(t)
		then := p.Read(t, snap)
		p.Write(t, dev)
		is(t, s.Restore(ctx, snap, "v1", "copy_00000", size, "v2"), pool.ErrLabel)
		is(t, s.Restore(ctx, "backups_00000@none", "s1", "copy_00000", size, "v2"), pool.ErrNotFound)
		is(t, s.Restore(ctx, snap, "s1", dev, size, "v2"), pool.ErrExists)
		is(t, s.Restore(ctx, snap, "s1", "copy_00000", 2*size, "v2"), nil)
		is(t, s.Restore(ctx, snap, "s1", "copy_00000", size, "v3"), pool.ErrExists)
		d := find(t, p, "copy_00000")
		if d == nil || d.Label != "v2" || d.Path == "" || d.SizeKiB < 2*size || d.Origin != "" || p.Read(t, "copy_00000") != then {
			t.Fatalf("%+v", d)
		}
		p.Write(t, "copy_00000")
		if p.Read(t, snap) != then {
			t.Error("a write to the copy reached the snapshot")
		}
		// Nothing of the three needs another.
		then = p.Read(t, "copy_00000")
		is(t, p.Driver.Remove(ctx, snap, "s1"), nil)
		if d := find(t, p, snap); d != nil {
			t.Errorf("%+v", d)
		}
		is(t, s.Snapshot(ctx, dev, "v1", "one", "s9"), nil)
		is(t, p.Driver.Remove(ctx, snap, "s9"), nil)
		is(t, p.Driver.Remove(ctx, dev, "v1"), nil)
		if d := find(t, p, "copy_00000"); d == nil || d.Path == "" || p.Read(t, "copy_00000") != then {
			t.Errorf("%+v", d)
		}
		is(t, p.Driver.Remove(ctx, "copy_00000", "v2"), nil)
		pic, err := p.Driver.Scan(ctx)
		if err != nil || len(pic.Devices) > 0 {
			t.Errorf("%+v %v", pic.Devices, err)
		}
	})
	t.Run("roll back", func(t *testing.T) {
		p, s := setup(t)
		then := p.Read(t, dev)
		p.Write(t, dev)
		before := find(t, p, dev).SizeKiB
		for range 2 {
			is(t, s.Rollback(ctx, dev, "v1", snap, "s1"), nil)
		}
		d := find(t, p, dev)
		if d == nil || d.Label != "v1" || d.SizeKiB != before || d.Path == "" || p.Read(t, dev) != then {
			t.Fatalf("%+v", d)
		}
		if d := find(t, p, snap); d == nil || d.Label != "s1" || p.Read(t, snap) != then {
			t.Errorf("%+v", d)
		}
		p.Write(t, dev)
		now := p.Read(t, dev)
		is(t, s.Rollback(ctx, dev, "v2", snap, "s1"), pool.ErrLabel)
		is(t, s.Rollback(ctx, dev, "v1", snap, "s2"), pool.ErrLabel)
		is(t, s.Rollback(ctx, dev, "v1", "backups_00000@none", "s1"), pool.ErrNotFound)
		is(t, s.Rollback(ctx, "none_00000", "v1", snap, "s1"), pool.ErrNotFound)
		path := find(t, p, dev).Path
		p.Hold(t, path, true)
		is(t, s.Rollback(ctx, dev, "v1", snap, "s1"), pool.ErrInUse)
		if d := find(t, p, dev); d == nil || d.Path == "" || p.Read(t, dev) != now {
			t.Errorf("%+v", d)
		}
		p.Hold(t, path, false)
		if d := find(t, p, dev); d == nil || d.Path == "" {
			t.Errorf("%+v", d)
		}
	})
	t.Run("roll back past a newer snapshot", func(t *testing.T) {
		p, s := setup(t)
		then := p.Read(t, dev)
		p.Write(t, dev)
		now := p.Read(t, dev)
		if d := find(t, p, dev); p.OnlyNewest && d.NewestLabel != "s1" || !p.OnlyNewest && d.Newest != "" {
			t.Errorf("the picture says what it goes back to: %+v", d)
		}
		is(t, s.Snapshot(ctx, dev, "v1", "two", "s2"), nil)
		if d := find(t, p, dev); p.OnlyNewest && d.NewestLabel != "s2" || !p.OnlyNewest && d.Newest != "" {
			t.Errorf("the picture says what it goes back to: %+v", d)
		}
		if p.OnlyNewest {
			is(t, s.Rollback(ctx, dev, "v1", snap, "s1"), pool.ErrNewerSnapshots)
			if p.Read(t, dev) != now {
				t.Error("the device was changed")
			}
			return
		}
		is(t, s.Rollback(ctx, dev, "v1", snap, "s1"), nil)
		if p.Read(t, dev) != then || p.Read(t, "backups_00000@two") != now {
			t.Error("wrong content")
		}
		is(t, s.Rollback(ctx, dev, "v1", "backups_00000@two", "s2"), nil)
		if p.Read(t, dev) != now {
			t.Error("wrong content")
		}
	})
}
