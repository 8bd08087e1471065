package pooltest_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"holdfast/internal/pool/pooltest"
	"holdfast/internal/pool/zfs"
	"holdfast/internal/tool/run"
	tool "holdfast/internal/tool/zfs"
)

// TestZFSOnThisMachine is TestThisMachine for zpools. HOLDFAST_POOLTEST_DISK names an empty disk of 2 GiB.
func TestZFSOnThisMachine(t *testing.T) {
	disk := os.Getenv("HOLDFAST_POOLTEST_DISK")
	if disk == "" {
		t.Skip("HOLDFAST_POOLTEST_DISK isn't set: real disks are touched only on request (the model machine runs the same suite)")
	}
	for kind, thin := range map[string]bool{"ZFS": false, "ZFS_THIN": true} {
		t.Run(kind, func(t *testing.T) { zpools(t, disk, thin) })
	}
}

func zpools(t *testing.T, disk string, thin bool) {
	var m real
	there := false
	clear := func(t *testing.T) {
		if there {
			m.run(t, "zpool", "destroy", "-f", "tank")
			there = false
		}
	}
	t.Cleanup(func() { clear(t) })
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		clear(t)
		m.run(t, "zpool", "create", "-f", "-O", "mountpoint=none", "tank", disk)
		there = true
		h := held{}
		again := func(t *testing.T) {
			m.run(t, "zpool", "export", "tank")
			m.run(t, "zpool", "import", "-N", "tank")
		}
		return pooltest.Pool{
			Driver:     zfs.Driver{Host: run.OS{}, Tool: tool.Tool{Run: run.OS{}}, Dataset: "tank", Thin: thin},
			OnlyNewest: true,
			Standing:   true,
			Foreign:    func(t *testing.T, name string) { m.run(t, "zfs", "create", "-V", "8M", "tank/"+name) },
			Reboot:     again,
			Hold:       h.claim,
			Write: func(t *testing.T, name string) {
				m.run(t, "udevadm", "settle")
				write(t, "/dev/zvol/tank/"+name)
			},
			Read: func(t *testing.T, name string) string {
				of := name
				if strings.Contains(name, "@") { // snapshots have no device nodes
					of = "read"
					m.run(t, "zfs", "clone", "tank/"+name, "tank/"+of)
					defer m.run(t, "zfs", "destroy", "tank/"+of)
				}
				m.run(t, "udevadm", "settle")
				defer m.run(t, "udevadm", "settle") // it looks at what was written to
				return sum(t, "/dev/zvol/tank/"+of)
			},
			Vanish: func(t *testing.T) {
				m.run(t, "zpool", "export", "tank")
				there = false
				t.Cleanup(func() {
					m.run(t, "zpool", "import", "-N", "tank")
					there = true
				})
			},
		}
	})
}

// claim holds a device as DRBD and a mount do: alone. ZFS rolls back under whoever has it merely open.
func (h held) claim(t *testing.T, path string, on bool) {
	t.Helper()
	if !on {
		h.hold(t, path, false)
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_EXCL, 0)
	if err != nil {
		t.Fatal(err)
	}
	h[path] = f
	t.Cleanup(func() { f.Close() })
}
