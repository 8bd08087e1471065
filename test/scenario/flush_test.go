package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A flush that is under way when a snapshot is taken is answered. DRBD 8.4 never answers one that meets held I/O, whatever one does
// (docs/snapshots.md), so there no I/O is held for a resource of one volume; and what goes back to such a snapshot is filled from one copy.
func TestFlushUnderWay(t *testing.T) {
	w := alone(t)
	w.thinPools(128)
	w.define("r0", "32M")
	w.lin("resource create r0 --auto-place 2 -s thin")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	const users, rounds = 3, 4
	w.on("alpha", fmt.Sprintf(`rm -rf /tmp/way; mkdir /tmp/way; cd /tmp/way
for i in $(seq %d); do (while [ ! -e stop ]; do
	dd if=/dev/urandom of=%s bs=4k count=20 seek=$((i*100)) oflag=dsync conv=notrunc status=none || echo bad >bad
	echo >>u$i; done; touch over$i) >/dev/null 2>&1 & done`, users, dev))
	last := ""
	for i := range rounds {
		name := fmt.Sprint("s", i)
		out, err := w.Linstor(w.ctx, "snapshot", "create", "r0", name) // it may not be taken on a slow machine; I/O goes on all the same
		t.Log(out, err)
		if err == nil {
			last = name
		}
		w.on("alpha", "rm -f /tmp/way/u*")
		w.until(time.Minute, fmt.Sprint("all go on after snapshot ", i), func() (bool, string) {
			out, err := w.Machine("alpha").Sh(w.ctx, "cd /tmp/way; cat bad 2>/dev/null; ls u* 2>/dev/null | wc -l")
			return err == nil && strings.TrimSpace(out) == fmt.Sprint(users), out
		})
	}
	w.on("alpha", "touch /tmp/way/stop")
	w.until(time.Minute, "the writers end", func() (bool, string) {
		out, err := w.Machine("alpha").Sh(w.ctx, "ls /tmp/way/over* | wc -l")
		return err == nil && strings.TrimSpace(out) == fmt.Sprint(users), out
	})
	w.on("alpha", "drbdadm secondary r0")
	if last == "" {
		t.Fatal("not one snapshot was taken")
	}
	w.lin("snapshot rollback r0 " + last)
	w.upToDate("r0", 2)
	sums := map[string]bool{}
	for _, n := range []string{"alpha", "bravo"} {
		sums[w.on(n, "drbdadm primary r0; dd if="+dev+" bs=1M iflag=direct status=none | sha256sum; drbdadm secondary r0")] = true
	}
	if len(sums) != 1 {
		t.Errorf("alpha and bravo went back to different data: %v", sums)
	}
	for i := range rounds {
		w.lin(fmt.Sprint("snapshot delete r0 s", i))
	}
	w.lin("resource-definition delete r0")
	w.noThinPools()
}
