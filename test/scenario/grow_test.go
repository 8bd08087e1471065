package scenario

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

// kib is the size of a block device in KiB. (8.4 lets nobody open a Secondary.)
func (w *world) kib(node, dev string) int64 {
	w.t.Helper()
	line := "echo $(($(blockdev --getsize64 " + dev + ") / 512))"
	if minor, ok := strings.CutPrefix(dev, "/dev/drbd"); ok {
		line = "cat /sys/block/drbd" + minor + "/size"
	}
	n, err := strconv.ParseInt(strings.TrimSpace(w.on(node, line)), 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return n / 2 // sectors
}

func (w *world) backingKiB(node, name string) int64 {
	w.t.Helper()
	return w.kib(node, "/dev/"+cluster.VG+"/"+name+"_00000")
}

// A volume grows while a program writes to its Primary; what was written is there on both nodes. Then a node's power is cut
// when its logical volume has grown and DRBD hasn't taken that over: its metadata are found and moved, never made anew. A
// volume that isn't in use grows too, and a smaller size is refused.
func TestGrow(t *testing.T) {
	w := shared(t)
	w.create("r0", "64M", 2)
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.refused("volume-definition set-size r0 0 32M", "can only grow, not shrink")
	w.refused("volume-definition set-size r0 0 100G", "too small")

	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 16)
	// 4 MiB each, behind what is checked, until told to stop; a line for each that was written.
	w.on("alpha", fmt.Sprintf(`rm -f /tmp/stop /tmp/wrote; (while [ ! -e /tmp/stop ]; do
		dd if=/dev/urandom of=%s bs=64k count=64 seek=256 oflag=direct conv=notrunc,fsync status=none && echo ok >>/tmp/wrote || echo FAILED >>/tmp/wrote
	done) >/dev/null 2>&1 &`, dev))
	wrote := func() int { return strings.Count(w.on("alpha", "cat /tmp/wrote 2>/dev/null; true"), "ok") }
	w.until(10*time.Second, "the writer writes", func() (bool, string) { return wrote() > 0, "" })
	before := wrote()
	w.lin("volume-definition set-size r0 0 96M")
	if got := w.kib("alpha", dev); got < 96<<10 || got >= 100<<10 {
		t.Fatalf("the volume has %d KiB", got)
	}
	w.until(10*time.Second, "the writer goes on", func() (bool, string) { return wrote() > before, "" })
	w.on("alpha", "touch /tmp/stop")
	if out := w.on("alpha", "cat /tmp/wrote"); strings.Contains(out, "FAILED") {
		t.Fatalf("a write failed:\n%s", out)
	}
	w.check("alpha", dev, 16, sum)
	w.upToDate("r0", 2)

	w.cutGrowing("r0", "128M")
	w.check("alpha", dev, 16, sum)
	w.growsOn("r0", 128<<10)

	// Not in use.
	w.lin("volume-definition set-size r0 0 160M")
	if out := w.on("bravo", "drbdsetup status r0"); strings.Contains(out, "Primary") {
		t.Fatalf("somebody is Primary still:\n%s", out)
	}
	w.upToDate("r0", 2)
	w.on("bravo", "drbdadm primary r0")
	if got := w.kib("bravo", dev); got < 160<<10 || got >= 164<<10 {
		t.Fatalf("the volume has %d KiB on bravo", got)
	}
	w.check("bravo", dev, 16, sum)
	w.on("bravo", "drbdadm secondary r0")
	if out := w.lin("volume list -r r0"); strings.Contains(out, "Resizing") {
		t.Errorf("it grows still:\n%s", out)
	}
}

// A volume grows onto extents at whose end a removed one left its metadata. After a power cut, before DRBD took the size over,
// its own are found, not those.
func TestGrowOntoLeftovers(t *testing.T) {
	w := shared(t)
	w.create("old", "128M", 2)
	w.upToDate("old", 2)
	w.lin("resource-definition delete old")
	w.create("r0", "64M", 2)
	w.upToDate("r0", 2)
	// The magic number of a superblock, 132 MiB behind the beginning.
	magic := `set -- $(lvs --noheadings --nosuffix --units b -o devices,vg_extent_size ` + cluster.VG + `/r0_00000 | tr '()' '  ')
		pe=$(pvs --noheadings --nosuffix --units b -o pe_start $1 | tr -d ' ')
		dd if=$1 bs=4 iflag=skip_bytes count=1 skip=$((pe + $2 * $3 + 132 * 1048576 - 4096 + 60)) status=none | od -An -tx1`
	if got := strings.TrimSpace(w.on("bravo", magic)); !strings.HasPrefix(got, "83 74 02") {
		t.Fatalf("the removed volume left nothing at that place: %q", got)
	}
	w.on("alpha", "drbdadm primary r0")
	dev := w.device("r0")
	sum := w.write("alpha", dev, 16)
	w.cutGrowing("r0", "128M")
	w.growsOn("r0", 128<<10)
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 16, sum)
	w.on("bravo", "drbdadm secondary r0")
}

// cutGrowing: alpha's satellite is away, bravo's logical volume grows, and nobody takes the size over. Then bravo's power is
// cut, and alpha's satellite is there again.
func (w *world) cutGrowing(name, size string) {
	w.t.Helper()
	dev := w.device(name)
	before := w.kib("bravo", dev)
	if err := w.Signal(w.ctx, "satellite", "alpha", syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	old := w.backingKiB("bravo", name)
	ctx, cancel := context.WithCancel(w.ctx)
	answered := make(chan string, 1)
	go func() {
		out, err := w.Linstor(ctx, "volume-definition", "set-size", name, "0", size)
		answered <- fmt.Sprint(out, err)
	}()
	w.until(20*time.Second, "bravo's logical volume has grown", func() (bool, string) {
		n := w.backingKiB("bravo", name)
		return n > old, fmt.Sprint(n)
	})
	if got := w.kib("bravo", dev); got != before {
		w.t.Fatalf("bravo offers %d KiB, and alpha's logical volume hasn't grown", got)
	}
	w.on("bravo", "dd if=/dev/null of=/dev/vda conv=notrunc,fsync 2>/dev/null") // what LVM wrote; the satellite was about to
	w.kill("bravo")
	cancel()
	<-answered
	if err := w.StartSatellite(w.ctx, "alpha"); err != nil {
		w.t.Fatal(err)
	}
}

// growsOn: bravo's power is back, the volume grows to so many KiB on both, and isn't in use any more.
func (w *world) growsOn(name string, kib int64) {
	w.t.Helper()
	dev := w.device(name)
	w.powerOn("bravo")
	w.online()
	w.upToDate(name, 2)
	w.until(time.Minute, "it has grown", func() (bool, string) {
		a, b := w.kib("alpha", dev), w.kib("bravo", dev)
		return a >= kib && a == b, fmt.Sprintf("%d KiB on alpha, %d on bravo", a, b)
	})
	w.upToDate(name, 2)
	w.on("alpha", "drbdadm secondary "+name)
}
