package machine

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// pairOf is two machines with a resource on logical volumes of 64 MiB, in sync, Primary on the first.
func pairOf(t *testing.T, gen drbd.Generation) (*cluster, []*Machine) {
	t.Helper()
	c := newCluster(t, gen, 2, 0)
	c.up()
	ok(t, c.ms[0], "drbdadm -c "+conf+" primary web")
	return c, c.ms
}

func sh(m *Machine, line string) run.Result {
	r, err := m.Run(ctx, run.Cmd{Argv: strings.Fields(line)})
	if err != nil {
		r.Exit, r.Stderr = -1, []byte(err.Error())
	}
	return r
}

func ok(t *testing.T, m *Machine, line string) {
	t.Helper()
	if r := sh(m, line); r.Exit != 0 {
		t.Fatalf("%s: %s: exit %d %s", m.Name(), line, r.Exit, r.Stderr)
	}
}

func place(t *testing.T, m *Machine) int64 {
	t.Helper()
	b, err := m.ReadFile(drbd.PlaceFile(1000))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := drbd.ParsePlace(b)
	return p.SizeKiB
}

// What the lab showed with 8.4.11: a resize with one device grown moves its metadata, and grows nothing; with both it grows both.
func TestGrow84(t *testing.T) {
	c, ms := pairOf(t, drbd.Gen8)
	alpha, bravo := ms[0], ms[1]
	size := func(want int64) {
		t.Helper()
		for _, m := range ms {
			if got := m.KernelVolumeKiB("web", 0); got != want {
				t.Errorf("%s offers %d KiB, want %d", m.Name(), got, want)
			}
		}
	}
	size(65496)
	ok(t, alpha, "lvextend sw_ssd/web_00000 -L 86016k")
	ok(t, alpha, "drbdadm -c "+conf+" resize web")
	size(65496)
	if got := place(t, alpha); got != 84<<10 {
		t.Errorf("noted at %d KiB", got)
	}
	ok(t, bravo, "lvextend sw_ssd/web_00000 -L 86016k")
	ok(t, bravo, "drbdsetup resize 1000")
	size(85976)
	c.tick(5 * time.Second)
	// Not without a Primary.
	for _, m := range ms {
		ok(t, m, "lvextend sw_ssd/web_00000 -L 106496k")
	}
	ok(t, alpha, "drbdadm -c "+conf+" secondary web")
	if r := sh(alpha, "drbdsetup resize 1000"); r.Exit != 10 || !strings.Contains(string(r.Stderr), "(131) Need one Primary node to resize.") {
		t.Errorf("%+v", r)
	}
	// A handshake moves the metadata, the next one grows.
	for _, want := range []int64{85976, 106456} {
		ok(t, alpha, "drbdadm -c "+conf+" disconnect web")
		ok(t, alpha, "drbdadm -c "+conf+" connect web")
		c.tick(5 * time.Second)
		size(want)
	}
}

// 9.2.18: a resize with one device grown changes nothing, and drbdadm notes a place where nothing is.
func TestGrow9(t *testing.T) {
	c, ms := pairOf(t, drbd.Gen9)
	ok(t, ms[0], "lvextend sw_ssd/web_00000 -L 86016k")
	ok(t, ms[0], "drbdadm -c "+conf+" resize web")
	if got := ms[0].KernelVolumeKiB("web", 0); got != 65484 {
		t.Errorf("%d KiB", got)
	}
	if got := place(t, ms[0]); got != 84<<10 {
		t.Errorf("noted at %d KiB", got)
	}
	ok(t, ms[1], "lvextend sw_ssd/web_00000 -L 86016k")
	ok(t, ms[1], "drbdsetup resize 1000")
	for _, m := range ms {
		if got := m.KernelVolumeKiB("web", 0); got != 85960 {
			t.Errorf("%s: %d KiB", m.Name(), got)
		}
	}
	if got := place(t, ms[1]); got != 64<<10 {
		t.Errorf("drbdsetup noted %d KiB", got)
	}
	c.tick(5 * time.Second)
}

