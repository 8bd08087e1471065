package file_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/pool/file"
	"holdfast/internal/pool/pooltest"
	"holdfast/internal/sim/machine"
	"holdfast/internal/tool/loop"
)

const dir = "/var/lib/pool"

func open(t *testing.T) (*machine.Machine, file.Driver) {
	m := machine.NewNetwork().Add("alpha", machine.Options{})
	if err := m.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return m, file.Driver{Host: m, Loop: loop.Tool{Run: m}, Dir: dir}
}

func TestDriver(t *testing.T)     { conform(t, false, false) }
func TestThick(t *testing.T)      { conform(t, true, false) }
func TestSharesNone(t *testing.T) { conform(t, false, true) }

func conform(t *testing.T, thick, sharesNone bool) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m, d := open(t)
		d.Thick = thick
		if sharesNone {
			m.NoReflink()
		}
		return pooltest.Pool{
			Independent: true,
			Write: func(t *testing.T, name string) {
				if !m.WriteDisk(dir + "/" + name + ".img") {
					t.Fatal(name)
				}
			},
			Read: func(t *testing.T, name string) string {
				v, ok := m.OnDisk(dir + "/" + name + ".img")
				return fmt.Sprint(v, ok)
			},
			Driver: d,
			Foreign: func(t *testing.T, name string) {
				if err := m.Truncate(dir+"/"+name+".img", 8<<20); err != nil {
					t.Fatal(err)
				}
			},
			Reboot: func(t *testing.T) { m.PowerCut(); m.PowerOn() },
			Hold: func(t *testing.T, path string, on bool) {
				if err := m.Hold(path, on); err != nil {
					t.Fatal(err)
				}
			},
			Vanish: func(t *testing.T) {
				m.PowerCut()
				m.PowerOn()
				if err := m.Rename(dir+"/backups_00000.img", "/var/lib/x.img"); err != nil {
					t.Fatal(err)
				}
				if err := m.Remove(dir + "/backups_00000.label"); err != nil {
					t.Fatal(err)
				}
				if err := m.Remove(dir); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// A crash after any effect leaves something that the same call completes, and nothing without a label.
func TestCreateAfterCrash(t *testing.T) {
	ctx := context.Background()
	for n := 1; ; n++ {
		m, d := open(t)
		m.CrashAfter(n)
		err := d.Create(ctx, "backups_00000", 64<<10, "v1")
		if err == nil {
			if n < 4 {
				t.Errorf("only %d effects", n)
			}
			return
		}
		m.RestartProcess()
		p, err := d.Scan(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, dev := range p.Devices {
			if dev.Label != "v1" || dev.SizeKiB != 64<<10 && !dev.Leftover {
				t.Errorf("after %d effects: %+v", n, dev)
			}
		}
		if dev := p.Device("backups_00000"); dev == nil || dev.Leftover {
			err = d.Create(ctx, "backups_00000", 64<<10, "v1")
		} else {
			err = d.Activate(ctx, "backups_00000", "v1")
		}
		if err != nil {
			t.Errorf("after %d effects: %v", n, err)
		}
	}
}

func TestRemoveAfterCrash(t *testing.T) {
	ctx := context.Background()
	for n := 1; ; n++ {
		m, d := open(t)
		if err := d.Create(ctx, "backups_00000", 64<<10, "v1"); err != nil {
			t.Fatal(err)
		}
		m.CrashAfter(n)
		err := d.Remove(ctx, "backups_00000", model.UUID("v1"))
		if err == nil {
			if n < 3 {
				t.Errorf("only %d effects", n)
			}
			return
		}
		m.RestartProcess()
		if err := d.Remove(ctx, "backups_00000", "v1"); err != nil {
			t.Errorf("after %d effects: %v", n, err)
		}
		names, err := m.ReadDir(dir)
		if err != nil || len(names) > 0 || len(m.Loops()) > 0 {
			t.Errorf("after %d effects: %v %v %v", n, names, m.Loops(), err)
		}
	}
}

func TestThickTakesItsSpace(t *testing.T) {
	ctx := context.Background()
	m, d := open(t)
	d.Thick = true
	before, err := d.Scan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Create(ctx, "backups_00000", 64<<10, "v1"); err != nil {
		t.Fatal(err)
	}
	p, err := d.Scan(ctx)
	if err != nil || before.FreeKiB-p.FreeKiB < 64<<10 || p.Device("backups_00000").AllocKiB != 64<<10 {
		t.Errorf("%+v %v", p, err)
	}
	if err := d.Create(ctx, "huge_00000", before.TotalKiB+1, "v2"); !errors.Is(err, pool.ErrNoSpace) || !strings.Contains(err.Error(), pool.ErrNoSpace.Error()) {
		t.Error(err)
	}
	if err := d.Grow(ctx, "backups_00000", before.TotalKiB+1, "v1"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
	m.DiskFull(true)
	d.Thick = false
	if err := d.Create(ctx, "late_00000", 64<<10, "v3"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
}

// Where files can't share blocks there are no snapshots; the picture says so, and the attempt leaves nothing behind.
func TestNoReflink(t *testing.T) {
	ctx := context.Background()
	m, d := open(t)
	if p, err := d.Scan(ctx); err != nil || p.NoSnapshots != "" {
		t.Errorf("%+v %v", p, err)
	}
	m.NoReflink()
	if p, err := d.Scan(ctx); err != nil || !strings.Contains(p.NoSnapshots, dir) {
		t.Errorf("%+v %v", p, err)
	}
	if err := d.Create(ctx, "backups_00000", 64<<10, "v1"); err != nil {
		t.Fatal(err)
	}
	if err := d.Snapshot(ctx, "backups_00000", "v1", "one", "s1"); !errors.Is(err, pool.ErrUnsupported) {
		t.Error(err)
	}
	names, err := m.ReadDir(dir)
	if diff := cmp.Diff([]string{"backups_00000.img", "backups_00000.label"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// A crash after any effect of a roll back leaves the old content or the snapshot's, under the device's name and label.
func TestRollbackAfterCrash(t *testing.T) {
	ctx := context.Background()
	for n := 1; ; n++ {
		m, d := open(t)
		if err := d.Create(ctx, "backups_00000", 64<<10, "v1"); err != nil {
			t.Fatal(err)
		}
		m.WriteDisk(dir + "/backups_00000.img")
		if err := d.Snapshot(ctx, "backups_00000", "v1", "one", "s1"); err != nil {
			t.Fatal(err)
		}
		m.WriteDisk(dir + "/backups_00000.img")
		m.CrashAfter(n)
		err := d.Rollback(ctx, "backups_00000", "v1", "backups_00000@one", "s1")
		if err == nil {
			if n < 4 {
				t.Errorf("only %d effects", n)
			}
			return
		}
		m.RestartProcess()
		v, ok := m.OnDisk(dir + "/backups_00000.img")
		if !ok || len(v.Writes) == 0 {
			t.Errorf("after %d effects: %+v", n, v)
		}
		if err := d.Rollback(ctx, "backups_00000", "v1", "backups_00000@one", "s1"); err != nil {
			t.Errorf("after %d effects: %v", n, err)
		}
		if v, _ := m.OnDisk(dir + "/backups_00000.img"); len(v.Writes) != 1 {
			t.Errorf("after %d effects: %+v", n, v)
		}
	}
}
