package scenario

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

const marker = "nobody-reads-this-on-a-disk"

// plain counts the markers that a device holds as they are.
func (w *world) plain(node, dev string) string {
	w.t.Helper()
	return strings.TrimSpace(w.on(node, "grep -a -o "+marker+" "+dev+" | wc -l"))
}

// An encrypted volume under DRBD: what is written to it isn't on the disks in plain text; it grows; it comes back after a power
// cut; while the controller is locked what is in use goes on, and what isn't open says that it waits for its key, until the
// passphrase is entered. Then one without DRBD, and another key for a volume.
func TestLUKS(t *testing.T) {
	w := shared(t)
	w.lin("resource-definition create r0 --layer-list drbd,luks,storage")
	w.lin("resource-definition drbd-options r0 --ping-int 1 --connect-int 1 --c-plan-ahead 0 --c-min-rate 0 --resync-rate 100M --al-extents 67")
	w.refused("volume-definition create r0 64M", "create-passphrase")
	w.lin("encryption create-passphrase -p sesame")
	w.lin("volume-definition create r0 64M")
	w.lin("resource create r0 --auto-place 2")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	lv := "/dev/" + cluster.VG + "/r0_00000"

	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 16)
	w.on("alpha", "printf "+marker+" | dd of="+dev+" bs=1M seek=20 conv=notrunc,fsync status=none; sync")
	if got := w.plain("alpha", dev); got != "1" {
		t.Fatalf("the volume has %s markers", got)
	}
	for _, n := range []string{"alpha", "bravo"} {
		if got := w.plain(n, lv); got != "0" {
			t.Fatalf("the disk of %s has %s markers in plain text", n, got)
		}
		w.on(n, "cryptsetup isLuks "+lv)
	}
	w.lin("volume-definition set-size r0 0 96M")
	if got := w.kib("alpha", dev); got < 96<<10 || got >= 100<<10 {
		t.Fatalf("the volume has %d KiB", got)
	}
	w.check("alpha", dev, 16, sum)

	w.kill("bravo")
	w.powerOn("bravo")
	w.online()
	w.upToDate("r0", 2)

	// Locked.
	w.stop(syscall.SIGKILL)
	w.begin()
	w.online()
	if out := w.lin("encryption status"); !strings.Contains(out, "locked") || strings.Contains(out, "unlocked") {
		t.Fatalf("after a restart: %s", out)
	}
	w.refused("volume-definition create r0 32M", "enter-passphrase")
	w.kill("bravo")
	w.powerOn("bravo")
	w.online()
	w.check("alpha", dev, 16, sum)
	w.until(time.Minute, "bravo waits for its key", func() (bool, string) {
		for _, r := range w.resources("r0") {
			if r.NodeName == "bravo" && r.Holdfast != nil && strings.Contains(r.Holdfast.Waiting, "waits for its key") {
				return true, ""
			}
		}
		return false, w.lin("resource list -a")
	})
	w.refused("encryption enter-passphrase -p open", "wrong")
	w.lin("encryption enter-passphrase -p sesame")
	w.upToDate("r0", 2)
	w.lin("encryption modify-passphrase --old-passphrase sesame --new-passphrase mellon")

	// Another key.
	w.lin("volume-definition modify-passphrase r0 0 friend")
	for _, n := range []string{"alpha", "bravo"} {
		w.on(n, "printf friend | cryptsetup open --test-passphrase --key-file - "+lv)
	}
	w.check("alpha", dev, 16, sum)
	w.on("alpha", "drbdadm secondary r0")

	// Alone.
	w.lin("resource-definition create r1 --layer-list luks,storage")
	w.lin("volume-definition create r1 32M")
	w.lin("resource create alpha r1")
	w.until(time.Minute, "r1 is there", func() (bool, string) {
		for _, r := range w.resources("r1") {
			if len(r.Volumes) > 0 && strings.HasPrefix(r.Volumes[0].DevicePath, "/dev/mapper/holdfast-") {
				return true, ""
			}
		}
		return false, w.lin("volume list -r r1")
	})
	alone := w.device("r1")
	if got := w.kib("alpha", alone); got < 32<<10 {
		t.Fatalf("r1 has %d KiB", got)
	}
	one := w.write("alpha", alone, 16)
	w.kill("alpha")
	w.powerOn("alpha")
	w.online()
	w.lin("encryption enter-passphrase -p mellon")
	w.until(time.Minute, "r1 is open again", func() (bool, string) {
		out, err := w.Machine("alpha").Sh(w.ctx, "ls "+alone)
		return err == nil, out
	})
	w.check("alpha", alone, 16, one)
	w.upToDate("r0", 2)
	w.lin("resource-definition delete r0 r1")
	for _, n := range []string{"alpha", "bravo"} {
		w.nothingLeft(n)
		if out := w.on(n, "dmsetup ls --target crypt"); strings.Contains(out, "holdfast-") {
			t.Errorf("%s: %s", n, out)
		}
	}
}

// An encrypted volume's whole life in a thin pool: it grows, has snapshots, is restored to others, goes back, is cloned; all of it with nothing
// in plain text on the disks; then its blocks are given back by
// discards, which are allowed.
func TestLUKSLife(t *testing.T) {
	needFull(t)
	w := up(t, 2)
	w.nodes()
	w.thinPools(768)
	w.lin("encryption create-passphrase -p sesame")
	w.life(life{pool: "thin", layers: "drbd,luks,storage"})

	w.lin("controller set-property Luks/AllowDiscards true")
	w.defineWith("r5", "64M", "drbd,luks,storage")
	w.lin("resource create r5 --auto-place 2 -s thin")
	w.upToDate("r5", 2)
	dev := w.device("r5")
	w.on("alpha", "drbdadm primary r5")
	sum := w.write("alpha", dev, 8)
	w.on("alpha", "yes "+marker+" | dd of="+dev+" bs=1M seek=20 count=32 iflag=fullblock conv=notrunc,fsync status=none; sync")
	for _, n := range []string{"alpha", "bravo"} {
		if got := w.plain(n, "/dev/sw_ssd/r5_00000"); got != "0" {
			t.Errorf("the disk of %s has %s markers in plain text", n, got)
		}
	}
	used := func(n string) string {
		return strings.TrimSpace(w.on(n, "lvs --noheadings -o data_percent sw_ssd/r5_00000"))
	}
	before := used("alpha")
	w.on("alpha", "blkdiscard -o 20M -l 32M "+dev+"; sync")
	w.until(time.Minute, "blocks are given back", func() (bool, string) {
		now := used("alpha")
		return percent(t, now) < percent(t, before)-25, before + " then " + now
	})
	w.check("alpha", dev, 8, sum)
	w.on("alpha", "drbdadm secondary r5")
	w.lin("resource-definition delete r5")
	w.noThinPools()
}

func percent(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
