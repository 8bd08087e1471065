package nbd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func open(t testing.TB, c Config) *Disk {
	t.Helper()
	if c.Path == "" {
		c.Path = filepath.Join(t.TempDir(), "disk")
	}
	d, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, d *Disk, off, n int64) []byte {
	t.Helper()
	b := make([]byte, n)
	must(t, d.ReadAt(b, off))
	return b
}

// sectors makes n sectors full of v, each of them telling.
func sectors(n int, v uint64) []byte {
	b := make([]byte, n*sectorSize)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], v)
	}
	return b
}

func TestCutLosesWhatWasNotFlushed(t *testing.T) {
	d := open(t, Config{Size: 1 << 20, Seed: 1})
	must(t, d.WriteAt(sectors(64, 1), 0, false))
	must(t, d.Flush())
	must(t, d.WriteAt(sectors(64, 2), 0, false))
	must(t, d.WriteAt(sectors(64, 3), 1<<19, false))
	must(t, d.WriteAt(sectors(8, 4), 1<<19, true)) // FUA
	if got := d.Stats().Unflushed; got != 120*sectorSize {
		t.Fatalf("unflushed %d", got)
	}
	d.Off()
	if err := d.ReadAt(make([]byte, 512), 0); !errors.Is(err, ErrCut) {
		t.Fatal(err)
	}
	must(t, d.Lose(0))
	d.On()
	if !bytes.Equal(read(t, d, 0, 64*512), sectors(64, 1)) {
		t.Error("a flushed write is gone")
	}
	if !bytes.Equal(read(t, d, 1<<19, 8*512), sectors(8, 4)) {
		t.Error("a FUA write is gone")
	}
	if !bytes.Equal(read(t, d, 1<<19+8*512, 56*512), make([]byte, 56*512)) {
		t.Error("an unflushed write is still there")
	}
	s := d.Stats()
	if s.CutUnflushed != 120*sectorSize || s.CutDropped != s.CutUnflushed || s.Unflushed != 0 || s.Written != (64*3+8)*512 || s.Flushes != 1 || s.FUAs != 1 {
		t.Errorf("%+v", s)
	}
}

func TestCutKeepsAPartThatTheSeedDecides(t *testing.T) {
	after := func(seed uint64) ([]byte, Stats) {
		d := open(t, Config{Size: 4 << 20, Seed: seed})
		must(t, d.WriteAt(sectors(4096, 7), 0, false))
		d.Off()
		must(t, d.Lose(0.5))
		d.On()
		return read(t, d, 0, 2<<20), d.Stats()
	}
	a, s := after(5)
	if s.CutDropped < 512<<10 || s.CutDropped > 1536<<10 || s.CutTornPages == 0 {
		t.Errorf("%+v", s)
	}
	if b, _ := after(5); !bytes.Equal(a, b) {
		t.Error("the same seed gave another result")
	}
	if b, _ := after(6); bytes.Equal(a, b) {
		t.Error("another seed gave the same result")
	}
}

func TestOverlayLeavesTheBaseAlone(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	must(t, os.WriteFile(base, sectors(1000, 9), 0o644)) // no whole page at its end
	d := open(t, Config{Size: 1 << 20, Base: base})
	must(t, d.WriteAt(sectors(3, 5), 7*512, false))
	must(t, d.Zero(100*512, 3*512, false))
	must(t, d.Zero(512<<10-8*512, 8*512, false))
	must(t, d.Flush())
	want := append(sectors(1000, 9), make([]byte, 1<<20-1000*512)...)
	copy(want[7*512:], sectors(3, 5))
	clear(want[100*512 : 103*512])
	clear(want[512<<10-8*512 : 512<<10])
	if !bytes.Equal(read(t, d, 0, 1<<20), want) {
		t.Error("overlay and base do not make up the disk")
	}
	if b, err := os.ReadFile(base); err != nil || !bytes.Equal(b, sectors(1000, 9)) {
		t.Error("the base has changed", err)
	}
}

func TestReopenReadsWhatWasClosed(t *testing.T) {
	p := filepath.Join(t.TempDir(), "disk")
	d := open(t, Config{Path: p, Size: 1 << 20})
	must(t, d.WriteAt(sectors(9, 3), 512, false))
	must(t, d.Close())
	if !bytes.Equal(read(t, open(t, Config{Path: p, Size: 1 << 20}), 512, 9*512), sectors(9, 3)) {
		t.Error("lost at a clean end")
	}
}

