package scenario

import (
	"strings"
	"testing"
	"time"
)

// A volume in a volume group without a thin pool is copied while it is written to: what was there before is in the clone on both
// nodes, and nothing is left of the snapshot. One that is deleted on the way leaves nothing either.
func TestCloneByCopy(t *testing.T) {
	if !full() {
		t.Skip("runs in full: set HOLDFAST_LAB_FULL=1")
	}
	w := alone(t)
	w.define("r0", "48M")
	w.lin("resource create r0 --auto-place 2 -s swpool")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 4)
	w.on("alpha", "rm -f /tmp/clone.*; (while [ ! -e /tmp/clone.stop ]; do dd if=/dev/urandom of="+dev+" bs=4k count=1 seek=2048 oflag=direct conv=notrunc status=none || echo bad >>/tmp/clone.writes; done; touch /tmp/clone.over) >/dev/null 2>&1 &")
	w.until(4*time.Minute, "r0 is cloned", func() (bool, string) { // its snapshot may not be taken in time on a slow machine
		out, err := w.Linstor(w.ctx, "resource-definition", "clone", "r0", "r1")
		if err == nil && strings.Contains(out, "Completed cloning r1.") {
			return true, ""
		}
		t.Log(out, err)
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
	copied := w.device("r1")
	for _, n := range []string{"bravo", "alpha"} {
		w.on(n, "drbdadm primary r1")
		w.check(n, copied, 4, sum)
		w.on(n, "drbdadm secondary r1")
	}
	w.until(time.Minute, "nothing is left but the two", func() (bool, string) {
		out := w.on("alpha", "lvs --noheadings -o lv_name") + w.on("bravo", "lvs --noheadings -o lv_name")
		return !strings.Contains(out, "clone") && !strings.Contains(out, "copy") && !strings.Contains(out, "r2"), out
	})
	w.lin("resource-definition delete r0 r1")
}
