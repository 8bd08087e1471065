package machine

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const extentKiB = 4096

type vg struct {
	name   string
	id     int
	sizeKi int64
	lvs    []*lv
	nextID int
	tags   []string
	gone   bool // its disks can't be found
	ghosts []*metadata
}

type lv struct {
	name   string
	id     int
	tags   []string // sorted
	active bool
	disk   *Disk
	thin   *thinPool // it is one
	pool   *lv       // thin pool that it lives in
	origin string
	cow    *cowStore // it is a snapshot of a volume that isn't thin
	skip   bool      // isn't activated without -K
}

func (g *vg) freeKiB() int64 {
	f := g.sizeKi
	for _, v := range g.lvs {
		switch {
		case v.thin != nil:
			f -= v.disk.sizeKiB + 2*v.thin.metaKiB // and as much for a repair
		case v.cow != nil:
			f -= v.cow.roomKiB
		case v.pool == nil:
			f -= v.disk.sizeKiB
		}
	}
	return f
}

func (g *vg) lv(name string) *lv {
	i := slices.IndexFunc(g.lvs, func(v *lv) bool { return v.name == name })
	if i < 0 {
		return nil
	}
	return g.lvs[i]
}

// uuid looks like LVM's.
func lvmUUID(kind byte, a, b int) string {
	s := fmt.Sprintf("%c%05d%026d", kind, a, b)
	return s[:6] + "-" + s[6:10] + "-" + s[10:14] + "-" + s[14:18] + "-" + s[18:22] + "-" + s[22:26] + "-" + s[26:32]
}

func (m *Machine) addVG(name string, sizeKiB int64) {
	m.vgs = append(m.vgs, &vg{name: name, id: len(m.vgs), sizeKi: sizeKiB / extentKiB * extentKiB})
}

// VGGone makes a volume group vanish (its disks failed), or come back.
func (m *Machine) VGGone(name string, gone bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		if g.name == name {
			g.gone = gone
			for _, v := range g.lvs {
				v.active = v.active && !gone
			}
		}
	}
}

// AddLV makes a volume by hand, as a person would, without tags.
func (m *Machine) AddLV(vgName, name string, sizeKiB int64) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		if g.name == vgName {
			m.newLV(g, name, sizeKiB, nil)
		}
	}
}

func (m *Machine) newLV(g *vg, name string, sizeKiB int64, tags []string) *lv {
	m.net.garbage++
	g.nextID++
	v := &lv{name: name, id: g.nextID, tags: tags, active: true, disk: newDisk(sizeKiB, m.net.garbage)}
	g.lvs = append(g.lvs, v)
	slices.SortFunc(g.lvs, func(a, b *lv) int { return strings.Compare(a.name, b.name) })
	return v
}

// LVs names a volume group's volumes, sorted, for checkers.
func (m *Machine) LVs(vgName string) []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	var names []string
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			if g.name == vgName {
				names = append(names, v.name)
			}
		}
	}
	return names
}

// Tags gives a volume's tags, sorted, and whether the volume exists.
func (m *Machine) Tags(vgName, name string) ([]string, bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		if v := g.lv(name); g.name == vgName && v != nil {
			return slices.Clone(v.tags), true
		}
	}
	return nil, false
}

// disk is the one that the volume group lies on.
func (g *vg) disk() string { return fmt.Sprintf("/dev/vd%c", 'b'+rune(g.id)) }

// begin takes the common options of LVM's programs. It says false if the
// program can't go on: without a filter it opens DRBD devices, and hangs on
// one whose I/O is suspended. It reads every disk that its filter doesn't
// reject, whatever group it was asked for, and hangs on one that doesn't
// answer.
func (x *call) begin() bool {
	cfg := x.value("--config")
	only := strings.Contains(cfg, `"r|.*|"`)
	x.sees = func(g *vg) bool { return !only || strings.Contains(cfg, `"a|^`+g.disk()+`$|"`) }
	for _, g := range x.m.vgs {
		if x.m.hang[g.disk()] && x.sees(g) {
			x.hung, x.hungBy = true, g.disk()
			return false
		}
	}
	if !only && !strings.Contains(cfg, `filter=["r|^/dev/drbd`) || strings.Contains(cfg, "a|.*|") {
		for _, n := range sortedKeys(x.m.kernel) {
			if r := x.m.kernel[n]; r.role == "Primary" && r.suspended() != "no" {
				x.hung = true
				return false
			}
		}
	}
	x.take("-y", "--yes")
	return true
}

