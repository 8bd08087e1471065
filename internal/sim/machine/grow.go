package machine

import (
	"slices"

	"holdfast/internal/tool/drbd"
)

// Growing, as seen in the lab with 8.4.11, 9.2.18 and drbd-utils 9.22. Internal metadata lie at the end of the device. When
// it grows under DRBD they stay where they are, until a resize or a handshake moves them; what lay at the old place can
// still be read there. Attach looks at the device's end, where a removed volume's may lie as well, then where drbd-utils
// noted it, and moves them.

// notePlace is drbd-utils' note, which it doesn't sync: a power cut brings back what was durable before.
func (m *Machine) notePlace(minor int, d *Disk, dev string) {
	p := drbd.PlaceFile(minor)
	text := drbd.Place{SizeKiB: d.sizeKiB, Device: dev}.Text()
	old := m.files[p]
	if old != nil && string(old.data) == string(text) {
		return
	}
	f := &file{data: text, disk: &Disk{}, unsynced: true}
	if old != nil {
		f.durable = old.data
		if old.unsynced {
			f.durable = old.durable
		}
	}
	m.mkdir(drbd.PlaceDir)
	m.files[p] = f
}

// loseUnsynced is a power cut's.
func (m *Machine) loseUnsynced() {
	for _, p := range sortedKeys(m.files) {
		f := m.files[p]
		switch {
		case !f.unsynced:
		case f.durable == nil:
			delete(m.files, p)
		default:
			m.files[p] = &file{data: f.durable, disk: &Disk{}}
		}
	}
}

// findMetadata is what `drbdmeta apply-al` does first. It says whether there are any.
func (m *Machine) findMetadata(minor int, d *Disk) bool {
	if d.md == nil || d.md.atKiB == d.sizeKiB {
		return d.md != nil
	}
	var note drbd.Place
	if f := m.files[drbd.PlaceFile(minor)]; f != nil {
		note, _ = drbd.ParsePlace(f.data)
	}
	for _, at := range []int64{d.sizeKiB, note.SizeKiB} {
		if md := d.metadataAt(at); md != nil { // any that were left there are taken for true
			d.md = md.clone()
			break
		}
	}
	if d.md.atKiB != d.sizeKiB && d.md.atKiB != note.SizeKiB {
		return false
	}
	d.moveMetadata()
	m.effect("move metadata of minor %d", minor)
	return true
}

// metadataAt are those at the end of a device of that size, the disk's or what was left there; nil: none.
func (d *Disk) metadataAt(kib int64) *metadata {
	if d.md != nil && d.md.atKiB == kib {
		return d.md
	}
	if i := slices.IndexFunc(d.left, func(o *metadata) bool { return o.atKiB == kib }); i >= 0 {
		return d.left[i]
	}
	return nil
}

// clear takes away what metadata lie there.
func (d *Disk) clear(kib int64) {
	d.left = slices.DeleteFunc(d.left, func(o *metadata) bool { return o.atKiB == kib })
	if d.md != nil && d.md.atKiB == kib {
		d.md = nil
	}
}

// moveMetadata to the device's end.
func (d *Disk) moveMetadata() {
	if d.md.atKiB != d.sizeKiB {
		d.clear(d.sizeKiB)
		d.left = append(d.left, d.md.clone())
		d.md.atKiB = d.sizeKiB
	}
}

func (md *metadata) clone() *metadata {
	c := *md
	c.history = slices.Clone(md.history)
	c.slots = map[int]*slot{}
	for id, s := range md.slots { // in any order
		c.slots[id] = s.clone()
	}
	return &c
}

// seenKiB is what a disk offers a peer in 8.4's handshake: by where its metadata lie still.
func (d *Disk) seenKiB(gen drbd.Generation) int64 {
	if gen == drbd.Gen8 {
		return d.md.atKiB - overheadKiB(d.md, d.md.atKiB)
	}
	return d.usableKiB()
}

// away says that a peer whose disk was seen isn't connected, other than that one: then 9 grows nothing (MDF_PEER_DEVICE_SEEN in
// get_max_agreeable_size of 9.2.18).
func away(r *resource, v *volume, but *conn) bool {
	for id, s := range v.disk.md.slots { // in any order
		if s.seen && id != r.nodeID && (but == nil || id != but.peerID) &&
			!slices.ContainsFunc(r.conns, func(c *conn) bool { return c.peerID == id && c.state == "Connected" }) {
			return true
		}
	}
	return false
}

// agreedKiB is the size that the two have already.
func agreedKiB(a, b *metadata) int64 {
	var kib int64
	for _, md := range []*metadata{a, b} {
		if md.current != justCreated {
			kib = max(kib, md.sizeKiB)
		}
	}
	if kib == 0 {
		return 1 << 50
	}
	return kib
}

// grantedKiB is what a volume offers after a handshake of the two, no larger than what others have that are connected to one of
// them, each of whom speaks for those, too (9).
func (n *Network) grantedKiB(a *Machine, ar *resource, av *volume, b *Machine, br *resource, bv *volume) int64 {
	size := min(av.disk.seenKiB(ar.gen), bv.disk.seenKiB(br.gen))
	if ar.gen == drbd.Gen9 {
		for _, o := range slices.Concat(n.members(a, ar, av), n.members(b, br, bv)) {
			if o.v.disk != nil && o.v.disk.md != nil {
				size = min(size, o.v.disk.usableKiB())
			}
		}
	}
	return size
}

