package scenario

import (
	"fmt"
	"strings"
	"time"
)

// pools registers a pool of that kind, called like it, on each machine.
func (w *world) pools(kind, place string) {
	w.t.Helper()
	for _, m := range w.Machines {
		w.lin("storage-pool create " + strings.ToLower(strings.ReplaceAll(kind, "_", "")) + " " + m.Name + " " + kind + " " + place)
	}
	if out := w.lin("storage-pool list -s " + kind); strings.Count(out, "Ok") != 2 || strings.Count(out, place) != 2 || strings.Count(out, "True") != 2 {
		w.t.Errorf("storage-pool list:\n%s", out)
	}
}

// noPools takes them away, when the command prints nothing any more.
func (w *world) noPools(kind, left string) {
	w.t.Helper()
	for _, m := range w.Machines {
		w.until(time.Minute, "nothing is left on "+m.Name, func() (bool, string) {
			out, err := m.Sh(w.ctx, left+"; ls /var/lib/holdfast.d | grep '[.]res$'; true")
			return err == nil && strings.TrimSpace(out) == "", out
		})
		w.lin("storage-pool delete " + m.Name + " " + kind)
	}
}

// life is what differs between pools.
type life struct {
	pool       string
	zeros      bool   // the first sync is skipped
	onlyNewest bool   // a volume goes back to its newest snapshot only
	layers     string // of its resources; "": as they come
}

// life is a volume's: it is written to, grows, has snapshots, is restored to another, goes back, is cloned, all but the rollback
// with a writer; it is deleted before what was made of it.
func (w *world) life(l life) {
	w.t.Helper()
	w.lin("controller drbd-options --c-plan-ahead 0 --c-min-rate 0 --resync-rate 100M") // for what is made of snapshots, too
	w.defineWith("r0", "32M", l.layers)
	w.lin("resource create r0 --auto-place 2 -s " + l.pool)
	w.upToDate("r0", 2)
	if out := w.on("bravo", "drbdsetup status r0 --verbose --statistics"); l.zeros && !strings.Contains(out, "received:0") {
		w.t.Errorf("the first sync wasn't skipped:\n%s", out)
	}
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	first := w.write("alpha", dev, 4)
	goesOn, stop := w.beyond("alpha", dev)
	w.lin("volume-definition set-size r0 0 64M")
	if got := w.kib("alpha", dev); got < 64<<10 || got >= 68<<10 {
		w.t.Errorf("the volume has %d KiB", got)
	}
	goesOn()
	w.upToDate("r0", 2)
	w.takes("r0", "monday")
	goesOn()
	for _, n := range []string{"alpha", "bravo"} {
		if out := w.on(n, "drbdsetup status r0 --verbose"); !strings.Contains(out, "suspended:no") {
			w.t.Errorf("%s is still suspended:\n%s", n, out)
		}
	}
	stop()
	w.check("alpha", dev, 4, first)
	w.upToDate("r0", 2)
	second := w.write("alpha", dev, 6)
	w.takes("r0", "tuesday")
	w.on("alpha", "drbdadm secondary r0")

	w.restore("r0", "monday", "r1", l.layers)
	w.has("r1", 4, first)
	w.restore("r0", "tuesday", "r2", l.layers)
	w.has("r2", 6, second)
	if l.onlyNewest {
		w.refused("snapshot rollback r0 monday", "tuesday")
	}
	w.lin("snapshot delete r0 tuesday") // of which r2 was made
	if l.onlyNewest {                   // ZFS keeps it for r2, and it is out of the way once that is gone
		w.refused("snapshot rollback r0 monday", "removed and kept for")
		w.upToDate("r0", 2)
		w.lin("resource-definition delete r2")
	}
	w.lin("snapshot rollback r0 monday")
	w.upToDate("r0", 2)
	w.has("r0", 4, first)

	w.on("alpha", "drbdadm primary r0")
	_, stop = w.beyond("alpha", dev)
	w.until(4*time.Minute, "r0 is cloned", func() (bool, string) { // its snapshot may not be taken in time on a slow machine
		out, err := w.Linstor(w.ctx, "resource-definition", "clone", "r0", "r3")
		if err == nil && strings.Contains(out, "Completed cloning r3.") {
			return true, ""
		}
		w.t.Log(out, err)
		return false, out + w.lin("resource-definition delete r3")
	})
	stop()
	w.write("alpha", dev, 8)
	w.on("alpha", "drbdadm secondary r0")
	w.has("r3", 4, first)

	w.lin("snapshot delete r0 monday")
	w.until(time.Minute, "r0 is deleted", func() (bool, string) { // the nodes may not have told yet that it isn't in use
		out, err := w.Linstor(w.ctx, "resource-definition", "delete", "r0")
		return err == nil, out
	})
	w.has("r1", 4, first)
	w.has("r3", 4, first)
	if !l.onlyNewest {
		w.has("r2", 6, second)
		w.lin("resource-definition delete r2")
	}
	w.lin("resource-definition delete r1 r3")
}

