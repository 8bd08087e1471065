package lvm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"holdfast/internal/pool"
	"holdfast/internal/pool/lvm"
	"holdfast/internal/sim/machine"
	tool "holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
)

func holding(t *testing.T) (*machine.Machine, lvm.Driver) {
	t.Helper()
	m := machine.NewNetwork().Add("alpha", machine.Options{VGs: map[string]int64{"sw_ssd": 256 << 10}})
	d := lvm.Driver{Tool: tool.Tool{Run: m}, VG: "sw_ssd"}
	ctx := context.Background()
	if err := d.Create(ctx, "backups_00000", 64<<10, "v1"); err != nil {
		t.Fatal(err)
	}
	m.WriteDisk("/dev/sw_ssd/backups_00000")
	if err := d.Hold(ctx, "backups_00000", "v1", "clone-1", "s1", 16<<10); err != nil {
		t.Fatal(err)
	}
	return m, d
}

// copyAll is what the satellite does between Begin and Finish.
func copyAll(t *testing.T, m *machine.Machine, d lvm.Driver, snap, name string) {
	t.Helper()
	from, to := d.CopyPaths(snap, name)
	_, err := run.Check(context.Background(), m, run.Cmd{Argv: []string{"dd", "if=" + from, "of=" + to, "bs=1M", "skip=0", "seek=0", fmt.Sprint("count=", 64<<20),
		"iflag=direct,skip_bytes,count_bytes", "oflag=direct,seek_bytes", "conv=notrunc,fsync"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, d lvm.Driver, name string) pool.Device {
	t.Helper()
	p, err := d.Scan(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if v := p.Device(name); v != nil {
		return *v
	}
	return pool.Device{}
}

// The content is that of the moment of the snapshot; before it is finished it is nobody's device.
func TestCopy(t *testing.T) {
	ctx := context.Background()
	m, d := holding(t)
	then, _ := m.OnDisk("/dev/sw_ssd/backups_00000")
	m.WriteDisk("/dev/sw_ssd/backups_00000")
	snap := find(t, d, "backups_00000@clone-1")
	if snap.Label != "s1" || snap.Path != "" || snap.Origin != "backups_00000" || snap.AllocKiB != 16<<10 || snap.Broken != "" {
		t.Errorf("%+v", snap)
	}
	if o := find(t, d, "backups_00000"); !strings.Contains(o.Held, "clone") {
		t.Errorf("%+v", o)
	}
	for range 2 { // again after a crash
		if err := d.Begin(ctx, "backups_00000@clone-1", "s1", "copy_00000", 16<<10, "c1"); err != nil {
			t.Fatal(err)
		}
	}
	if half := find(t, d, "copy_00000"); half.SizeKiB != 64<<10 || half.Label != "c1" || half.Path != "" || !half.Leftover || !half.Unfinished {
		t.Errorf("%+v", half)
	}
	m.PowerCut()
	m.PowerOn()
	if err := d.Begin(ctx, "backups_00000@clone-1", "s1", "copy_00000", 64<<10, "c1"); err != nil {
		t.Fatal(err)
	}
	copyAll(t, m, d, "backups_00000@clone-1", "copy_00000")
	if err := m.Hold("/dev/sw_ssd/copy_00000+copy", true); err != nil {
		t.Fatal(err)
	}
	if err := d.Finish(ctx, "copy_00000", "c1"); !errors.Is(err, pool.ErrInUse) {
		t.Errorf("a program writes to it still: %v", err)
	}
	if err := m.Hold("/dev/sw_ssd/copy_00000+copy", false); err != nil {
		t.Fatal(err)
	}
	if err := d.Finish(ctx, "copy_00000", "other"); !errors.Is(err, pool.ErrLabel) {
		t.Error(err)
	}
	for range 2 {
		if err := d.Finish(ctx, "copy_00000", "c1"); err != nil {
			t.Fatal(err)
		}
	}
	if v := find(t, d, "copy_00000"); v.Label != "c1" || v.Path != "/dev/sw_ssd/copy_00000" || v.Leftover || v.Unfinished {
		t.Errorf("%+v", v)
	}
	if got, _ := m.OnDisk("/dev/sw_ssd/copy_00000"); fmt.Sprint(got) != fmt.Sprint(then) {
		t.Errorf("%v, not %v", got, then)
	}
	if err := d.Remove(ctx, "backups_00000", "v1"); !errors.Is(err, pool.ErrInUse) {
		t.Errorf("the origin of a snapshot: %v", err)
	}
	if err := d.Grow(ctx, "backups_00000", 96<<10, "v1"); !errors.Is(err, pool.ErrInUse) {
		t.Errorf("the origin of a snapshot: %v", err)
	}
	if err := d.Remove(ctx, "backups_00000@clone-1", "s1"); err != nil {
		t.Error(err)
	}
	if err := errors.Join(d.Grow(ctx, "backups_00000", 96<<10, "v1"), d.Remove(ctx, "backups_00000", "v1"), d.Remove(ctx, "copy_00000", "c1")); err != nil {
		t.Error(err)
	}
	if left := m.LVs("sw_ssd"); len(left) > 0 {
		t.Error(left)
	}
}

// A snapshot without room any more is broken; the volume goes on, and what was begun goes by its label alone.
func TestCopyBroken(t *testing.T) {
	ctx := context.Background()
	m, d := holding(t)
	if err := d.Begin(ctx, "backups_00000@clone-1", "s1", "copy_00000", 64<<10, "c1"); err != nil {
		t.Fatal(err)
	}
	m.Overflow("sw_ssd")
	if v := find(t, d, "backups_00000@clone-1"); !strings.Contains(v.Broken, "room") {
		t.Errorf("%+v", v)
	}
	if err := d.Begin(ctx, "backups_00000@clone-1", "s1", "copy_00000", 64<<10, "c1"); err == nil {
		t.Error("begun anew from a broken snapshot")
	}
	if err := d.Remove(ctx, "copy_00000", "other"); err != nil {
		t.Error(err)
	}
	if v := find(t, d, "copy_00000"); !v.Unfinished {
		t.Error("removed under another label")
	}
	if err := errors.Join(d.Remove(ctx, "copy_00000", "c1"), d.Remove(ctx, "backups_00000@clone-1", "s1")); err != nil {
		t.Error(err)
	}
	if left := m.LVs("sw_ssd"); len(left) != 1 {
		t.Error(left)
	}
}

// The snapshot needs room in the group.
func TestCopyNoRoom(t *testing.T) {
	ctx := context.Background()
	_, d := holding(t)
	if err := d.Create(ctx, "fill_00000", 160<<10, "v2"); err != nil {
		t.Fatal(err)
	}
	if err := d.Hold(ctx, "backups_00000", "v1", "clone-2", "s2", 64<<10); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
}
