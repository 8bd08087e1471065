package machine

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// zpool is one, without datasets besides its volumes.
type zpool struct {
	name    string
	sizeKiB int64
	gone    bool
	vols    []*zvol // by name
}

// zvol is a volume, or a snapshot of one.
type zvol struct {
	name     string // below its pool; a snapshot's after the '@'
	disk     *Disk
	thick    bool
	props    map[string]string // its own
	snaps    []*zvol           // oldest first
	origin   *zvol
	of       *zvol // of a snapshot: its volume
	deferred bool
}

func (m *Machine) addZpool(name string, sizeKiB int64) {
	m.zpools = append(m.zpools, &zpool{name: name, sizeKiB: sizeKiB})
}

// ZpoolGone makes a zpool vanish, or come back.
func (m *Machine) ZpoolGone(name string, gone bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, p := range m.zpools {
		if p.name == name {
			p.gone = gone
		}
	}
}

// Zvols names what is in a zpool, snapshots after their volumes, for checkers.
func (m *Machine) Zvols(pool string) []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	var names []string
	for _, p := range m.zpools {
		for _, v := range p.vols {
			if p.name != pool {
				continue
			}
			names = append(names, v.name)
			for _, s := range v.snaps {
				names = append(names, v.name+"@"+s.name)
			}
		}
	}
	return names
}

// whole is its name for zfs(8).
func (p *zpool) whole(v *zvol) string {
	if v.of != nil {
		return p.name + "/" + v.of.name + "@" + v.name
	}
	return p.name + "/" + v.name
}

// find a volume or snapshot by its whole name.
func (m *Machine) zfind(name string) (*zpool, *zvol) {
	ds, snap, isSnap := strings.Cut(name, "@")
	for _, p := range m.zpools {
		for _, v := range p.vols {
			if p.gone || p.whole(v) != ds {
				continue
			}
			if !isSnap {
				return p, v
			}
			for _, s := range v.snaps {
				if s.name == snap {
					return p, s
				}
			}
		}
	}
	return nil, nil
}

func (p *zpool) usedKiB(v *zvol) int64 {
	if v.of != nil {
		return 0
	}
	if v.thick {
		return v.disk.sizeKiB + v.disk.sizeKiB/64
	}
	return v.disk.allocatedKiB()
}

func (p *zpool) freeKiB() int64 {
	f := p.sizeKiB
	for _, v := range p.vols {
		f -= p.usedKiB(v)
	}
	return max(f, 0)
}

// clones of a snapshot.
func (p *zpool) clones(s *zvol) bool {
	return slices.ContainsFunc(p.vols, func(v *zvol) bool { return v.origin == s })
}

func (x *call) zfs() {
	if len(x.argv) == 0 {
		x.fail(2, "missing command")
		return
	}
	cmd := x.argv[0]
	x.argv = x.argv[1:]
	switch cmd {
	case "version":
		x.out.WriteString("zfs-2.3.2-2\nzfs-kmod-2.3.2-2\n")
	case "list":
		x.zlist()
	case "create":
		x.zcreate()
	case "set":
		x.zset()
	case "snapshot":
		x.zsnapshot()
	case "clone":
		x.zclone()
	case "promote":
		x.zpromote()
	case "rename":
		x.zrename()
	case "rollback":
		x.zrollback()
	case "destroy":
		x.zdestroy()
	default:
		x.fail(2, "unrecognized command '%s'", cmd)
	}
}

func (x *call) zlist() {
	x.take("-Hp", "-r")
	if x.value("-t") != "filesystem,volume,snapshot" {
		x.fail(2, "zfs: the model lists everything, or nothing")
		return
	}
	cols := strings.Split(x.value("-o"), ",")
	if len(x.argv) != 1 {
		x.fail(2, "zfs: the model doesn't know: list %s", strings.Join(x.argv, " "))
		return
	}
	i := slices.IndexFunc(x.m.zpools, func(p *zpool) bool { return p.name == x.argv[0] && !p.gone })
	if i < 0 {
		x.fail(1, "cannot open '%s': dataset does not exist", x.argv[0])
		return
	}
	p := x.m.zpools[i]
	row := func(of func(string) string) {
		var fs []string
		for _, c := range cols {
			v := of(c)
			if v == "" {
				v = "-"
			}
			fs = append(fs, v)
		}
		x.out.WriteString(strings.Join(fs, "\t") + "\n")
	}
	bytes := func(kib int64) string { return strconv.FormatInt(kib*1024, 10) }
	row(func(c string) string {
		return map[string]string{"name": p.name, "type": "filesystem", "used": bytes(p.sizeKiB - p.freeKiB()), "available": bytes(p.freeKiB())}[c]
	})
	each := func(v *zvol, typ string) {
		row(func(c string) string {
			switch c {
			case "name":
				return p.whole(v)
			case "type":
				return typ
			case "volsize":
				return bytes(v.disk.sizeKiB)
			case "used":
				return bytes(p.usedKiB(v))
			case "available":
				if v.of == nil {
					return bytes(p.freeKiB())
				}
			case "origin":
				if v.origin != nil {
					return p.whole(v.origin)
				}
			case "createtxg":
				if v.of != nil {
					return strconv.Itoa(10 + slices.Index(v.of.snaps, v))
				}
				return "9"
			}
			if s, ok := v.props[c]; ok || v.of == nil {
				return s
			}
			return v.of.props[c] // inherited
		})
	}
	for _, v := range p.vols {
		each(v, "volume")
		for _, s := range v.snaps {
			each(s, "snapshot")
		}
	}
}