// takes takes a snapshot; on a machine that is busy otherwise it may fail, for whatever takes too long, and is taken again.
func (w *world) takes(name, snap string) {
	w.t.Helper()
	w.until(5*time.Minute, "the snapshot "+snap+" is taken", func() (bool, string) {
		out, err := w.Linstor(w.ctx, "snapshot", "create", name, snap)
		if err == nil {
			return true, ""
		}
		if strings.Contains(out, "registered") {
			w.lin("snapshot delete " + name + " " + snap)
		}
		return false, out + err.Error()
	})
}

// restore makes a resource of a snapshot.
func (w *world) restore(from, snap, to, layers string) {
	w.t.Helper()
	w.lin("resource-definition create " + to + layerList(layers))
	w.lin("snapshot volume-definition restore --fr " + from + " --fs " + snap + " --tr " + to)
	w.lin("snapshot resource restore --fr " + from + " --fs " + snap + " --tr " + to)
}

// has wants the data at the start of a resource's volume, on both machines.
func (w *world) has(name string, mib int, sum string) {
	w.t.Helper()
	w.upToDate(name, 2)
	dev := w.device(name)
	for _, n := range []string{"bravo", "alpha"} {
		w.on(n, "drbdadm primary "+name)
		w.check(n, dev, mib, sum)
		w.on(n, "drbdadm secondary "+name)
	}
}

// beyond writes to a volume's MiB 16 to 24, until it is stopped. It never flushes: DRBD 8.4 doesn't answer a flush that was under
// way when a snapshot held I/O (docs/snapshots.md).
func (w *world) beyond(node, dev string) (goesOn, stop func()) {
	w.t.Helper()
	w.on(node, fmt.Sprintf(`rm -f /tmp/beyond.*; (while [ ! -e /tmp/beyond.stop ]; do
		dd if=/dev/urandom of=%s bs=64k count=4 seek=$((256 + RANDOM %% 124)) oflag=direct conv=notrunc status=none && echo ok >>/tmp/beyond.wrote || echo FAILED >>/tmp/beyond.wrote; sleep .3
	done; touch /tmp/beyond.over) >/dev/null 2>&1 &`, dev))
	progress := func() int { return strings.Count(w.on(node, "cat /tmp/beyond.wrote 2>/dev/null; true"), "ok") }
	goesOn = func() { w.t.Helper(); w.goesOn(progress) }
	goesOn()
	return goesOn, func() {
		w.t.Helper()
		w.on(node, "touch /tmp/beyond.stop")
		w.until(time.Minute, "the writer ends", func() (bool, string) {
			out, err := w.Machine(node).Sh(w.ctx, "ls /tmp/beyond.over")
			return err == nil, out
		})
		if out := w.on(node, "cat /tmp/beyond.wrote"); strings.Contains(out, "FAILED") {
			w.t.Errorf("a write failed:\n%s", out)
		}
	}
}
