package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A volume in thin pools is cloned while it is written to: what was there before is in the clone on both nodes, which is
// never usable before; one that is deleted on the way leaves nothing. Then snapshots come by themselves.
func TestClone(t *testing.T) {
	w := alone(t)
	w.thinPools(256)
	w.define("r0", "32M")
	sum := w.cloned("thin", 4)
	if out := w.lin("resource-definition list"); strings.Contains(out, "CLONING") || strings.Contains(out, "r2") {
		t.Errorf("resource-definition list:\n%s", out)
	}
	w.onBoth(sum, 4)
	w.until(time.Minute, "no snapshot is left", func() (bool, string) {
		out := w.lin("snapshot list")
		return !strings.Contains(out, "r0"), out
	})

	w.lin("resource-definition set-property r1 AutoSnapshot/RunEvery 1") // on a machine that is slow one may fail; another comes
	w.until(6*time.Minute, "there is a snapshot that nobody took", func() (bool, string) {
		out := w.lin("snapshot list")
		return strings.Contains(out, "autoSnap") && strings.Contains(out, "Successful"), w.lin("-m snapshot list")
	})
	w.lin("resource-definition set-property r1 AutoSnapshot/RunEvery 0")
	for _, f := range strings.Fields(w.lin("snapshot list")) {
		if strings.HasPrefix(f, "autoSnap") {
			w.lin("snapshot delete r1 " + f)
		}
	}
	w.lin("resource-definition delete r0 r1")
	w.noThinPools()
}

// cloned places r0 in that pool, and clones it to r1 while it is written to, until both replicas of r1 are UpToDate; and
// one more, r2, that is deleted on the way. sum is of the first so many MiB that were in r0 before.
func (w *world) cloned(pool string, mib int) (sum string) {
	w.t.Helper()
	w.lin("resource create r0 --auto-place 2 -s " + pool)
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum = w.write("alpha", dev, mib)

	w.on("alpha", "rm -f /tmp/clone.*; (while [ ! -e /tmp/clone.stop ]; do dd if=/dev/urandom of="+dev+" bs=4k count=1 seek="+fmt.Sprint(mib<<8)+" oflag=direct conv=notrunc status=none || echo bad >>/tmp/clone.writes; done; touch /tmp/clone.over) >/dev/null 2>&1 &")
	w.until(4*time.Minute, "r0 is cloned", func() (bool, string) { // its snapshot may not be taken in time on a slow machine
		out, err := w.Linstor(w.ctx, "resource-definition", "clone", "r0", "r1")
		if err == nil && strings.Contains(out, "Completed cloning r1.") {
			return true, ""
		}
		w.t.Log(out, err)
		return false, out + w.lin("resource-definition delete r1")
	})
	w.lin("resource-definition clone r0 r2 --no-wait")
	w.lin("resource-definition delete r2")
	w.on("alpha", "touch /tmp/clone.stop")
	w.until(time.Minute, "the writer ends", func() (bool, string) {
		out, err := w.Machine("alpha").Sh(w.ctx, "ls /tmp/clone.over")
		return err == nil, out
	})
	w.on("alpha", "! [ -e /tmp/clone.writes ]")
	w.write("alpha", dev, 8)
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r1", 2)
	return sum
}

// onBoth wants the first so many MiB of r1 as they were, on both nodes.
func (w *world) onBoth(sum string, mib int) {
	w.t.Helper()
	copied := w.device("r1")
	for _, n := range []string{"bravo", "alpha"} {
		w.on(n, "drbdadm primary r1")
		w.check(n, copied, mib, sum)
		w.on(n, "drbdadm secondary r1")
	}
}