// spread is what follows, with 9, where a volume grew at a handshake: it tells all that are connected, and each of them that
// sees all its peers takes over what they all can, and tells its own (by the source of 9.2.18, receive_sizes).
func (n *Network) spread(m *Machine, r *resource, v *volume) {
	if r.gen != drbd.Gen9 {
		return
	}
	for _, o := range n.members(m, r, v)[1:] {
		switch {
		case o.v.disk == nil:
			o.v.sizeKiB = max(o.v.sizeKiB, v.sizeKiB)
			continue
		case o.v.disk.md.current == justCreated:
			continue
		}
		size := o.v.disk.usableKiB()
		for _, x := range n.members(o.m, o.r, o.v) {
			if x.v.disk == nil {
				continue
			}
			if away(x.r, x.v, nil) { // a newcomer that has seen nobody else doesn't grow beyond its peer: see docs/simulator.md
				size = 0
			}
			for _, y := range n.members(x.m, x.r, x.v) { // each speaks for those that it sees
				if y.v.disk != nil {
					size = min(size, y.v.disk.usableKiB())
				}
			}
		}
		if size > o.v.disk.md.sizeKiB {
			o.v.disk.moveMetadata()
			o.v.disk.md.sizeKiB, o.v.sizeKiB = size, size
			n.spread(o.m, o.r, o.v)
		}
	}
}

// resize takes over grown disks, the smallest of them.
func (x *call) resize(r *resource, v *volume, alone bool) {
	if v.disk == nil {
		x.fail(10, "%d: Failure: (138) Device does not have a disk-config", v.minor)
		return
	}
	x.m.net.unlink() // it asks its peers, and finds out who is gone
	members := x.m.net.members(x.m, r, v)
	if r.gen == drbd.Gen8 && len(members) > 1 {
		switch {
		case slices.ContainsFunc(members, func(o member) bool { return syncing(o.r, v.num) }):
			x.fail(10, "%d: Failure: (130) Resize not allowed during resync.", v.minor)
			return
		case !slices.ContainsFunc(members, func(o member) bool { return o.r.role == "Primary" }):
			x.fail(10, "%d: Failure: (131) Need one Primary node to resize.", v.minor)
			return
		}
	}
	size := v.disk.usableKiB()
	for _, o := range members {
		if o.v.disk != nil {
			size = min(size, o.v.disk.usableKiB())
		}
	}
	if len(members) == 1 && !alone && (r.gen == drbd.Gen8 || len(r.conns) > 0) ||
		r.gen == drbd.Gen9 && !alone && slices.ContainsFunc(members, func(o member) bool { return o.v.disk != nil && away(o.r, o.v, nil) }) {
		size = v.sizeKiB // exit 0, and nothing grows
		if r.gen == drbd.Gen8 {
			size = max(size, min(v.offeredKiB, v.disk.usableKiB())) // as far as the peer could when it was last heard of (by the kernel's source)
		}
	}
	grows := size > v.sizeKiB
	if !grows && r.gen == drbd.Gen9 {
		return // aborted cluster-wide: size unchanged
	}
	by := size - v.sizeKiB
	for _, o := range members {
		if o.v.disk != nil {
			o.v.disk.moveMetadata()
		}
		if grows {
			o.v.sizeKiB = size
			if o.v.disk != nil {
				o.v.disk.md.sizeKiB = size
			}
		}
	}
	if !grows {
		x.m.effect("move metadata of %s/%d", r.name, v.num)
		return
	}
	x.m.net.syncGrown(members, v.num, by)
	x.m.effect("resize %s/%d to %d KiB", r.name, v.num, size)
}

// syncGrown starts the resync of the new storage: from a Primary, else from who resized.
func (n *Network) syncGrown(members []member, vol int, kib int64) {
	src := members[0]
	for _, o := range members {
		if o.r.role == "Primary" && o.v.disk != nil && o.v.state == "UpToDate" {
			src = o
		}
	}
	if src.v.state != "UpToDate" {
		return
	}
	for _, c := range src.r.conns {
		p, pr, pc := n.other(src.m, src.r, c)
		if c.state != "Connected" || pc == nil {
			continue
		}
		if t := pr.vol(vol); t != nil && t.disk != nil && t.state == "UpToDate" {
			src.v.disk.md.slot(c.peerID).left += kib
			n.startSync(c, src.v, pc, t, false)
			n.showDisks(p, pr)
		}
	}
	n.showDisks(src.m, src.r)
}

// SizeOf is the size of a backing device in KiB, also of an inactive one; path as for OnDisk.
func (m *Machine) SizeOf(path string) (int64, bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if d := m.diskAt(path); d != nil {
		return d.sizeKiB, true
	}
	return 0, false
}

// KernelVolumeKiB is what a volume offers; 0 for none.
func (m *Machine) KernelVolumeKiB(res string, vol int) int64 {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if _, v, err := m.find(res, vol); err == nil {
		return v.sizeKiB
	}
	return 0
}
