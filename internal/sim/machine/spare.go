package machine

import (
	"fmt"
	"slices"
	"strings"
)

// spare is a whole disk that was put in besides those of the volume groups.
type spare struct {
	path    string
	sizeKiB int64
	sign    string // what wipefs finds on it; "": nothing
	holder  string // what stands on it
	mounted string
}

// AddDisk puts an empty disk in; path as /dev/vdx.
func (m *Machine) AddDisk(path string, sizeKiB int64) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.spare = append(m.spare, &spare{path: path, sizeKiB: sizeKiB})
	m.holderDir(path)
}

func (m *Machine) holderDir(path string) {
	for _, d := range []string{"/sys", "/sys/class", "/sys/class/block", "/sys/class/block/" + path[len("/dev/"):], "/sys/class/block/" + path[len("/dev/"):] + "/holders"} {
		m.dirs[d] = true
	}
}

// UseDisk has somebody else write a signature on a disk that was put in, mount it, or stand something on it.
func (m *Machine) UseDisk(path, sign, mounted, holder string) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d := m.disk(path)
	d.sign, d.mounted, d.holder = sign, mounted, holder
}

// Sign is what wipefs would find on a disk that was put in.
func (m *Machine) Sign(path string) string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return m.disk(path).sign
}

func (m *Machine) disk(path string) *spare {
	if i := slices.IndexFunc(m.spare, func(d *spare) bool { return d.path == path }); i >= 0 {
		return m.spare[i]
	}
	return nil
}

// lsblk knows one form: --json --bytes --output FIELDS [DEVICE...]; it shows the disks that were put in.
func (x *call) lsblk() {
	if x.take("--nodeps") && x.take("--noheadings") && x.value("--output") == "MAJ:MIN" && len(x.argv) == 1 {
		if n := x.m.number(x.argv[0]); n != "" {
			fmt.Fprintln(&x.out, n)
		} else {
			x.fail(32, "lsblk: %s: not a block device", x.argv[0])
		}
		return
	}
	if !x.take("--json") || !x.take("--bytes") || x.value("--output") == "" {
		x.fail(1, "lsblk: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	all := x.m.spare
	if len(x.argv) > 0 {
		all = nil
		for _, p := range x.argv {
			d := x.m.disk(p)
			if d == nil {
				x.fail(32, "lsblk: %s: not a block device", p)
				return
			}
			all = append(all, d)
		}
	}
	word := func(s string) string {
		if s == "" {
			return "null"
		}
		return fmt.Sprintf("%q", s)
	}
	var rows []string
	for _, d := range all {
		row := fmt.Sprintf(`{"path": %q, "type": "disk", "size": %d, "ro": false, "rota": true, "mountpoint": %s, "model": "Model disk", "serial": null, "wwn": null`,
			d.path, d.sizeKiB*1024, word(d.mounted))
		if d.holder != "" {
			row += fmt.Sprintf(`, "children": [{"path": %q, "type": "lvm", "size": 4194304, "ro": false, "rota": true, "mountpoint": null, "model": null, "serial": null, "wwn": null}]`, d.holder)
		}
		rows = append(rows, row+"}")
	}
	fmt.Fprintf(&x.out, "{\n   \"blockdevices\": [%s]\n}\n", strings.Join(rows, ","))
}

// wipefs only looks.
func (x *call) wipefs() {
	if x.take("--version") {
		fmt.Fprintln(&x.out, "wipefs from util-linux 2.38.1")
		return
	}
	if !x.take("--no-act") || !x.take("--json") || len(x.argv) != 1 {
		x.fail(1, "wipefs: the model only looks: %s", strings.Join(x.argv, " "))
		return
	}
	d := x.m.disk(x.argv[0])
	if d == nil && x.signs(x.argv[0]) {
		return
	}
	if d == nil {
		x.fail(1, "wipefs: error: %s: probing initialization failed: No such file or directory", x.argv[0])
		return
	}
	row := ""
	if d.sign != "" {
		row = fmt.Sprintf(`{"device": %q, "offset": "0x218", "type": %q, "uuid": null, "label": null}`, d.path[len("/dev/"):], d.sign)
	}
	fmt.Fprintf(&x.out, "{\n   \"signatures\": [%s]\n}\n", row)
}

// vgcreate makes a group of disks that were put in. Each disk is labelled before the group is written, so a stop between the
// two leaves labels without a group.
func (x *call) vgcreate() {
	if !x.begin() {
		return
	}
	var tags []string
	for t := x.value("--addtag"); t != ""; t = x.value("--addtag") {
		tags = append(tags, t)
	}
	if len(x.argv) < 2 {
		x.fail(3, "  Please provide volume group name and physical volumes.")
		return
	}
	name := x.argv[0]
	for _, g := range x.m.vgs {
		if g.name == name {
			x.fail(5, "  A volume group called %s already exists.", name)
			return
		}
	}
	var size int64
	for _, p := range x.argv[1:] {
		d := x.m.disk(p)
		switch {
		case d == nil:
			x.fail(5, "  No device found for %s.", p)
			return
		case d.holder != "" || d.mounted != "":
			x.fail(5, "  Can't open %s exclusively.  Mounted filesystem?", p)
			return
		case d.sign != "":
			fmt.Fprintf(&x.err, "  WARNING: %s signature detected on %s at offset 1080. Wipe it? [y/n]: [n]\n  Aborted wiping of %s.\n", d.sign, p, d.sign)
			x.fail(5, "  1 existing signature left on the device.")
			return
		}
		size += d.sizeKiB - extentKiB
	}
	for _, p := range x.argv[1:] {
		x.m.disk(p).sign = "LVM2_member"
		x.m.effect("%s becomes a physical volume", p)
	}
	x.m.addVG(name, size)
	x.m.vgs[len(x.m.vgs)-1].tags = tags
	x.m.effect("volume group %s made", name)
	fmt.Fprintf(&x.out, "  Volume group %q successfully created\n", name)
}