// vg finds a volume group, or fails as LVM does.
func (x *call) vg(name string) *vg {
	for _, g := range x.m.vgs {
		if g.name == name && !g.gone && (x.sees == nil || x.sees(g)) {
			return g
		}
	}
	x.fail(5, "  Volume group %q not found\n  Cannot process volume group %s", name, name)
	return nil
}

// target finds VG/LV.
func (x *call) target(missing string) (*vg, *lv) {
	if len(x.argv) != 1 {
		x.fail(3, "  Please enter a logical volume path.\n  Run `%s --help' for more information.", x.prog)
		return nil, nil
	}
	gn, vn, _ := strings.Cut(strings.TrimPrefix(x.argv[0], "/dev/"), "/")
	g := x.vg(gn)
	if g == nil {
		return nil, nil
	}
	v := g.lv(vn)
	if v == nil {
		x.fail(5, missing, vn, gn)
	}
	return g, v
}

func (x *call) held(g *vg, v *lv) bool {
	switch {
	case v.disk.holder == "":
		return false
	case strings.HasPrefix(v.disk.holder, "drbd"):
		x.fail(5, "  Logical volume %s/%s is used by another device.", g.name, v.name)
	default:
		x.fail(5, "  Logical volume %s/%s in use.", g.name, v.name)
	}
	return true
}

const missingSlash = `  Failed to find logical volume "%[2]s/%[1]s"`

func sizeKiB(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	unit := map[byte]int64{'k': 1, 'K': 1, 'm': 1 << 10, 'M': 1 << 10, 'g': 1 << 20, 'G': 1 << 20}[s[len(s)-1]]
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	return n * unit, err == nil && unit > 0 && n > 0
}

func roundUp(kib int64) int64 { return (kib + extentKiB - 1) / extentKiB * extentKiB }

var tagRE = regexp.MustCompile(`^[A-Za-z0-9_+.\-/=!:&#]+$`)

