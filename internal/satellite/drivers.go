package satellite

import (
	"fmt"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	poolfile "holdfast/internal/pool/file"
	poollvm "holdfast/internal/pool/lvm"
	poolzfs "holdfast/internal/pool/zfs"
	"holdfast/internal/tool/loop"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
	"holdfast/internal/tool/zfs"
)

// driver is the list of storage drivers. disks are those that the pool lies on, if they are known.
func driver(h run.Host, c Config, p model.PoolSpec, disks []string) (pool.Driver, error) {
	switch p.Kind {
	case model.LVM:
		return poollvm.Driver{Tool: lvm.Tool{Run: h, Allow: c.LVMAllow, PVs: disks}, VG: p.Backing}, nil
	case model.LVMThin:
		vg, thin, _ := strings.Cut(p.Backing, "/")
		return poollvm.Thin{Tool: lvm.Tool{Run: h, Allow: c.LVMAllow, PVs: disks}, VG: vg, Pool: thin}, nil
	case model.ZFS, model.ZFSThin:
		return poolzfs.Driver{Host: h, Tool: zfs.Tool{Run: h}, Dataset: p.Backing, Thin: p.Kind == model.ZFSThin}, nil
	case model.File, model.FileThin:
		return poolfile.Driver{Host: h, Loop: loop.Tool{Run: h}, Dir: p.Backing, Thick: p.Kind == model.File}, nil
	}
	return nil, fmt.Errorf("this satellite has no driver for storage pools of kind %s", p.Kind)
}

// sharesStorage tells whether a device in one pool takes a name or space of the other: a volume group and its thin pools, a
// ZFS dataset in both its kinds, a directory in both of its.
func sharesStorage(a, b model.PoolSpec) bool {
	return storageOf(a) == storageOf(b)
}

func storageOf(p model.PoolSpec) string {
	switch p.Kind {
	case model.LVM, model.LVMThin:
		vg, _, _ := strings.Cut(p.Backing, "/")
		return "lvm " + vg
	case model.ZFS, model.ZFSThin:
		return "zfs " + p.Backing
	case model.File, model.FileThin:
		return "file " + p.Backing
	}
	return string(p.Kind) + " " + p.Name
}

// providers that this release drives, and the programs that each needs.
var providers = []struct {
	kind     model.ProviderKind
	programs [][]string // each is run to see whether it's there
}{
	{model.LVM, [][]string{{"lvm", "version"}}},
	{model.LVMThin, [][]string{{"lvm", "version"}, {"thin_check", "-V"}}},
	{model.ZFS, [][]string{{"zfs", "version"}}}, // it also asks the kernel's module
	{model.ZFSThin, [][]string{{"zfs", "version"}}},
	{model.File, [][]string{{"losetup", "--version"}, {"fallocate", "--version"}}},
	{model.FileThin, [][]string{{"losetup", "--version"}}},
}