// A device that grew while nothing took it over: after a power cut the note leads to the metadata, and an old one astray.
func TestPlaceAfterPowerCut(t *testing.T) {
	for _, c := range []struct {
		note int64 // KiB; 0: none
		exit int
	}{{64 << 10, 0}, {0, 1}, {60 << 10, 1}} {
		_, ms := pairOf(t, drbd.Gen8)
		bravo := ms[1]
		ok(t, bravo, "lvextend sw_ssd/web_00000 -L 86016k")
		if c.note == 0 {
			if err := bravo.Remove(drbd.PlaceFile(1000)); err != nil {
				t.Fatal(err)
			}
		} else if err := bravo.WriteFile(drbd.PlaceFile(1000), drbd.Place{SizeKiB: c.note, Device: "/dev/loop7"}.Text(), 0o600); err != nil {
			t.Fatal(err)
		}
		bravo.PowerCut()
		bravo.PowerOn()
		ok(t, bravo, "lvchange sw_ssd/web_00000 -ay")
		r := sh(bravo, "drbdadm -c "+conf+" adjust web")
		if r.Exit != c.exit || c.exit != 0 && !strings.Contains(string(r.Stderr), "No valid meta data found") {
			t.Errorf("note of %d KiB: %+v", c.note, r)
		}
		if c.exit == 0 && place(t, bravo) != 84<<10 {
			t.Errorf("noted at %d KiB after the attach", place(t, bravo))
		}
	}
}

// A size that two agree on when the third comes back goes to all three (9).
func TestGrow9AtHandshake(t *testing.T) {
	c := newCluster(t, drbd.Gen9, 3, 0)
	c.up()
	back := c.ms[0]
	ok(t, back, "drbdadm -c "+conf+" down web")
	for _, m := range c.ms {
		ok(t, m, "lvextend sw_ssd/web_00000 -L 86016k")
	}
	for _, m := range c.ms[1:] {
		ok(t, m, "drbdadm -c "+conf+" resize web")
		if got := m.KernelVolumeKiB("web", 0); got > 65536 {
			t.Fatalf("%s grew to %d KiB without %s", m.Name(), got, back.Name())
		}
	}
	ok(t, back, "drbdadm -c "+conf+" up web")
	c.tick(5 * time.Second)
	want := back.KernelVolumeKiB("web", 0)
	for _, m := range c.ms {
		if got := m.KernelVolumeKiB("web", 0); got != want || got < 80<<10 {
			t.Errorf("%s offers %d KiB, %s %d", m.Name(), got, back.Name(), want)
		}
	}
}

// With 9 a resize asks all peers: one that has just lost its power is away, whether that was noticed or not.
func TestGrow9FindsOutWhoIsGone(t *testing.T) {
	c := newCluster(t, drbd.Gen9, 3, 1)
	c.up()
	ms := c.ms
	for _, m := range ms[:2] {
		ok(t, m, "lvextend sw_ssd/web_00000 -L 86016k")
	}
	before := ms[0].KernelVolumeKiB("web", 0)
	ms[1].PowerCut()
	ok(t, ms[0], "drbdsetup resize 1000")
	if got := ms[0].KernelVolumeKiB("web", 0); got != before {
		t.Errorf("it grew from %d to %d KiB", before, got)
	}
}

// With 9 a node speaks for those that it is connected to: one that has grown refuses it as too small, rather than shrink.
func TestTooSmallByAThird(t *testing.T) {
	c := newCluster(t, drbd.Gen9, 3, 0)
	c.up()
	small, between, grown := c.ms[0], c.ms[1], c.ms[2]
	c.net.Cut(small.Name(), grown.Name())
	c.net.Cut(between.Name(), grown.Name())
	c.tick(5 * time.Second)
	for _, m := range []*Machine{between, grown} {
		ok(t, m, "lvextend sw_ssd/web_00000 -L 86016k")
	}
	ok(t, grown, "drbdsetup resize 1000 --assume-peer-has-space")
	want := grown.KernelVolumeKiB("web", 0)
	if want < 80<<10 {
		t.Fatalf("%d KiB", want)
	}
	c.net.Heal(between.Name(), grown.Name())
	c.tick(5 * time.Second)
	if got := grown.KernelVolumeKiB("web", 0); got != want {
		t.Errorf("it shrank from %d to %d KiB", want, got)
	}
}