func (x *call) tags() ([]string, bool) {
	tags := x.values("--addtag")
	for _, t := range tags {
		if !tagRE.MatchString(t) {
			x.fail(3, "  Invalid argument for --addtag: %s\n  Error during parsing of command line.", t)
			return nil, false
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags), true
}

func (x *call) lvcreate() {
	if !x.begin() {
		return
	}
	tags, ok := x.tags()
	if !ok {
		return
	}
	if slices.Contains(x.argv, "-T") || slices.Contains(x.argv, "--thinpool") || slices.Contains(x.argv, "-s") {
		x.lvcreateThin(tags)
		return
	}
	wipe := !x.take("-Wn")
	x.take("-Wy", "-Zy")
	inactive := x.take("-an")
	name := x.value("-n")
	size, ok := sizeKiB(x.value("-L"))
	if !ok || name == "" || len(x.argv) != 1 {
		x.fail(3, "  the model's lvcreate doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	if inactive && wipe {
		x.fail(0, "  Cannot zero inactive logical volume with option -Zy or -Wy.")
		return
	}
	g := x.vg(x.argv[0])
	if g == nil {
		return
	}
	if r := roundUp(size); r != size {
		fmt.Fprintf(&x.out, "  Rounding up size to full physical extent %.2f MiB\n", float64(r)/1024)
		size = r
	}
	if g.lv(name) != nil {
		x.fail(5, "  Logical Volume %q already exists in volume group %q", name, g.name)
		return
	}
	if free := g.freeKiB(); size > free {
		x.fail(5, "  Volume group %q has insufficient free space (%d extents): %d required.", g.name, free/extentKiB, size/extentKiB)
		return
	}
	v := x.m.newLV(g, name, size, tags)
	if n := len(g.ghosts); n > 0 { // it lies where another lay
		md := g.ghosts[n-1]
		g.ghosts = g.ghosts[:n-1]
		if !wipe {
			v.disk.md = md
			md.atKiB = size
		} else {
			fmt.Fprintf(&x.out, "  Wiping drbd signature on /dev/%s/%s.\n", g.name, name)
		}
	}
	x.m.effect("lvcreate %s/%s %d KiB %v", g.name, name, size, tags)
	fmt.Fprintf(&x.out, "  Logical volume %q created.\n", name)
}

func (x *call) lvremove() {
	if !x.begin() {
		return
	}
	g, v := x.target(missingSlash)
	if v == nil || x.held(g, v) {
		return
	}
	if v.disk.md != nil && v.pool == nil {
		g.ghosts = append(g.ghosts, v.disk.md)
	}
	g.lvs = slices.DeleteFunc(g.lvs, func(o *lv) bool { return o == v || v.thin != nil && o.pool == v || o.cow != nil && o.origin == v.name })
	for _, o := range g.lvs {
		if o.pool != nil && o.pool == v.pool && o.origin == v.name {
			o.origin = ""
		}
	}
	x.m.effect("lvremove %s/%s", g.name, v.name)
	fmt.Fprintf(&x.out, "  Logical volume %q successfully removed.\n", v.name)
}

func (x *call) lvchange() {
	if !x.begin() {
		return
	}
	tags, ok := x.tags()
	if !ok {
		return
	}
	del := x.values("--deltag")
	on, off := x.take("-ay"), x.take("-an")
	force := x.take("-K")
	zero, noZero := x.take("-Zy"), x.take("-Zn")
	g, v := x.target(missingSlash)
	switch {
	case v == nil:
	case (zero || noZero) && v.thin != nil:
		v.thin.zero = zero
		x.m.effect("lvchange %s/%s zero %v", g.name, v.name, zero)
		fmt.Fprintf(&x.out, "  Logical volume %s/%s changed.\n", g.name, v.name)
	case on && v.skip && !force:
	case len(tags)+len(del) > 0:
		v.tags = slices.DeleteFunc(append(v.tags, tags...), func(s string) bool { return slices.Contains(del, s) })
		slices.Sort(v.tags)
		v.tags = slices.Compact(v.tags)
		x.m.effect("lvchange %s/%s %v", g.name, v.name, v.tags)
		fmt.Fprintf(&x.out, "  Logical volume %s/%s changed.\n", g.name, v.name)
	case on && !v.active:
		v.active = true
		g.together(v)
		x.m.effect("activate %s/%s", g.name, v.name)
	case off && v.active && !x.held(g, v):
		v.active = false
		x.m.effect("deactivate %s/%s", g.name, v.name)
	}
}

func (x *call) lvextend() {
	if !x.begin() {
		return
	}
	size, ok := sizeKiB(x.value("-L"))
	if !ok {
		x.fail(3, "  Invalid argument for --size\n  Error during parsing of command line.")
		return
	}
	g, v := x.target("  Logical volume %s not found in volume group %s.")
	if v == nil {
		return
	}
	size = roundUp(size)
	have := v.disk.sizeKiB
	switch {
	case size == have:
		x.fail(5, "  New size (%d extents) matches existing size (%d extents).", size/extentKiB, have/extentKiB)
	case size < have:
		x.fail(5, "  New size given (%d extents) not larger than existing size (%d extents)", size/extentKiB, have/extentKiB)
	case g.held(v):
		x.fail(5, "  Snapshot origin volumes can be resized only while inactive: try lvchange -an.")
	case v.pool == nil && size-have > g.freeKiB():
		x.fail(5, "  Insufficient free space: %d extents needed, but only %d available", (size-have)/extentKiB, g.freeKiB()/extentKiB)
	default:
		v.disk.sizeKiB = size
		if n := len(g.ghosts); n > 0 && v.pool == nil { // it reaches where another lay, at whose end
			if g.ghosts[n-1].atKiB = size; v.disk.luks == nil {
				v.disk.left = append(v.disk.left, g.ghosts[n-1])
			}
			g.ghosts = g.ghosts[:n-1]
		}
		x.m.effect("lvextend %s/%s %d KiB", g.name, v.name, size)
		fmt.Fprintf(&x.out, "  Size of logical volume %s/%s changed from %.2f MiB (%d extents) to %.2f MiB (%d extents).\n",
			g.name, v.name, float64(have)/1024, have/extentKiB, float64(size)/1024, size/extentKiB)
		x.overcommitted(g, v.pool)
		fmt.Fprintf(&x.out, "  Logical volume %s/%s successfully resized.\n", g.name, v.name)
	}
}

func (x *call) lvm() {
	if len(x.argv) == 0 {
		x.fail(3, "  No command.")
		return
	}
	x.prog, x.argv = x.argv[0], x.argv[1:]
	switch x.prog {
	case "version":
		x.out.WriteString("  LVM version:     2.03.16(2) (2022-05-18)\n")
	case "fullreport", "vgs", "lvs", "pvs":
		x.report()
	case "lvcreate", "lvremove", "lvchange", "lvextend", "lvrename":
		program(x.prog)(x)
	default:
		x.fail(3, "  Invalid command '%s'", x.prog)
	}
}

// report is fullreport, vgs, lvs and pvs, in JSON with sizes in bytes.
func (x *call) report() {
	if !x.begin() {
		return
	}
	if x.value("--reportformat") != "json" || x.value("--units") != "b" || !x.take("--nosuffix") {
		x.fail(3, "  the model's reports are JSON in bytes")
		return
	}
	fields := map[string][]string{}
	for i := 0; i < len(x.argv); i++ {
		if x.argv[i] == "--configreport" && i+3 < len(x.argv) && x.argv[i+2] == "-o" {
			fields[x.argv[i+1]] = strings.Split(x.argv[i+3], ",")
			x.argv = slices.Delete(slices.Clone(x.argv), i, i+4)
			i--
		}
	}
	kind := map[string]string{"vgs": "vg", "lvs": "lv", "pvs": "pv"}[x.prog]
	if o := x.value("-o"); kind != "" {
		fields[kind] = strings.Split(o, ",")
	}
	var groups []*vg
	if len(x.argv) > 0 {
		g := x.vg(x.argv[0])
		if g == nil {
			if kind == "" {
				x.out.WriteString("  {\n      \"report\": [\n      ]\n  }\n")
			} else {
				fmt.Fprintf(&x.out, "  {\n      \"report\": [\n          {\n              %q: [\n              ]\n          }\n      ]\n  }\n", kind)
			}
			return
		}
		groups = []*vg{g}
	} else {
		for _, g := range x.m.vgs {
			if !g.gone {
				groups = append(groups, g)
			}
		}
	}
	section := func(b *strings.Builder, name string, rows []string) {
		fmt.Fprintf(b, "              %q: [\n", name)
		for i, r := range rows {
			b.WriteString("                  " + r)
			if i < len(rows)-1 {
				b.WriteString(",")
			}
			b.WriteString("\n")
		}
		b.WriteString("              ]\n")
	}
	rows := func(sec string, gs []*vg) (out []string) {
		for _, g := range gs {
			switch sec {
			case "vg":
				if slices.Contains(fields[sec], "lv_name") { // nothing for an empty group
					for _, v := range g.lvs {
						out = append(out, row(fields[sec], g, v))
					}
				} else {
					out = append(out, row(fields[sec], g, nil))
				}
			case "pv":
				out = append(out, row(fields[sec], g, nil))
			default:
				for _, v := range g.lvs {
					out = append(out, row(fields[sec], g, v))
				}
			}
		}
		return out
	}
	var b strings.Builder
	b.WriteString("  {\n      \"report\": [\n")
	if kind != "" {
		b.WriteString("          {\n")
		section(&b, kind, rows(kind, groups))
		b.WriteString("          }\n")
	} else {
		for i, g := range groups {
			if i > 0 {
				b.WriteString("          ,\n")
			}
			b.WriteString("          {\n")
			for j, sec := range []string{"vg", "pv", "lv", "pvseg", "seg"} {
				if j > 0 {
					b.WriteString("              ,\n")
				}
				section(&b, sec, rows(sec, []*vg{g}))
			}
			b.WriteString("          }\n")
		}
	}
	b.WriteString("      ]\n  }\n")
	x.out.WriteString(b.String())
}

func row(fields []string, g *vg, v *lv) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, fmt.Sprintf("%q:%q", f, field(f, g, v)))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func field(f string, g *vg, v *lv) string {
	bytes := func(kib int64) string { return strconv.FormatInt(kib*1024, 10) }
	switch f {
	case "vg_name":
		return g.name
	case "vg_tags":
		return strings.Join(g.tags, ",")
	case "vg_uuid":
		return lvmUUID('v', g.id, 0)
	case "vg_size":
		return bytes(g.sizeKi)
	case "vg_free", "pv_free":
		return bytes(g.freeKiB())
	case "vg_extent_size":
		return bytes(extentKiB)
	case "vg_missing_pv_count":
		return "0"
	case "pv_size":
		return bytes(g.sizeKi)
	case "pv_name":
		return g.disk()
	}
	if v == nil {
		return ""
	}
	switch f {
	case "lv_name":
		return v.name
	case "lv_uuid":
		return lvmUUID('l', g.id, v.id)
	case "lv_size":
		if v.cow != nil {
			return bytes(v.cow.roomKiB)
		}
		return bytes(v.disk.sizeKiB)
	case "lv_tags":
		return strings.Join(v.tags, ",")
	case "lv_active":
		if v.active {
			return "active"
		}
	case "lv_path":
		if v.thin != nil {
			return ""
		}
		return "/dev/" + g.name + "/" + v.name
	case "pool_lv":
		if v.pool != nil {
			return v.pool.name
		}
	case "origin":
		return v.origin
	case "data_percent", "metadata_percent":
		return g.percent(f, v)
	case "lv_attr":
		if v.thin != nil || v.pool != nil {
			return g.thinAttr(v)
		}
		return g.thickAttr(v)
	}
	return ""
}
