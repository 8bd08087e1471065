package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/lab"
)

// DRBD 9, two replicas and a tie-breaker: the volume grows and is snapshotted under a writer, also while a node with a disk is
// away, which takes the new size over when it is back. Then the tie-breaker gets a disk, and loses it again.
func TestThreeNodesGrow(t *testing.T) {
	needDRBD9(t)
	w := up(t, 3)
	w.nodes()
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "lvcreate -q -y -T -Zy -L 400M --poolmetadatasize 4M sw_ssd/thin && sync")
		return err
	})
	for _, m := range w.Machines {
		w.lin("storage-pool create lvmthin " + m.Name + " thin sw_ssd/thin")
	}
	w.define("r0", "32M")
	w.lin("resource create alpha bravo r0 -s thin")
	w.rests("charlie", "disk:Diskless client:yes", "quorum:yes")
	w.goodDisks(2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 4)

	// 1 MiB each, behind what is checked.
	w.on("alpha", fmt.Sprintf(`rm -f /tmp/stop /tmp/wrote; (while [ ! -e /tmp/stop ]; do
		dd if=/dev/urandom of=%s bs=64k count=16 seek=128 oflag=direct conv=notrunc,fsync status=none && echo ok >>/tmp/wrote || echo FAILED >>/tmp/wrote
	done) >/dev/null 2>&1 &`, dev))
	wrote := func() int { return strings.Count(w.on("alpha", "cat /tmp/wrote 2>/dev/null; true"), "ok") }
	goesOn := func(after string) {
		before := wrote()
		w.until(time.Minute, "the writer writes after "+after, func() (bool, string) { return wrote() > before, "" })
	}
	goesOn("its start")
	w.lin("volume-definition set-size r0 0 64M")
	goesOn("growing")
	w.sizes(dev, 64<<10, "alpha", "bravo", "charlie")
	w.snapshot("r0", "monday")
	goesOn("the snapshot")

	w.kill("bravo")
	goesOn("a node went")
	if out, err := w.Linstor(w.ctx, "volume-definition", "set-size", "r0", "0", "96M"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := w.kib("alpha", dev); got >= 96<<10 {
		t.Fatalf("alpha offers %d KiB while bravo is away", got)
	}
	goesOn("a growth that waits")
	w.powerOn("bravo")
	w.online()
	w.sizes(dev, 96<<10, "alpha", "bravo", "charlie")
	w.goodDisks(2)
	goesOn("the other one's return")
	w.on("alpha", "touch /tmp/stop")
	if out := w.on("alpha", "cat /tmp/wrote"); strings.Contains(out, "FAILED") {
		t.Fatalf("a write failed:\n%s", out)
	}
	w.check("alpha", dev, 4, sum)

	w.lin("resource toggle-disk charlie r0 -s thin")
	w.goodDisks(3)
	w.until(time.Minute, "most must be UpToDate for quorum", func() (bool, string) {
		out := w.on("alpha", "drbdsetup show r0")
		return strings.Contains(out, "quorum-minimum-redundancy") && strings.Contains(out, "majority"), out
	})
	sum = w.write("alpha", dev, 6)
	w.on("alpha", "drbdadm secondary r0")
	w.on("charlie", "drbdadm primary r0")
	w.check("charlie", dev, 6, sum)
	w.on("charlie", "drbdadm secondary r0")
	w.lin("resource toggle-disk --diskless charlie r0")
	w.rests("charlie", "disk:Diskless client:yes", "quorum:yes")
	if out := w.on("alpha", "drbdsetup show r0"); strings.Contains(out, "quorum-minimum-redundancy") {
		t.Errorf("two replicas are left:\n%s", out)
	}
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 6, sum)
	w.on("bravo", "drbdadm secondary r0")

	w.lin("snapshot delete r0 monday")
	w.lin("resource-definition delete r0")
	for _, m := range w.Machines {
		w.until(time.Minute, "no thin volume is left on "+m.Name, func() (bool, string) {
			out, err := m.Sh(w.ctx, "lvs --noheadings -o name sw_ssd")
			return err == nil && strings.TrimSpace(out) == "thin", out
		})
	}
}

// rests waits until the kernel of a node says all that of r0.
func (w *world) rests(node string, words ...string) {
	w.t.Helper()
	w.until(time.Minute, node+" has "+strings.Join(words, ", "), func() (bool, string) {
		out, _ := w.Machine(node).Sh(w.ctx, "drbdsetup status r0 --verbose")
		for _, x := range words {
			if !strings.Contains(out, x) {
				return false, out
			}
		}
		return true, ""
	})
}

// goodDisks waits until alpha sees so many UpToDate disks of r0, its own among them, and nothing syncs.
func (w *world) goodDisks(n int) {
	w.t.Helper()
	w.until(2*time.Minute, fmt.Sprintf("%d disks of r0 are UpToDate", n), func() (bool, string) {
		out, _ := w.Machine("alpha").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Count(out, "disk:UpToDate") == n && !strings.Contains(out, "replication:Sync"), out
	})
}

// sizes waits until the volume has that size, and less than an extent more, on all these nodes.
func (w *world) sizes(dev string, kib int64, nodes ...string) {
	w.t.Helper()
	w.until(2*time.Minute, fmt.Sprintf("the volume has %d KiB on %v", kib, nodes), func() (bool, string) {
		for _, n := range nodes {
			if got := w.kib(n, dev); got < kib || got >= kib+4096 {
				return false, fmt.Sprintf("%d KiB on %s", got, n)
			}
		}
		return true, ""
	})
}

// snapshot takes one. On a machine that is busy otherwise the 8 s for which I/O may stand still can be too short, and DRBD may
// lose a connection meanwhile: then again.
func (w *world) snapshot(resource, name string) {
	w.t.Helper()
	w.until(3*time.Minute, "the snapshot "+name+" is taken", func() (bool, string) {
		out, err := w.Linstor(w.ctx, "snapshot", "create", resource, name)
		if err == nil {
			return true, ""
		}
		if !strings.Contains(out, "I/O may stand still") && !strings.Contains(out, "UpToDate") {
			w.t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(out, "registered") {
			w.lin("snapshot delete " + resource + " " + name)
		}
		return false, out
	})
}
