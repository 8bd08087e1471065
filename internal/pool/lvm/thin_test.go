package lvm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"holdfast/internal/pool"
	"holdfast/internal/pool/lvm"
	"holdfast/internal/pool/pooltest"
	"holdfast/internal/sim/machine"
	tool "holdfast/internal/tool/lvm"
)

func openThin(zero bool) (*machine.Machine, lvm.Thin) {
	m := machine.NewNetwork().Add("alpha", machine.Options{VGs: map[string]int64{"sw_ssd": 2 << 20}})
	m.AddThin("sw_ssd", "thin", 1<<20, zero)
	return m, lvm.Thin{Tool: tool.Tool{Run: m}, VG: "sw_ssd", Pool: "thin"}
}

func lvPath(name string) string { return "/dev/sw_ssd/" + strings.Replace(name, "@", ".", 1) }

func TestThin(t *testing.T) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m, d := openThin(true)
		return pooltest.Pool{
			Driver:      d,
			Independent: true,
			Foreign: func(t *testing.T, name string) {
				if r := m.Operator("lvcreate", "--config", `devices { filter=["r|^/dev/drbd|"] }`, "-kn", "-n", name, "-V", "8m", "--thinpool", "thin", "sw_ssd"); r.Exit != 0 {
					t.Fatalf("%s", r.Stderr)
				}
			},
			Reboot: func(t *testing.T) { m.PowerCut(); m.PowerOn() },
			Hold: func(t *testing.T, path string, on bool) {
				if err := m.Hold(path, on); err != nil {
					t.Fatal(err)
				}
			},
			Write: func(t *testing.T, name string) {
				if !m.WriteDisk(lvPath(name)) {
					t.Fatal(name)
				}
			},
			Read: func(t *testing.T, name string) string {
				v, ok := m.OnDisk(lvPath(name))
				return fmt.Sprint(v, ok)
			},
			Vanish: func(t *testing.T) { m.VGGone("sw_ssd", true) },
		}
	})
}

