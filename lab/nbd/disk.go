package nbd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
)

// ErrCut is the answer of a disk without power.
var ErrCut = errors.New("disk has no power")

// ErrRange is the answer to a request beyond the end of the disk or not in whole sectors.
var ErrRange = errors.New("request outside the disk")

// DefaultCache is how much unflushed data a disk holds before it starts to write back on its own, bytes.
const DefaultCache = 32 << 20

// directZero is from which length on, in bytes, zeroing goes past the cache.
const directZero = 256 << 10

// Config describes a disk.
type Config struct {
	Path  string // of the medium, a sparse file; made if it does not exist
	Base  string // copy on write over this file; may be empty. The medium must then be new: what it held is not known.
	Size  int64  // bytes, a multiple of 4096
	Cache int64  // bytes; 0: DefaultCache
	Seed  uint64 // of all that is random here
}

// Stats count bytes and requests since the disk was opened.
type Stats struct {
	Read, Written  int64 // bytes asked for
	Zeroed         int64 // bytes, discarded or zeroed
	Flushes, FUAs  int64
	Unflushed      int64 // bytes in the cache now
	WrittenBack    int64 // bytes that left the cache without being asked to
	Cuts           int64
	CutUnflushed   int64 // bytes in the cache at the last cut
	CutDropped     int64 // of these lost
	CutTornPages   int64 // pages of which a part was lost, at the last cut
	DroppedOverall int64 // bytes lost by all cuts
}

// Disk is a disk with a volatile write cache. Its methods may be called from several goroutines.
type Disk struct {
	mu     sync.Mutex
	size   int64
	limit  int // pages
	medium medium
	cache  map[int64]*page
	order  []*page // the same pages, in an order that depends only on the requests
	free   []*page
	rng    *rand.Rand
	on     bool
	stats  Stats
	run    []byte // buffer for writing several pages at once
}

// page is one page of the cache, of which the dirty sectors are valid.
type page struct {
	num   int64
	at    int // in Disk.order
	dirty uint8
	data  [pageSize]byte
}

// Open opens a disk, which has power at once.
func Open(c Config) (*Disk, error) {
	if c.Size <= 0 || c.Size%pageSize != 0 {
		return nil, fmt.Errorf("open disk %s: size %d is no multiple of %d", c.Path, c.Size, pageSize)
	}
	if c.Cache == 0 {
		c.Cache = DefaultCache
	}
	d := &Disk{
		size: c.Size, limit: max(1, int(c.Cache/pageSize)), cache: map[int64]*page{}, on: true,
		rng: rand.New(rand.NewPCG(c.Seed, 0x686f6c6466617374)), run: make([]byte, 0, 256*pageSize),
	}
	flags := os.O_RDWR | os.O_CREATE
	if c.Base != "" {
		flags |= os.O_TRUNC
		base, err := os.Open(c.Base)
		if err != nil {
			return nil, fmt.Errorf("open base: %w", err)
		}
		d.medium.base = base
		d.medium.own = make([]uint64, c.Size/pageSize/64+1)
	}
	f, err := os.OpenFile(c.Path, flags, 0o644)
	if err == nil {
		d.medium.file = f
		err = f.Truncate(c.Size)
	}
	if err != nil {
		d.close()
		return nil, fmt.Errorf("open medium: %w", err)
	}
	return d, nil
}

// Size in bytes.
func (d *Disk) Size() int64 { return d.size }

// Stats returns the counters.
func (d *Disk) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Unflushed = d.unflushed()
	return s
}

func (d *Disk) unflushed() (n int64) {
	for _, p := range d.order {
		n += dirtyBytes(p.dirty)
	}
	return n
}

func (d *Disk) check(off, n int64) error {
	if !d.on {
		return ErrCut
	}
	if off < 0 || n < 0 || off > d.size-n || off%sectorSize != 0 || n%sectorSize != 0 {
		return ErrRange
	}
	return nil
}

// ReadAt reads whole sectors.
func (d *Disk) ReadAt(p []byte, off int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(off, int64(len(p))); err != nil {
		return err
	}
	d.stats.Read += int64(len(p))
	return d.read(p, off)
}

func (d *Disk) read(p []byte, off int64) error {
	head, n := off%pageSize, int64(len(p))
	if head == 0 && n%pageSize == 0 {
		if err := d.medium.readAt(p, off); err != nil {
			return err
		}
	} else {
		whole := make([]byte, (head+n+pageSize-1)/pageSize*pageSize)
		if err := d.medium.readAt(whole, off-head); err != nil {
			return err
		}
		copy(p, whole[head:])
	}
	if len(d.cache) == 0 {
		return nil
	}
	for num := off / pageSize; num*pageSize < off+n; num++ {
		c := d.cache[num]
		if c == nil {
			continue
		}
		for s := int64(0); s < pageSize; s += sectorSize {
			if at := num*pageSize + s - off; c.dirty&sectorBit(s) != 0 && at >= 0 && at < n {
				copy(p[at:at+sectorSize], c.data[s:])
			}
		}
	}
	return nil
}

// WriteAt writes whole sectors into the cache. With fua it returns when they are on the medium.
func (d *Disk) WriteAt(p []byte, off int64, fua bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := int64(len(p))
	if err := d.check(off, n); err != nil {
		return err
	}
	d.stats.Written += n
	for done := int64(0); done < n; {
		in := (off + done) % pageSize
		l := min(pageSize-in, n-done)
		if err := d.put((off+done)/pageSize, in, p[done:done+l]); err != nil {
			return err
		}
		done += l
	}
	return d.settle(off, n, fua)
}

