package pooltest

import (
	"context"
	"errors"
	"testing"

	"holdfast/internal/pool"
)

// grow is for drivers that are pool.Growers.
func grow(t *testing.T, open func(t *testing.T) Pool) {
	ctx := context.Background()
	if _, ok := open(t).Driver.(pool.Grower); !ok {
		return
	}
	setup := func(t *testing.T) (Pool, pool.Grower) {
		p := open(t)
		if err := p.Driver.Create(ctx, "backups_00000", size, "v1"); err != nil {
			t.Fatal(err)
		}
		return p, p.Driver.(pool.Grower)
	}
	sizeOf := func(t *testing.T, p Pool) int64 {
		t.Helper()
		s, err := p.Driver.Scan(ctx)
		if err != nil || s.Device("backups_00000") == nil {
			t.Fatalf("%+v %v", s, err)
		}
		return s.Device("backups_00000").SizeKiB
	}
	is := func(t *testing.T, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	t.Run("grow", func(t *testing.T) {
		p, g := setup(t)
		p.Write(t, "backups_00000")
		before := p.Read(t, "backups_00000")
		for range 2 { // as large already is success
			is(t, g.Grow(ctx, "backups_00000", 2*size, "v1"), nil)
		}
		if k := sizeOf(t, p); k < 2*size || k > 2*size+32<<10 {
			t.Errorf("%d KiB", k)
		}
		is(t, g.Grow(ctx, "backups_00000", size, "v1"), nil)
		if k := sizeOf(t, p); k < 2*size {
			t.Errorf("shrunk to %d KiB", k)
		}
		if got := p.Read(t, "backups_00000"); got != before {
			t.Errorf("%s before, %s after", before, got)
		}
		p.Reboot(t)
		is(t, p.Driver.Activate(ctx, "backups_00000", "v1"), nil)
		if k := sizeOf(t, p); k < 2*size {
			t.Errorf("%d KiB after a boot", k)
		}
	})
	t.Run("grow while in use", func(t *testing.T) {
		p, g := setup(t)
		s, err := p.Driver.Scan(ctx)
		is(t, err, nil)
		p.Hold(t, s.Device("backups_00000").Path, true)
		is(t, g.Grow(ctx, "backups_00000", 2*size, "v1"), nil)
		if k := sizeOf(t, p); k < 2*size {
			t.Errorf("%d KiB", k)
		}
	})
	t.Run("grow what isn't ours", func(t *testing.T) {
		p, g := setup(t)
		p.Foreign(t, "mine")
		is(t, g.Grow(ctx, "backups_00000", 2*size, "v2"), pool.ErrLabel)
		is(t, g.Grow(ctx, "mine", 2*size, "v1"), pool.ErrLabel)
		is(t, g.Grow(ctx, "none", 2*size, "v1"), pool.ErrNotFound)
		if k := sizeOf(t, p); k >= 2*size {
			t.Errorf("%d KiB", k)
		}
	})
}