func TestRangeIsChecked(t *testing.T) {
	d := open(t, Config{Size: 8192})
	for _, r := range [][2]int64{{-512, 512}, {8192, 512}, {0, 8704}, {1, 512}, {0, 100}, {1 << 62, 1 << 62}} {
		if err := d.Zero(r[0], r[1], false); !errors.Is(err, ErrRange) {
			t.Errorf("%v: %v", r, err)
		}
	}
	if _, err := Open(Config{Path: filepath.Join(t.TempDir(), "x"), Size: 100}); err == nil {
		t.Error("odd size taken")
	}
}

// TestDiskAgainstModel: a read gives the last write; after a cut each sector holds what the last flush left or one of
// the versions written since.
func TestDiskAgainstModel(t *testing.T) {
	const size, count = 512 << 10, 512 << 10 / sectorSize
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		c := Config{Path: filepath.Join(dir, "disk"), Size: size, Cache: rapid.SampledFrom([]int64{4096, 64 << 10, 1 << 20}).Draw(rt, "cache"),
			Seed: rapid.Uint64().Draw(rt, "seed")}
		os.Remove(c.Path)
		if rapid.Bool().Draw(rt, "base") {
			c.Base = filepath.Join(dir, "base")
			must(t, os.WriteFile(c.Base, make([]byte, size/2), 0o644))
		}
		d, err := Open(c)
		must(t, err)
		defer d.Close()
		may := make([][]uint64, count) // versions that a sector may hold after a cut; the last one is what it reads as
		for i := range may {
			may[i] = []uint64{0}
		}
		settled := func(from, to int) {
			for i := from; i < to; i++ {
				may[i] = may[i][len(may[i])-1:]
			}
		}
		version := uint64(0)
		rt.Repeat(map[string]func(*rapid.T){
			"change": func(rt *rapid.T) {
				at := rapid.IntRange(0, count-1).Draw(rt, "at")
				l := rapid.IntRange(1, min(count-at, rapid.SampledFrom([]int{1, 20, count}).Draw(rt, "most"))).Draw(rt, "len")
				fua := rapid.IntRange(0, 9).Draw(rt, "fua") == 0
				v := uint64(0)
				if rapid.IntRange(0, 3).Draw(rt, "zero") == 0 {
					must(t, d.Zero(int64(at)*sectorSize, int64(l)*sectorSize, fua))
				} else {
					version++
					v = version
					must(t, d.WriteAt(sectors(l, v), int64(at)*sectorSize, fua))
				}
				for i := at; i < at+l; i++ {
					may[i] = append(may[i][:len(may[i]):len(may[i])], v)
				}
				if fua {
					settled(at, at+l)
				}
			},
			"flush": func(rt *rapid.T) {
				must(t, d.Flush())
				settled(0, count)
			},
			"cut": func(rt *rapid.T) {
				d.Off()
				must(t, d.Lose(rapid.SampledFrom([]float64{0, 0.1, 0.5, 0.9, 1}).Draw(rt, "keep")))
				d.On()
				b := read(t, d, 0, size)
				for i := range may {
					v := binary.LittleEndian.Uint64(b[i*sectorSize:])
					found := false
					for _, m := range may[i] {
						found = found || m == v
					}
					if !found || !bytes.Equal(b[i*sectorSize:(i+1)*sectorSize], sectors(1, v)) {
						rt.Fatalf("sector %d holds %d after the cut, could be %v", i, v, may[i])
					}
					may[i] = []uint64{v}
				}
			},
			"": func(rt *rapid.T) {
				at := rapid.IntRange(0, count-1).Draw(rt, "at")
				l := rapid.IntRange(1, count-at).Draw(rt, "len")
				b := read(t, d, int64(at)*sectorSize, int64(l)*sectorSize)
				for i := range l {
					want := may[at+i][len(may[at+i])-1]
					if !bytes.Equal(b[i*sectorSize:(i+1)*sectorSize], sectors(1, want)) {
						rt.Fatalf("sector %d is not %d", at+i, want)
					}
				}
			},
		})
	})
}
