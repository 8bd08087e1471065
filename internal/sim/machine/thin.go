package machine

import (
	"fmt"
	"slices"
	"strings"
)

// thinPool is what a logical volume has that is one.
type thinPool struct {
	metaKiB int64
	zero    bool // new chunks are zeroed
	// What FillThin says is used besides the volumes.
	fillKiB  int64
	fillMeta float64
}

const chunkKiB = 64

// FillThin makes a thin pool look filled by things that aren't in the model: so many KiB of data, percent of metadata.
func (m *Machine) FillThin(vgName, pool string, kib int64, metaPercent float64) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		if v := g.lv(pool); g.name == vgName && v != nil && v.thin != nil {
			v.thin.fillKiB, v.thin.fillMeta = kib, metaPercent
		}
	}
}

// usedKiB of a thin pool: volumes share the writes that they have in common.
func (g *vg) usedKiB(p *lv) int64 {
	blocks := map[int]bool{}
	kib := p.thin.fillKiB
	for _, v := range g.lvs {
		if v.pool != p {
			continue
		}
		for b := range v.disk.blocks {
			blocks[b] = true
		}
		if v.disk.md != nil && v.origin == "" {
			kib += overheadKiB(v.disk.md, v.disk.sizeKiB)
		}
	}
	return min(kib+int64(len(blocks))*4, p.disk.sizeKiB)
}

func (g *vg) dataPercent(p *lv) float64 {
	return 100 * float64(g.usedKiB(p)) / float64(p.disk.sizeKiB)
}

// metaPercent is what the lab's pools say: a root, and a little for each chunk.
func (g *vg) metaPercent(p *lv) float64 {
	chunks := float64(g.usedKiB(p) / chunkKiB)
	return min(100, p.thin.fillMeta+(11.207+chunks*0.000435)*4096/float64(p.thin.metaKiB))
}

// live tells whether the kernel has the pool.
func (g *vg) live(p *lv) bool {
	return p.active || slices.ContainsFunc(g.lvs, func(v *lv) bool { return v.pool == p && v.active })
}

func (g *vg) percent(field string, v *lv) string {
	switch {
	case v.thin != nil && g.live(v) && field == "data_percent":
		return fmt.Sprintf("%.2f", g.dataPercent(v))
	case v.thin != nil && g.live(v):
		return fmt.Sprintf("%.2f", g.metaPercent(v))
	case v.pool != nil && v.active && field == "data_percent":
		return fmt.Sprintf("%.2f", 100*float64(v.disk.allocatedKiB())/float64(v.disk.sizeKiB))
	}
	return ""
}

func (g *vg) thinAttr(v *lv) string {
	a := []byte("Vwi---t---")
	p := v.pool
	if v.thin != nil {
		a[0], p = 't', v
		if g.live(v) && g.dataPercent(v) >= 100 {
			a[8] = 'D'
		}
		if v.active {
			a[5] = 'o'
		}
	}
	if p.thin.zero {
		a[7] = 'z'
	}
	if v.active {
		a[4] = 'a'
	}
	if v.disk.holder != "" {
		a[5] = 'o'
	}
	if v.skip {
		a[9] = 'k'
	}
	return string(a)
}

// overcommitted is LVM's warning.
func (x *call) overcommitted(g *vg, p *lv) {
	if p == nil {
		return
	}
	var sum int64
	for _, v := range g.lvs {
		if v.pool == p {
			sum += v.disk.sizeKiB
		}
	}
	if sum <= p.disk.sizeKiB {
		return
	}
	x.out.WriteString("  WARNING: You have not turned on protection against thin pools running out of space.\n" +
		"  WARNING: Set activation/thin_pool_autoextend_threshold below 100 to trigger automatic extension of thin pools before they get full.\n")
	if sum > g.sizeKi {
		fmt.Fprintf(&x.err, "  WARNING: Sum of all thin volume sizes (%s) exceeds the size of thin pool %s/%s and the size of whole volume group (%s).\n",
			lvmSize(sum), g.name, p.name, lvmSize(g.sizeKi))
	} else {
		fmt.Fprintf(&x.err, "  WARNING: Sum of all thin volume sizes (%s) exceeds the size of thin pool %s/%s.\n", lvmSize(sum), g.name, p.name)
	}
}

// lvmSize is how LVM writes a size: '<' where it was rounded up.
func lvmSize(kib int64) string {
	f, unit := float64(kib)/1024, "MiB"
	if f >= 1024 {
		f, unit = f/1024, "GiB"
	}
	s := fmt.Sprintf("%.2f %s", f, unit)
	var r float64
	fmt.Sscanf(s, "%f", &r)
	if r > f {
		s = "<" + s
	}
	return s
}

