package lvm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"holdfast/internal/pool"
	"holdfast/internal/pool/lvm"
	"holdfast/internal/pool/pooltest"
	"holdfast/internal/sim/machine"
	tool "holdfast/internal/tool/lvm"
)

func TestDriver(t *testing.T) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m := machine.NewNetwork().Add("alpha", machine.Options{VGs: map[string]int64{"sw_ssd": 2 << 20}})
		return pooltest.Pool{
			Driver:  lvm.Driver{Tool: tool.Tool{Run: m}, VG: "sw_ssd"},
			Foreign: func(t *testing.T, name string) { m.AddLV("sw_ssd", name, 8<<10) },
			Reboot:  func(t *testing.T) { m.PowerCut(); m.PowerOn() },
			Hold: func(t *testing.T, path string, on bool) {
				if err := m.Hold(path, on); err != nil {
					t.Fatal(err)
				}
			},
			Write: func(t *testing.T, name string) {
				if !m.WriteDisk("/dev/sw_ssd/" + name) {
					t.Fatal(name)
				}
			},
			Read: func(t *testing.T, name string) string {
				v, ok := m.OnDisk("/dev/sw_ssd/" + name)
				return fmt.Sprint(v, ok)
			},
			Vanish: func(t *testing.T) { m.VGGone("sw_ssd", true) },
		}
	})
}

func TestNoSpace(t *testing.T) {
	m := machine.NewNetwork().Add("alpha", machine.Options{VGs: map[string]int64{"sw_ssd": 64 << 10}})
	d := lvm.Driver{Tool: tool.Tool{Run: m}, VG: "sw_ssd"}
	if err := d.Create(context.Background(), "backups_00000", 128<<10, "v1"); !errors.Is(err, pool.ErrNoSpace) {
		t.Error(err)
	}
}

func TestTwoLabelsFitNobody(t *testing.T) {
	m := machine.NewNetwork().Add("alpha", machine.Options{VGs: map[string]int64{"sw_ssd": 1 << 20}})
	ctx := context.Background()
	tl := tool.Tool{Run: m}
	d := lvm.Driver{Tool: tl, VG: "sw_ssd"}
	if err := errors.Join(d.Create(ctx, "backups_00000", 8192, "v1"), tl.AddTag(ctx, "sw_ssd", "backups_00000", lvm.TagPrefix+"v2")); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(ctx, "backups_00000", "v1"); !errors.Is(err, pool.ErrLabel) {
		t.Error(err)
	}
}