// zprops takes the -o options.
func (x *call) zprops() map[string]string {
	props := map[string]string{}
	for _, o := range x.values("-o") {
		k, v, _ := strings.Cut(o, "=")
		props[k] = v
	}
	return props
}

// zplace finds where a new volume goes.
func (x *call) zplace(verb, name string) (*zpool, string) {
	pn, vn := path.Split(name) // the parent may be a dataset, which the model has for a pool of its own
	pn = strings.TrimSuffix(pn, "/")
	i := slices.IndexFunc(x.m.zpools, func(p *zpool) bool { return p.name == pn && !p.gone })
	if i < 0 {
		if first, _, deeper := strings.Cut(pn, "/"); deeper && slices.ContainsFunc(x.m.zpools, func(p *zpool) bool { return p.name == first && !p.gone }) {
			x.fail(1, "cannot %s '%s': parent does not exist", verb, name)
		} else {
			x.fail(1, "cannot %s '%s': no such pool '%s'", verb, name, first)
		}
		return nil, ""
	}
	if _, v := x.m.zfind(name); v != nil {
		x.fail(1, "cannot %s '%s': dataset already exists", verb, name)
		return nil, ""
	}
	return x.m.zpools[i], vn
}

func (p *zpool) add(v *zvol) {
	p.vols = append(p.vols, v)
	slices.SortFunc(p.vols, func(a, b *zvol) int { return strings.Compare(a.name, b.name) })
}

func (x *call) zcreate() {
	props := x.zprops()
	bytes, err := strconv.ParseInt(x.value("-V"), 10, 64)
	sparse := x.take("-s")
	if err != nil || len(x.argv) != 1 || bytes%(16<<10) != 0 {
		x.fail(2, "zfs: the model doesn't know: create %s", strings.Join(x.argv, " "))
		return
	}
	p, name := x.zplace("create", x.argv[0])
	if p == nil {
		return
	}
	v := &zvol{name: name, disk: newDisk(bytes/1024, 0), thick: !sparse, props: props}
	if p.usedKiB(v) > p.freeKiB() {
		x.fail(1, "cannot create '%s': out of space", x.argv[0])
		return
	}
	p.add(v)
	x.m.effect("zfs create %s %d KiB %v", x.argv[0], bytes/1024, props)
}

func (x *call) zopen(verb, name string) (*zpool, *zvol) {
	p, v := x.m.zfind(name)
	if v == nil {
		x.fail(1, "cannot open '%s': dataset does not exist", name)
	}
	return p, v
}

func (x *call) zset() {
	if len(x.argv) != 2 {
		x.fail(2, "zfs: the model doesn't know: set %s", strings.Join(x.argv, " "))
		return
	}
	p, v := x.zopen("set", x.argv[1])
	if v == nil {
		return
	}
	key, value, _ := strings.Cut(x.argv[0], "=")
	was, thick := v.disk.sizeKiB, v.thick
	before := p.usedKiB(v)
	switch key {
	case "volsize":
		bytes, _ := strconv.ParseInt(value, 10, 64)
		v.disk.sizeKiB = bytes / 1024
	case "refreservation":
		v.thick = value == "auto"
	default:
		x.fail(1, "cannot set property for '%s': invalid property '%s'", x.argv[1], key)
		return
	}
	if more := p.usedKiB(v) - before; more > 0 && p.freeKiB() == 0 {
		v.disk.sizeKiB, v.thick = was, thick
		x.fail(1, "cannot set property for '%s': size is greater than available space", x.argv[1])
		return
	}
	x.m.effect("zfs set %s %s", x.argv[0], x.argv[1])
}

func (x *call) zsnapshot() {
	props := x.zprops()
	if len(x.argv) != 1 {
		x.fail(2, "zfs: the model doesn't know: snapshot %s", strings.Join(x.argv, " "))
		return
	}
	ds, name, _ := strings.Cut(x.argv[0], "@")
	_, v := x.m.zfind(ds)
	if v == nil {
		x.fail(1, "cannot open '%s': dataset does not exist\nusage:", ds)
		return
	}
	if slices.ContainsFunc(v.snaps, func(s *zvol) bool { return s.name == name }) {
		x.fail(1, "cannot create snapshot '%s': dataset already exists", x.argv[0])
		return
	}
	v.snaps = append(v.snaps, &zvol{name: name, of: v, disk: x.m.snapshot(v.disk), props: props})
	x.m.effect("zfs snapshot %s %v", x.argv[0], props)
}