// lvcreateThin knows three forms: a pool (-T -L), a volume in one (--thinpool -V), a snapshot of one (-s).
func (x *call) lvcreateThin(tags []string) {
	noSkip := x.take("-kn")
	zero := !x.take("-Zn")
	x.take("-Wn", "-Zy")
	if x.take("-T") {
		x.createPool(zero)
		return
	}
	name, poolName := x.value("-n"), x.value("--thinpool")
	if x.take("-s") {
		if room := x.value("-L"); room != "" && len(x.argv) == 1 && name != "" {
			x.snapshotThick(name, room, tags)
			return
		}
		if len(x.argv) != 1 || name == "" {
			x.fail(3, "  the model's lvcreate -s doesn't know: %s", strings.Join(x.argv, " "))
			return
		}
		g, o := x.target("  Snapshot origin LV %s not found in Volume group %s.")
		if o == nil || x.taken(g, name) {
			return
		}
		if o.pool == nil {
			x.fail(3, "  the model has snapshots of thin volumes only")
			return
		}
		if x.poolFull(g, o.pool) {
			return
		}
		v := x.m.newLV(g, name, o.disk.sizeKiB, tags)
		v.disk, v.pool, v.origin, v.active, v.skip = x.m.snapshot(o.disk), o.pool, o.name, noSkip, !noSkip
		x.m.effect("lvcreate -s %s/%s of %s %v", g.name, name, o.name, tags)
		x.overcommitted(g, o.pool)
		fmt.Fprintf(&x.out, "  Logical volume %q created.\n", name)
		return
	}
	size, ok := sizeKiB(x.value("-V"))
	if !ok || name == "" || len(x.argv) != 1 {
		x.fail(3, "  the model's lvcreate -V doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	g := x.vg(x.argv[0])
	if g == nil {
		return
	}
	p := g.lv(poolName)
	if p == nil || p.thin == nil {
		x.fail(5, "  Pool %s not found in Volume group %s.", poolName, g.name)
		return
	}
	if r := roundUp(size); r != size {
		fmt.Fprintf(&x.out, "  Rounding up size to full physical extent %.2f MiB\n", float64(r)/1024)
		size = r
	}
	if x.taken(g, name) || x.poolFull(g, p) {
		return
	}
	v := x.m.newLV(g, name, size, tags)
	v.pool = p
	if p.thin.zero {
		v.disk.base = 0
	}
	x.m.effect("lvcreate %s/%s in %s %d KiB %v", g.name, name, p.name, size, tags)
	x.overcommitted(g, p)
	fmt.Fprintf(&x.out, "  Logical volume %q created.\n", name)
}

func (x *call) taken(g *vg, name string) bool {
	if g.lv(name) == nil {
		return false
	}
	x.fail(5, "  Logical Volume %q already exists in volume group %q", name, g.name)
	return true
}

func (x *call) poolFull(g *vg, p *lv) bool {
	data := g.dataPercent(p) >= 100
	if !data && g.metaPercent(p) < 100 {
		return false
	}
	if data {
		x.fail(5, "  WARNING: Thin pool %s/%s is out of data space.", g.name, p.name)
	}
	x.fail(5, "  Cannot create new thin volume, free space in thin pool %s/%s reached threshold.", g.name, p.name)
	return true
}

func (x *call) createPool(zero bool) {
	size, ok := sizeKiB(x.value("-L"))
	meta, ok2 := sizeKiB(x.value("--poolmetadatasize"))
	if !ok || !ok2 || len(x.argv) != 1 {
		x.fail(3, "  the model's lvcreate -T doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	gn, name, _ := strings.Cut(x.argv[0], "/")
	g := x.vg(gn)
	if g == nil || x.taken(g, name) {
		return
	}
	size, meta = roundUp(size), roundUp(meta)
	if free := g.freeKiB(); size+2*meta > free {
		x.fail(5, "  Volume group %q has insufficient free space (%d extents): %d required.", g.name, free/extentKiB, (size+2*meta)/extentKiB)
		return
	}
	v := x.m.newLV(g, name, size, nil)
	v.thin = &thinPool{metaKiB: meta, zero: zero}
	x.m.effect("lvcreate -T %s/%s %d KiB", g.name, name, size)
	fmt.Fprintf(&x.out, "  Thin pool volume with chunk size 64.00 KiB can address at most <15.88 TiB of data.\n  Logical volume %q created.\n", name)
}

func (x *call) lvrename() {
	if !x.begin() {
		return
	}
	if len(x.argv) != 3 {
		x.fail(3, "  Old and new logical volume names required")
		return
	}
	g := x.vg(x.argv[0])
	if g == nil {
		return
	}
	v := g.lv(x.argv[1])
	switch {
	case v == nil:
		x.fail(5, "  Existing logical volume %q not found in volume group %q", x.argv[1], g.name)
		return
	case x.taken(g, x.argv[2]):
		return
	}
	for _, o := range g.lvs {
		if o.origin == v.name && (o.pool != nil || o.cow != nil) {
			o.origin = x.argv[2]
		}
	}
	v.name = x.argv[2]
	slices.SortFunc(g.lvs, func(a, b *lv) int { return strings.Compare(a.name, b.name) })
	x.m.effect("lvrename %s/%s to %s", g.name, x.argv[1], v.name)
	fmt.Fprintf(&x.out, "  Renamed %q to %q in volume group %q\n", x.argv[1], v.name, g.name)
}

// AddThin makes a thin pool by hand, as a person would.
func (m *Machine) AddThin(vgName, name string, sizeKiB int64, zero bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		if g.name == vgName {
			v := m.newLV(g, name, sizeKiB, nil)
			v.thin = &thinPool{metaKiB: 4096, zero: zero}
		}
	}
}

// thinCheck answers with its version.
func (x *call) thinCheck() {
	if !x.take("-V", "--version") {
		x.fail(1, "thin_check: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	x.out.WriteString("0.9.0\n")
}
