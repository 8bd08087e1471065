package lvm_test

import (
	"context"
	"slices"
	"testing"

	"holdfast/internal/pool/lvm"
	"holdfast/internal/sim/machine"
	tool "holdfast/internal/tool/lvm"
)

// A driver that knows its group's disks needs no other, and finds the group all the same where it lies on others by now.
func TestKnownDisks(t *testing.T) {
	m := machine.NewNetwork().Add("alpha", machine.Options{VGs: map[string]int64{"other": 1 << 20, "sw_ssd": 1 << 20}})
	ctx := context.Background()
	p, err := lvm.Driver{Tool: tool.Tool{Run: m}, VG: "sw_ssd"}.Scan(ctx)
	if err != nil || len(p.Disks) != 1 {
		t.Fatal(p, err)
	}
	d := lvm.Driver{Tool: tool.Tool{Run: m, PVs: p.Disks}, VG: "sw_ssd"}
	stale := lvm.Driver{Tool: tool.Tool{Run: m, PVs: []string{"/dev/vdy", "/dev/disk/by-id/a.b"}}, VG: "sw_ssd"}
	if again, err := stale.Scan(ctx); err != nil || !slices.Equal(again.Disks, p.Disks) {
		t.Error(again, err)
	}
	m.HangDisk("other", true)
	if err := d.Create(ctx, "backups_00000", 8192, "v1"); err != nil {
		t.Error(err)
	}
	if again, err := d.Scan(ctx); err != nil || again.Device("backups_00000") == nil {
		t.Error(again, err)
	}
	if err := d.Remove(ctx, "backups_00000", "v1"); err != nil {
		t.Error(err)
	}
	if _, err := stale.Scan(ctx); err == nil {
		t.Error("it was found without reading the disk that hangs")
	}
}
