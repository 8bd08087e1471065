package zfs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/pool/pooltest"
	"holdfast/internal/pool/zfs"
	"holdfast/internal/sim/machine"
	tool "holdfast/internal/tool/zfs"
)

var ctx = context.Background()

func open(thin bool) (*machine.Machine, zfs.Driver) {
	m := machine.NewNetwork().Add("alpha", machine.Options{Zpools: map[string]int64{"tank": 2 << 20}})
	return m, zfs.Driver{Host: m, Tool: tool.Tool{Run: m}, Dataset: "tank", Thin: thin}
}

func conform(t *testing.T, thin bool) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m, d := open(thin)
		return pooltest.Pool{
			Driver:     d,
			OnlyNewest: true,
			Standing:   true,
			Foreign: func(t *testing.T, name string) {
				if r := m.Operator("zfs", "create", "-s", "-V", "8388608", "tank/"+name); r.Exit != 0 {
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
				if !m.WriteDisk("/dev/zvol/tank/" + name) {
					t.Fatal(name)
				}
			},
			Read: func(t *testing.T, name string) string {
				v, ok := m.OnDisk("/dev/zvol/tank/" + name)
				return fmt.Sprint(v, ok)
			},
			Vanish: func(t *testing.T) { m.ZpoolGone("tank", true) },
		}
	})
}

