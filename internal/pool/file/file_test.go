package file_test

import (
	"context"
	"testing"

	"holdfast/internal/model"
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

func TestDriver(t *testing.T) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m, d := open(t)
		return pooltest.Pool{
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
