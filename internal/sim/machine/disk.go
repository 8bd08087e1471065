package machine

import (
	"maps"
	"path"
	"strings"

	"holdfast/internal/tool/drbd"
)

// Disk is what a block device holds.
type Disk struct {
	sizeKiB   int64
	base      int          // what was never written holds: 0 = zeros, else old contents of that number
	blocks    map[int]bool // writes that it holds, each its own block
	md        *metadata    // DRBD's, or nil
	left      []*metadata  // that were moved away from where they lay, and still can be read there
	fs        bool         // a file system made on it by hand, up to its end
	luks      *header      // an encrypted device's; its blocks and metadata are then in there
	copiedKiB int64        // so far a copy of another has come
	holder    string       // who has it open: "drbd1000", "user"; lost at a power cut
}

func newDisk(sizeKiB int64, base int) *Disk {
	return &Disk{sizeKiB: sizeKiB, base: base, blocks: map[int]bool{}}
}

// copyOf takes over another's data, but not its metadata.
func (d *Disk) copyOf(o *Disk) {
	d.base, d.blocks = o.base, maps.Clone(o.blocks)
}

func (d *Disk) allocatedKiB() int64 {
	if d.luks != nil {
		return d.luks.offsetKiB + d.luks.inner.allocatedKiB()
	}
	a := int64(len(d.blocks)) * 4
	if d.md != nil {
		a += overheadKiB(d.md, d.sizeKiB)
	}
	return a
}

// metadata are DRBD's internal metadata.
type metadata struct {
	format   drbd.Format
	maxPeers int
	nodeID   int // -1: never attached

	current uint64
	history []uint64
	slots   map[int]*slot // by the peer's node-id; v08: 0

	consistent, upToDate, primary, unclean bool
	witnesses                              []int // node-ids without a disk that it has met
	crashed                                bool  // was Primary when the power went, and hasn't met its peer since
	sizeKiB                                int64 // last agreed
	atKiB                                  int64 // the size of the device at whose end they lie
}

// slot is what is known of one peer: the bitmap, and the data generation it
// counts from.
type slot struct {
	uuid     uint64
	all      bool         // every block
	dirty    map[int]bool // or these
	left     int64        // KiB still to sync, while all or dirty
	voter    bool         // that peer has, or had, a disk
	seen     bool         // and it was seen
	outdated bool         // and was behind when it was last seen
}

func (s *slot) clone() *slot {
	c := *s
	c.dirty = maps.Clone(s.dirty)
	return &c
}

func (s *slot) clear() { s.uuid, s.all, s.dirty, s.left = 0, false, nil, 0 }

func (s *slot) mark(block int) {
	if s.dirty == nil {
		s.dirty = map[int]bool{}
	}
	if !s.dirty[block] {
		s.dirty[block] = true
		s.left += 4
	}
}

func (s *slot) setAll(sizeKiB int64) { s.all, s.left = true, sizeKiB }

func (md *metadata) slot(id int) *slot {
	if md.format == drbd.V08 {
		id = 0
	}
	s := md.slots[id]
	if s == nil {
		s = &slot{}
		md.slots[id] = s
	}
	return s
}

const justCreated = 4 // DRBD's UUID_JUST_CREATED

// overheadKiB is what internal metadata take: 4 KiB superblock, 32 KiB
// activity log, a bit for each 4 KiB and peer (checked against drbdmeta).
func overheadKiB(md *metadata, sizeKiB int64) int64 {
	peers := int64(1)
	if md.format == drbd.V09 {
		peers = int64(md.maxPeers)
	}
	bytes := (sizeKiB/4 + 63) / 64 * 8 * peers
	return 36 + (bytes+4095)/4096*4
}

func (d *Disk) usableKiB() int64 {
	if d.md == nil {
		return d.sizeKiB
	}
	return d.sizeKiB - overheadKiB(d.md, d.sizeKiB)
}

// device finds what a path in /dev leads to, or nil.
func (m *Machine) device(p string) *Disk {
	p = path.Clean(p)
	if name, ok := strings.CutPrefix(p, "/dev/mapper/"); ok {
		if c := m.mapping(name); c != nil {
			return c.inner
		}
	}
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			if v.active && (p == "/dev/"+g.name+"/"+v.name || p == "/dev/mapper/"+mapperName(g.name)+"-"+mapperName(v.name)) {
				return v.disk
			}
		}
	}
	if name, ok := strings.CutPrefix(p, "/dev/zvol/"); ok && m.on {
		if _, v := m.zfind(name); v != nil && v.of == nil {
			return v.disk
		}
	}
	for _, l := range m.loops {
		if l.path() == p {
			return l.disk
		}
	}
	if v, _ := m.minor(p); v != nil {
		return &Disk{sizeKiB: v.sizeKiB}
	}
	return nil
}

func mapperName(s string) string { return strings.ReplaceAll(s, "-", "--") }