func (x *call) zclone() {
	props := x.zprops()
	if len(x.argv) != 2 {
		x.fail(2, "zfs: the model doesn't know: clone %s", strings.Join(x.argv, " "))
		return
	}
	_, s := x.zopen("clone", x.argv[0])
	if s == nil {
		return
	}
	p, name := x.zplace("create", x.argv[1])
	if p == nil {
		return
	}
	p.add(&zvol{name: name, disk: s.disk.clone(), origin: s, props: props})
	x.m.effect("zfs clone %s %s %v", x.argv[0], x.argv[1], props)
}

func (x *call) zpromote() {
	_, v := x.zopen("promote", strings.Join(x.argv, " "))
	if v == nil {
		return
	}
	s := v.origin
	if s == nil {
		x.fail(1, "cannot promote '%s': not a cloned filesystem", x.argv[0])
		return
	}
	old := s.of
	n := slices.Index(old.snaps, s) + 1
	for _, o := range old.snaps[:n] {
		o.of = v
	}
	v.snaps = append(slices.Clone(old.snaps[:n]), v.snaps...)
	old.snaps = slices.Clone(old.snaps[n:])
	v.origin, old.origin = old.origin, s
	x.m.effect("zfs promote %s", x.argv[0])
}

func (x *call) zrename() {
	if len(x.argv) != 2 {
		x.fail(2, "zfs: the model doesn't know: rename %s", strings.Join(x.argv, " "))
		return
	}
	p, v := x.zopen("rename", x.argv[0])
	if v == nil {
		return
	}
	if _, other := x.m.zfind(x.argv[1]); other != nil {
		x.fail(1, "cannot rename '%s': dataset already exists", x.argv[0])
		return
	}
	if v.of != nil {
		_, v.name, _ = strings.Cut(x.argv[1], "@")
	} else {
		_, v.name = path.Split(x.argv[1])
		slices.SortFunc(p.vols, func(a, b *zvol) int { return strings.Compare(a.name, b.name) })
	}
	x.m.effect("zfs rename %s %s", x.argv[0], x.argv[1])
}

func (x *call) zrollback() {
	_, s := x.zopen("rollback", strings.Join(x.argv, " "))
	if s == nil {
		return
	}
	v := s.of
	if v.snaps[len(v.snaps)-1] != s {
		x.fail(1, "cannot rollback to '%s': more recent snapshots or bookmarks exist\nuse '-r' to force deletion of the following snapshots and bookmarks:", x.argv[0])
		return
	}
	holder := v.disk.holder
	*v.disk = *s.disk.clone()
	v.disk.holder = holder
	x.m.effect("zfs rollback %s", x.argv[0])
}

func (x *call) zdestroy() {
	later := x.take("-d")
	name := strings.Join(x.argv, " ")
	p, v := x.m.zfind(name)
	switch {
	case v == nil && strings.Contains(name, "@"):
		x.fail(1, "could not find any snapshots to destroy; check snapshot names.")
	case v == nil:
		x.fail(1, "cannot open '%s': dataset does not exist", name)
	case v.of != nil && p.clones(v) && later:
		v.deferred = true
		x.m.effect("zfs destroy -d %s", name)
	case v.of != nil && p.clones(v):
		x.fail(1, "cannot destroy '%s': snapshot has dependent clones\nuse '-R' to destroy the following datasets:", name)
	case v.of != nil:
		p.drop(v)
		x.m.effect("zfs destroy %s", name)
	case len(v.snaps) > 0:
		x.fail(1, "cannot destroy '%s': volume has children\nuse '-r' to destroy the following datasets:", name)
	case v.disk.holder != "":
		x.fail(1, "cannot destroy '%s': dataset is busy", name)
	default:
		p.vols = slices.DeleteFunc(p.vols, func(o *zvol) bool { return o == v })
		if o := v.origin; o != nil && o.deferred && !p.clones(o) {
			p.drop(o)
		}
		x.m.effect("zfs destroy %s", name)
	}
}

func (p *zpool) drop(snap *zvol) {
	snap.of.snaps = slices.DeleteFunc(snap.of.snaps, func(o *zvol) bool { return o == snap })
}

// udevadm knows settle; the model's nodes are there at once.
func (x *call) udevadm() {
	if len(x.argv) == 0 || x.argv[0] != "settle" {
		x.fail(1, "udevadm: the model doesn't know: %s", strings.Join(x.argv, " "))
	}
}

// Busy is run.OS' look at who has claimed a device.
func (m *Machine) Busy(path string) (bool, error) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d := m.device(path)
	if d == nil {
		return false, fmt.Errorf("look who uses %s: %w", path, ErrNoVolume)
	}
	return d.holder != "", nil
}