// Zero makes whole sectors read as zeros (also the answer to TRIM, which may).
func (d *Disk) Zero(off, n int64, fua bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(off, n); err != nil {
		return err
	}
	d.stats.Zeroed += n
	var zeros [pageSize]byte
	for done := int64(0); done < n; {
		at := off + done
		if left := (n - done) / pageSize * pageSize; at%pageSize == 0 && left >= directZero {
			if err := d.medium.zero(at, left); err != nil {
				return err
			}
			for _, p := range d.within(at, left) {
				d.drop(p)
			}
			done += left
			continue
		}
		l := min(pageSize-at%pageSize, n-done)
		if err := d.put(at/pageSize, at%pageSize, zeros[:l]); err != nil {
			return err
		}
		done += l
	}
	return d.settle(off, n, fua)
}

// within are the cached pages that lie whole in a range.
func (d *Disk) within(off, n int64) (all []*page) {
	first, last := off/pageSize, (off+n)/pageSize
	if last-first < int64(len(d.order)) {
		for num := first; num < last; num++ {
			if p := d.cache[num]; p != nil {
				all = append(all, p)
			}
		}
		return all
	}
	for _, p := range d.order {
		if p.num >= first && p.num < last {
			all = append(all, p)
		}
	}
	return all
}

// put takes a part of one page into the cache.
func (d *Disk) put(num, in int64, b []byte) error {
	p := d.cache[num]
	bits := sectorBits(in, int64(len(b)))
	switch {
	case p == nil:
		p = d.add(num)
	case p.dirty&bits != 0 && d.rng.IntN(4) == 0: // the older version had got to the medium before
		d.stats.WrittenBack += dirtyBytes(p.dirty)
		if err := d.writePage(p, p.dirty); err != nil {
			return err
		}
		p.dirty = 0
	}
	copy(p.data[in:], b)
	p.dirty |= bits
	return nil
}

func (d *Disk) add(num int64) *page {
	var p *page
	if n := len(d.free); n > 0 {
		p, d.free = d.free[n-1], d.free[:n-1]
	} else {
		p = &page{}
	}
	p.num, p.at, p.dirty = num, len(d.order), 0
	d.order = append(d.order, p)
	d.cache[num] = p
	return p
}

// drop forgets a page.
func (d *Disk) drop(p *page) {
	last := d.order[len(d.order)-1]
	d.order[p.at], last.at = last, p.at
	d.order = d.order[:len(d.order)-1]
	delete(d.cache, p.num)
	if len(d.free) < 1024 {
		d.free = append(d.free, p)
	}
}

// settle ends a change: what must be on the medium goes there, and what does not fit.
func (d *Disk) settle(off, n int64, fua bool) error {
	if fua {
		d.stats.FUAs++
		for num := off / pageSize; num*pageSize < off+n; num++ {
			if p := d.cache[num]; p != nil {
				if err := d.writePage(p, p.dirty); err != nil {
					return err
				}
				d.drop(p)
			}
		}
	}
	for len(d.order) > d.limit {
		p := d.order[d.rng.IntN(len(d.order))]
		d.stats.WrittenBack += dirtyBytes(p.dirty)
		if err := d.writePage(p, p.dirty); err != nil {
			return err
		}
		d.drop(p)
	}
	return nil
}

// Flush returns when all that was written before is on the medium.
func (d *Disk) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.on {
		return ErrCut
	}
	d.stats.Flushes++
	return d.flush()
}

func (d *Disk) flush() error {
	slices.SortFunc(d.order, func(a, b *page) int { return int(a.num - b.num) })
	for i, p := range d.order {
		p.at = i
	}
	next := int64(-1) // the page that would extend the run
	for _, p := range d.order {
		if p.dirty != 0xff {
			if err := d.writePage(p, p.dirty); err != nil {
				return err
			}
			continue
		}
		if p.num != next || len(d.run) == cap(d.run) {
			if err := d.writeRun(next); err != nil {
				return err
			}
		}
		d.run = append(d.run, p.data[:]...)
		next = p.num + 1
	}
	if err := d.writeRun(next); err != nil {
		return err
	}
	for len(d.order) > 0 {
		d.drop(d.order[len(d.order)-1])
	}
	return nil
}

// writeRun writes the collected pages, the last of which comes before page end.
func (d *Disk) writeRun(end int64) error {
	run := d.run
	d.run = d.run[:0]
	if len(run) == 0 {
		return nil
	}
	return d.medium.writeAt(run, end*pageSize-int64(len(run)))
}

// writePage puts some sectors of a page on the medium.
func (d *Disk) writePage(p *page, sectors uint8) error {
	if sectors == 0xff {
		return d.medium.writeAt(p.data[:], p.num*pageSize)
	}
	var whole [pageSize]byte
	if err := d.medium.readAt(whole[:], p.num*pageSize); err != nil {
		return err
	}
	for s := int64(0); s < pageSize; s += sectorSize {
		if sectors&sectorBit(s) != 0 {
			copy(whole[s:s+sectorSize], p.data[s:])
		}
	}
	return d.medium.writeAt(whole[:], p.num*pageSize)
}

// Close flushes, if the disk has power, and lets go of the files.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.on {
		err = d.flush()
	}
	d.on = false
	return errors.Join(err, d.close())
}

func (d *Disk) close() error {
	var errs []error
	for _, f := range []*os.File{d.medium.file, d.medium.base} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

func sectorBit(in int64) uint8 { return 1 << (in / sectorSize) }

func sectorBits(in, n int64) (bits uint8) {
	for s := in; s < in+n; s += sectorSize {
		bits |= sectorBit(s)
	}
	return bits
}

func dirtyBytes(bits uint8) (n int64) {
	for ; bits != 0; bits &= bits - 1 {
		n += sectorSize
	}
	return n
}