func TestThinPicture(t *testing.T) {
	ctx := context.Background()
	m, d := openThin(true)
	if err := d.Create(ctx, "backups_00000", 512<<10, "v1"); err != nil {
		t.Fatal(err)
	}
	for range 1024 {
		m.WriteDisk("/dev/sw_ssd/backups_00000")
	}
	m.PowerCut()
	m.PowerOn()
	p, err := d.Scan(ctx) // it has the pool activated, to be measured
	if err != nil {
		t.Fatal(err)
	}
	if used := p.TotalKiB - p.FreeKiB; p.TotalKiB != 1<<20 || used < 4090 || used > 4200 || p.MetaPercent < 10 || p.MetaPercent > 20 || !p.Zeroes || p.Trouble != "" {
		t.Errorf("%+v", p)
	}
	m.FillThin("sw_ssd", "thin", 1<<20, 80)
	if p, err = d.Scan(ctx); err != nil || p.FreeKiB != 0 || p.MetaPercent < 90 || !strings.Contains(p.Trouble, "out of data space") {
		t.Errorf("%+v %v", p, err)
	}
	if err := d.Create(ctx, "late_00000", 1<<10, "v2"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
	if err := d.Snapshot(ctx, "backups_00000", "v1", "late", "s2"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
	if err := d.Remove(ctx, "backups_00000", "v1"); err != nil {
		t.Error(err)
	}
	m, d = openThin(false)
	if p, err = d.Scan(ctx); err != nil || p.Zeroes {
		t.Errorf("%+v %v", p, err)
	}
	d.Pool = "nothing"
	if _, err = d.Scan(ctx); !errors.Is(err, pool.ErrNoPool) {
		t.Error(err)
	}
	if err := d.Create(ctx, "backups_00000", 1<<10, "v1"); !errors.Is(err, pool.ErrNoPool) {
		t.Error(err)
	}
	m.AddLV("sw_ssd", "thick", 8<<10)
	d.Pool = "thick"
	if _, err = d.Scan(ctx); !errors.Is(err, pool.ErrNoPool) {
		t.Error(err)
	}
}

// A thick pool over the same volume group doesn't take thin volumes for its own.
func TestThinBesideThick(t *testing.T) {
	ctx := context.Background()
	m, d := openThin(true)
	if err := d.Create(ctx, "backups_00000", 8<<10, "v1"); err != nil {
		t.Fatal(err)
	}
	p, err := lvm.Driver{Tool: tool.Tool{Run: m}, VG: "sw_ssd"}.Scan(ctx)
	if dev := p.Device("backups_00000"); err != nil || dev == nil || dev.Label != "" {
		t.Errorf("%+v %v", p, err)
	}
	thick := lvm.Driver{Tool: tool.Tool{Run: m}, VG: "sw_ssd"}
	if err := thick.Create(ctx, "web_00000", 8<<10, "v2"); err != nil {
		t.Fatal(err)
	}
	if p, err = d.Scan(ctx); err != nil || p.Device("web_00000") == nil || p.Device("web_00000").Label != "" || p.Device("thin") != nil {
		t.Errorf("%+v %v", p, err)
	}
	if err := d.Remove(ctx, "web_00000", "v2"); !errors.Is(err, pool.ErrLabel) {
		t.Error(err)
	}
}

// A crash after any effect of a roll back leaves the device there, with its old content or the snapshot's; what the call
// left lying about goes with the next, or with the device.
func TestThinRollbackAfterCrash(t *testing.T) {
	for _, then := range []string{"again", "activate", "remove"} {
		for n := 1; ; n++ {
			ctx := context.Background()
			m, d := openThin(true)
			if err := errors.Join(d.Create(ctx, "backups_00000", 64<<10, "v1")); err != nil {
				t.Fatal(err)
			}
			m.WriteDisk("/dev/sw_ssd/backups_00000")
			if err := d.Snapshot(ctx, "backups_00000", "v1", "one", "s1"); err != nil {
				t.Fatal(err)
			}
			m.WriteDisk("/dev/sw_ssd/backups_00000")
			if err := d.Grow(ctx, "backups_00000", 128<<10, "v1"); err != nil {
				t.Fatal(err)
			}
			m.CrashAfter(n)
			err := d.Rollback(ctx, "backups_00000", "v1", "backups_00000@one", "s1")
			if err == nil {
				if n != 5 {
					t.Errorf("%d effects", n-1)
				}
				break
			}
			m.RestartProcess()
			p, err := d.Scan(ctx)
			if dev := p.Device("backups_00000"); err != nil || len(p.Devices) != 2 || dev == nil || dev.Label != "v1" || dev.Leftover || dev.SizeKiB != 128<<10 {
				t.Fatalf("after %d effects: %+v %v", n, p, err)
			}
			switch then {
			case "again":
				if err := d.Rollback(ctx, "backups_00000", "v1", "backups_00000@one", "s1"); err != nil {
					t.Fatalf("after %d effects: %v", n, err)
				}
				if v, _ := m.OnDisk("/dev/sw_ssd/backups_00000"); len(v.Writes) != 1 {
					t.Errorf("after %d effects: %+v", n, v)
				}
			case "activate":
				if err := d.Activate(ctx, "backups_00000", "v1"); err != nil {
					t.Fatalf("after %d effects: %v", n, err)
				}
				if v, ok := m.OnDisk("/dev/sw_ssd/backups_00000"); !ok || len(v.Writes) == 0 {
					t.Errorf("after %d effects: %+v", n, v)
				}
			}
			if err := errors.Join(d.Remove(ctx, "backups_00000", "v1"), d.Remove(ctx, "backups_00000@one", "s1")); err != nil {
				t.Errorf("after %d effects: %v", n, err)
			}
			if lvs := m.LVs("sw_ssd"); len(lvs) != 1 {
				t.Errorf("after %d effects and %s: %v", n, then, lvs)
			}
		}
	}
}

func TestThinRestoreAfterCrash(t *testing.T) {
	ctx := context.Background()
	for n := 1; ; n++ {
		m, d := openThin(true)
		if err := d.Create(ctx, "backups_00000", 64<<10, "v1"); err != nil {
			t.Fatal(err)
		}
		if err := d.Snapshot(ctx, "backups_00000", "v1", "one", "s1"); err != nil {
			t.Fatal(err)
		}
		m.CrashAfter(n)
		err := d.Restore(ctx, "backups_00000@one", "s1", "copy_00000", 128<<10, "v2")
		if err == nil {
			if n != 4 {
				t.Errorf("%d effects", n-1)
			}
			return
		}
		m.RestartProcess()
		p, err := d.Scan(ctx)
		dev := p.Device("copy_00000")
		if err != nil || dev == nil || dev.Label != "v2" || !dev.Leftover && dev.SizeKiB != 128<<10 {
			t.Fatalf("after %d effects: %+v %v", n, p, err)
		}
		if dev.Leftover && n%2 == 0 {
			if err := d.Restore(ctx, "backups_00000@one", "s1", "copy_00000", 128<<10, "v2"); err != nil {
				t.Errorf("after %d effects: %v", n, err)
			}
		}
		if err := d.Remove(ctx, "copy_00000", "v2"); err != nil {
			t.Errorf("after %d effects: %v", n, err)
		}
		if lvs := m.LVs("sw_ssd"); len(lvs) != 3 {
			t.Errorf("after %d effects: %v", n, lvs)
		}
	}
}