func TestThick(t *testing.T) { conform(t, false) }
func TestThin(t *testing.T)  { conform(t, true) }

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestThickReserves(t *testing.T) {
	_, d := open(false)
	before, err := d.Scan(ctx)
	must(t, err, d.Create(ctx, "backups_00000", 1<<20, "v1"))
	p, err := d.Scan(ctx)
	must(t, err)
	if before.FreeKiB-p.FreeKiB < 1<<20 || p.TotalKiB != before.TotalKiB {
		t.Errorf("%+v after %+v", p, before)
	}
	if err := d.Create(ctx, "web_00000", 1<<20, "v2"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
	must(t, d.Snapshot(ctx, "backups_00000", "v1", "one", "s1"))
	if err := d.Restore(ctx, "backups_00000@one", "s1", "copy_00000", 1<<20, "v3"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
	if p, err = d.Scan(ctx); err != nil || p.Device("copy_00000") != nil {
		t.Errorf("%+v %v", p, err)
	}
}

// Snapshots that a person took of our volume don't become ours, and hold its removal back.
func TestForeignSnapshot(t *testing.T) {
	m, d := open(true)
	must(t, d.Create(ctx, "backups_00000", 64<<10, "v1"))
	m.Operator("zfs", "snapshot", "tank/backups_00000@daily")
	p, err := d.Scan(ctx)
	if err != nil || len(p.Devices) != 1 {
		t.Errorf("%+v %v", p, err)
	}
	if err := d.Remove(ctx, "backups_00000", "v1"); !errors.Is(err, pool.ErrInUse) {
		t.Error(err)
	}
	if err := d.Remove(ctx, "backups_00000@daily", "v1"); !errors.Is(err, pool.ErrLabel) {
		t.Error(err)
	}
}

// Whatever the order in which a volume, two snapshots and their restored copies are removed, all of them go, what is left
// keeps its content, and at the end nothing is left.
func TestRemovalInAnyOrder(t *testing.T) {
	type thing struct {
		name string
		id   model.UUID
	}
	things := []thing{{"a_00000", "v1"}, {"a_00000@one", "s1"}, {"a_00000@two", "s2"}, {"b_00000", "v2"}, {"c_00000", "v3"}, {"b_00000@three", "s3"}, {"d_00000", "v4"}}
	n := 0
	permute(things, func(order []thing) {
		if n++; n%11 != 1 { // 459 of 5040
			return
		}
		m, d := open(true)
		must(t, d.Create(ctx, "a_00000", 64<<10, "v1"))
		m.WriteDisk("/dev/zvol/tank/a_00000")
		must(t, d.Snapshot(ctx, "a_00000", "v1", "one", "s1"))
		m.WriteDisk("/dev/zvol/tank/a_00000")
		must(t, d.Snapshot(ctx, "a_00000", "v1", "two", "s2"),
			d.Restore(ctx, "a_00000@one", "s1", "b_00000", 64<<10, "v2"), d.Restore(ctx, "a_00000@two", "s2", "c_00000", 128<<10, "v3"),
			d.Snapshot(ctx, "b_00000", "v2", "three", "s3"), d.Restore(ctx, "b_00000@three", "s3", "d_00000", 64<<10, "v4"))
		writes := map[string]int{"a_00000": 2, "a_00000@one": 1, "a_00000@two": 2, "b_00000": 1, "c_00000": 2, "b_00000@three": 1, "d_00000": 1}
		for left := slices.Clone(order); len(left) > 0; {
			i := slices.IndexFunc(left, func(x thing) bool { return d.Remove(ctx, x.name, x.id) == nil })
			if i < 0 {
				t.Fatalf("%v: nothing of %v can be removed; there is %v", order, left, m.Zvols("tank"))
			}
			left = slices.Delete(left, i, i+1)
			p, err := d.Scan(ctx)
			must(t, err)
			if len(p.Devices) != len(left) {
				t.Fatalf("%v: %+v, want %v", order, p.Devices, left)
			}
			for _, x := range left {
				v, ok := m.OnDisk("/dev/zvol/tank/" + x.name)
				if dev := p.Device(x.name); dev == nil || dev.Label != x.id || !ok || len(v.Writes) != writes[x.name] {
					t.Fatalf("%v: %s is %+v with %v", order, x.name, dev, v)
				}
			}
		}
		if left := m.Zvols("tank"); len(left) > 0 {
			t.Fatalf("%v: left are %v", order, left)
		}
	})
}

func permute[T any](s []T, f func([]T)) {
	var rec func(n int)
	rec = func(n int) {
		if n == len(s) {
			f(s)
			return
		}
		for i := n; i < len(s); i++ {
			s[n], s[i] = s[i], s[n]
			rec(n + 1)
			s[n], s[i] = s[i], s[n]
		}
	}
	rec(0)
}

func TestRestoreAfterCrash(t *testing.T) {
	for n := 1; ; n++ {
		m, d := open(false)
		must(t, d.Create(ctx, "a_00000", 64<<10, "v1"), d.Snapshot(ctx, "a_00000", "v1", "one", "s1"))
		m.CrashAfter(n)
		if err := d.Restore(ctx, "a_00000@one", "s1", "copy_00000", 128<<10, "v2"); err == nil {
			if n != 5 {
				t.Errorf("%d effects", n-1)
			}
			return
		}
		m.RestartProcess()
		p, err := d.Scan(ctx)
		must(t, err)
		dev := p.Device("copy_00000")
		if dev == nil || dev.Label != "v2" || !dev.Leftover && dev.SizeKiB != 128<<10 {
			t.Fatalf("after %d effects: %+v", n, p)
		}
		if dev.Leftover && n%2 == 0 {
			must(t, d.Restore(ctx, "a_00000@one", "s1", "copy_00000", 128<<10, "v2"))
		}
		must(t, d.Remove(ctx, "copy_00000", "v2"))
		if diff := cmp.Diff([]string{"a_00000", "a_00000@one"}, m.Zvols("tank")); diff != "" {
			t.Errorf("after %d effects: %s", n, diff)
		}
	}
}

// A volume that something has claimed isn't rolled back, and one that has grown stays as large.
func TestRollbackKeepsSize(t *testing.T) {
	m, d := open(false)
	must(t, d.Create(ctx, "a_00000", 64<<10, "v1"), d.Snapshot(ctx, "a_00000", "v1", "one", "s1"), d.Grow(ctx, "a_00000", 128<<10, "v1"))
	m.WriteDisk("/dev/zvol/tank/a_00000")
	must(t, d.Rollback(ctx, "a_00000", "v1", "a_00000@one", "s1"))
	p, err := d.Scan(ctx)
	if v, _ := m.OnDisk("/dev/zvol/tank/a_00000"); err != nil || p.Device("a_00000").SizeKiB != 128<<10 || len(v.Writes) > 0 {
		t.Errorf("%+v %v %v", p, v, err)
	}
}
