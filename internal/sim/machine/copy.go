package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/tool/drbd"
)

// cowStore is what a snapshot of a volume that isn't thin keeps.
type cowStore struct {
	roomKiB int64
	full    bool // more was overwritten than there is room for: it is invalid
}

// snapshotThick is lvcreate -s -L.
func (x *call) snapshotThick(name, room string, tags []string) {
	size, ok := sizeKiB(room)
	if !ok {
		x.fail(3, "  Invalid argument for --size\n  Error during parsing of command line.")
		return
	}
	g, o := x.target("  Snapshot origin LV %s not found in Volume group %s.")
	if o == nil || x.taken(g, name) {
		return
	}
	if o.pool != nil || o.thin != nil || o.cow != nil {
		x.fail(3, "  the model has no such snapshot of %s", o.name)
		return
	}
	size = min(roundUp(size), roundUp(o.disk.sizeKiB)+extentKiB)
	if free := g.freeKiB(); size > free {
		x.fail(5, "  Volume group %q has insufficient free space (%d extents): %d required.", g.name, free/extentKiB, size/extentKiB)
		return
	}
	v := x.m.newLV(g, name, o.disk.sizeKiB, tags)
	v.disk, v.origin, v.active, v.cow = x.m.snapshot(o.disk), o.name, o.active, &cowStore{roomKiB: size}
	x.m.effect("lvcreate -s %s/%s of %s %d KiB %v", g.name, name, o.name, size, tags)
	fmt.Fprintf(&x.out, "  Logical volume %q created.\n", name)
}

// together: an origin and its snapshots are active together.
func (g *vg) together(v *lv) {
	for _, o := range g.lvs {
		if o.cow != nil && o.origin == v.name || v.cow != nil && o.name == v.origin {
			if !o.active {
				o.active = true
				g.together(o)
			}
		}
	}
}

// held tells whether there are snapshots of a volume that isn't thin.
func (g *vg) held(v *lv) bool {
	for _, o := range g.lvs {
		if o.cow != nil && o.origin == v.name {
			return true
		}
	}
	return false
}

func (g *vg) thickAttr(v *lv) string {
	a := []byte("-wi-------")
	switch {
	case v.cow != nil:
		a[0], a[1], a[6] = 's', 'w', 's'
	case g.held(v):
		a[0] = 'o'
	}
	if v.active {
		a[4] = 'a'
		if v.disk.holder != "" {
			a[5] = 'o'
		}
	}
	if v.cow != nil && v.cow.full {
		a[4] = 'I'
	}
	return string(a)
}

// Overflow has more written to the origins than the snapshots of the volume group have room for. It says whether there are any.
func (m *Machine) Overflow(vgName string) (any bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			if g.name == vgName && v.cow != nil {
				v.cow.full, any = true, true
			}
		}
	}
	return any
}

func (x *call) ionice() {
	for len(x.argv) > 0 && strings.HasPrefix(x.argv[0], "-") {
		x.argv = x.argv[1:]
	}
	if len(x.argv) == 0 || program(x.argv[0]) == nil {
		x.fail(127, "ionice: failed to execute")
		return
	}
	x.prog, x.argv = x.argv[0], x.argv[1:]
	program(x.prog)(x)
}

