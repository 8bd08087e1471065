package scenario

import (
	"fmt"
	"strings"
	"testing"
)

// Snapshots on thin pools: one is taken while the volume is written to, which goes on within seconds; what was written before is in
// it on both nodes; a new resource is made of it, and the resource goes back to it.
func TestSnapshot(t *testing.T) {
	w := alone(t)
	w.thinPools(256)
	w.define("r0", "32M")
	w.lin("resource create r0 --auto-place 2 -s thin")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 4)

	// A writer beyond the first 4 MiB notes when each write was over.
	w.on("alpha", "rm -f /tmp/snapshot.*; (while [ ! -e /tmp/snapshot.stop ]; do dd if=/dev/zero of="+dev+" bs=4k count=1 seek=2048 oflag=direct conv=notrunc status=none || echo bad >>/tmp/snapshot.writes; date +%s%N >>/tmp/snapshot.writes; done) >/dev/null 2>&1 &")
	w.snapshot("r0", "monday")
	if out := w.lin("snapshot list"); !strings.Contains(out, "Successful") {
		t.Errorf("snapshot list:\n%s", out)
	}
	w.on("alpha", "touch /tmp/snapshot.stop; sleep 1")
	var worst int64
	if out := w.on("alpha", "awk 'NR>1 && $1-l>m {m=$1-l} {l=$1} /bad/ {print \"bad\"; exit} END {printf \"%d\", m/1000000}' /tmp/snapshot.writes"); strings.Contains(out, "bad") {
		t.Errorf("a write failed: %s", out)
	} else if _, err := fmt.Sscan(out, &worst); err != nil || worst > 10_000 {
		t.Errorf("the longest pause between two writes was %s ms: %v", out, err)
	}
	t.Logf("the longest pause between two writes: %d ms", worst)
	for _, n := range []string{"alpha", "bravo"} {
		if out := w.on(n, "drbdsetup status r0 --verbose"); !strings.Contains(out, "suspended:no") {
			t.Errorf("%s is still suspended:\n%s", n, out)
		}
	}
	w.write("alpha", dev, 8)
	w.on("alpha", "drbdadm secondary r0")

	w.lin("resource-definition create r1")
	w.lin("snapshot volume-definition restore --fr r0 --fs monday --tr r1")
	w.lin("snapshot resource restore --fr r0 --fs monday --tr r1")
	w.upToDate("r1", 2)
	w.on("bravo", "drbdadm primary r1")
	w.check("bravo", w.device("r1"), 4, sum)
	w.on("bravo", "drbdadm secondary r1")

	w.lin("snapshot rollback r0 monday")
	w.upToDate("r0", 2)
	for _, n := range []string{"bravo", "alpha"} {
		w.on(n, "drbdadm primary r0")
		w.check(n, dev, 4, sum)
		w.on(n, "drbdadm secondary r0")
	}

	w.refused("resource-definition delete r0", "snapshot")
	w.lin("snapshot delete r0 monday")
	w.lin("resource-definition delete r0 r1")
	w.noThinPools()
}
