package machine

import (
	"fmt"
	"strings"
)

func (x *call) blockdev() {
	dev := x.value("--getsize64")
	d := x.m.device(dev)
	if d == nil {
		x.fail(1, "blockdev: cannot open %s: No such file or directory", dev)
		return
	}
	fmt.Fprintln(&x.out, d.sizeKiB*1024)
}

// df knows one form: --block-size=1024 --output=size,avail DIR.
func (x *call) df() {
	if !x.take("--block-size=1024") || !x.take("--output=size,avail") || len(x.argv) != 1 {
		x.fail(1, "df: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	if !x.m.dirs[strings.TrimRight(x.argv[0], "/")] {
		x.fail(1, "df: %s: No such file or directory", x.argv[0])
		return
	}
	free := x.m.freeKiB()
	if x.m.full {
		free = 0
	}
	fmt.Fprintf(&x.out, "1K-blocks    Avail\n%9d %8d\n", x.m.diskKiB, free)
}

// findmnt never finds anything: nothing is mounted here, open devices are
// opened with Open.
func (x *call) findmnt() { x.exit = 1 }

func (x *call) uname() {
	if x.take("-r") {
		fmt.Fprintln(&x.out, "6.1.0-model")
		return
	}
	fmt.Fprintln(&x.out, x.m.name)
}

func (x *call) modinfo() {
	if strings.Join(x.argv, " ") == "-n dm_crypt" {
		fmt.Fprintln(&x.out, "/lib/modules/6.1.0-model/kernel/drivers/md/dm-crypt.ko")
		return
	}
	if x.m.module == "" {
		x.fail(1, "modinfo: ERROR: Module drbd not found.")
		return
	}
	if x.value("-F") == "version" {
		fmt.Fprintln(&x.out, x.m.module)
		return
	}
	fmt.Fprintf(&x.out, "filename:       /lib/modules/6.1.0-model/drbd.ko\nversion:        %s\nname:           drbd\n", x.m.module)
}

func (x *call) modprobe() {
	if !x.load() {
		x.exit = 1
	}
}

// load loads the module if it isn't, as the first use does.
func (x *call) load() bool {
	if x.m.loaded != "" {
		return true
	}
	if x.m.module == "" {
		x.fail(20, "modprobe: FATAL: Module drbd not found in directory /lib/modules/6.1.0-model")
		if x.prog != "modprobe" {
			fmt.Fprintln(&x.err, "Failed to modprobe drbd (No such file or directory)")
		}
		return false
	}
	x.m.loaded = x.m.module
	return true
}