// dd copies a part of one device to the same place of another, in two halves.
func (x *call) dd() {
	if slices.Contains(x.argv, "bs=4096") {
		x.ddEnd()
		return
	}
	arg := func(name string) string {
		for _, a := range x.argv {
			if v, ok := strings.CutPrefix(a, name+"="); ok {
				return v
			}
		}
		return ""
	}
	bytes := func(name string) int64 {
		n, err := strconv.ParseInt(arg(name), 10, 64)
		if err != nil || n%1024 != 0 {
			x.fail(1, "dd: invalid number: '%s'", arg(name))
		}
		return n / 1024
	}
	skip, seek, count := bytes("skip"), bytes("seek"), bytes("count")
	if x.exit == 0 && (skip != seek || !strings.Contains(arg("iflag"), "skip_bytes") || !strings.Contains(arg("iflag"), "count_bytes") ||
		!strings.Contains(arg("oflag"), "seek_bytes") || !strings.Contains(arg("conv"), "fsync") || !strings.Contains(arg("conv"), "notrunc")) {
		x.fail(1, "dd: the model doesn't know: %s", strings.Join(x.argv, " "))
	}
	from, to := x.m.device(arg("if")), x.m.device(arg("of"))
	switch {
	case x.exit != 0:
		return
	case from == nil || x.m.invalid(arg("if")):
		x.fail(1, "dd: failed to open '%s': Input/output error", arg("if"))
		return
	case to == nil:
		x.fail(1, "dd: failed to open '%s': No such file or directory", arg("of"))
		return
	case to.holder != "":
		x.m.net.overwritten = append(x.m.net.overwritten, fmt.Sprintf("%s on %s, by dd while %s has it", arg("of"), x.m.name, to.holder))
	case seek+count > to.sizeKiB:
		x.fail(1, "dd: error writing '%s': No space left on device", arg("of"))
		return
	}
	last := min(skip+count, from.sizeKiB)
	for half := range int64(2) {
		to.copyPart(from, skip+(last-skip)*half/2, skip+(last-skip)*(half+1)/2)
		x.m.effect("dd to %s, %d of %d KiB, %d of 2", arg("of"), seek, to.sizeKiB, half+1)
	}
	fmt.Fprintf(&x.err, "%d bytes copied\n", (last-skip)*1024)
}

// ddEnd reads the last 4 KiB of a disk, or overwrites them with zeros.
func (x *call) ddEnd() {
	var in, out string
	var block int64
	for _, a := range x.argv {
		switch k, v, _ := strings.Cut(a, "="); k {
		case "if":
			in = v
		case "of":
			out = v
		case "skip", "seek":
			block, _ = strconv.ParseInt(v, 10, 64)
		case "bs", "count", "status", "iflag", "oflag", "conv":
		default:
			x.fail(1, "dd: the model doesn't know: %s", a)
			return
		}
	}
	path := in
	if out != "" {
		path = out
	}
	d, kib := x.m.device(path), (block+1)*4
	switch {
	case d == nil:
		x.fail(1, "dd: failed to open '%s': No such file or directory", path)
	case kib > d.sizeKiB:
		x.fail(1, "dd: '%s': cannot skip to specified offset", path)
	case out == "":
		b := make([]byte, 4096)
		if md := d.metadataAt(kib); md != nil {
			b = drbd.Superblock(md.format, md.sizeKiB, md.current)
		}
		x.out.Write(b)
	default:
		if d.md != nil && d.md.atKiB == kib && d.holder != "" {
			x.m.net.overwritten = append(x.m.net.overwritten, fmt.Sprintf("the metadata on %s of %s, by dd while %s has it", path, x.m.name, d.holder))
		}
		d.clear(kib)
		x.m.effect("dd zeros to %s at %d KiB", path, kib-4)
	}
}

// copyPart takes over what lies between two KiB of a disk; what was there before goes with its beginning. Where a write lies
// isn't in the model: they are spread evenly.
func (d *Disk) copyPart(o *Disk, from, to int64) {
	if from == 0 {
		d.blocks, d.md, d.fs, d.luks, d.copiedKiB = map[int]bool{}, nil, false, nil, 0
	}
	if from > d.copiedKiB {
		return // there is a hole
	}
	d.copiedKiB = max(d.copiedKiB, to)
	src, dst := o.content(), d
	if o.luks != nil {
		d.luks = o.luks.clone()
		dst = d.luks.inner
		dst.blocks, dst.md, dst.fs = map[int]bool{}, nil, false
	}
	usable := src.usableKiB()
	ids := sortedKeys(src.blocks)
	for i, id := range ids {
		if int64(i)*usable/int64(len(ids)) < d.copiedKiB {
			dst.blocks[id] = true
		}
	}
	if d.copiedKiB >= usable {
		dst.base, dst.fs = src.base, src.fs
	}
	if d.copiedKiB >= o.sizeKiB && src.md != nil {
		dst.md = src.md.clone()
	}
}

// invalid tells whether path is a snapshot that has lost its content.
func (m *Machine) invalid(path string) bool {
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			if path == "/dev/"+g.name+"/"+v.name && v.cow != nil {
				return v.cow.full
			}
		}
	}
	return false
}
