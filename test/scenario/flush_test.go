package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A flush that is under way when a snapshot holds I/O is answered afterwards. DRBD 8.4 doesn't do that, whatever one does
// (docs/snapshots.md): so with 9 alone.
func TestFlushUnderWay(t *testing.T) {
	needDRBD9(t)
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
	dd if=/dev/zero of=%s bs=4k count=20 seek=$((i*100)) oflag=dsync conv=notrunc status=none || echo bad >bad
	echo >>u$i; done; touch over$i) >/dev/null 2>&1 & done`, users, dev))
	for i := range rounds {
		out, err := w.Linstor(w.ctx, "snapshot", "create", "r0", fmt.Sprint("s", i)) // it may not be taken on a slow machine; I/O goes on all the same
		t.Log(out, err)
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
	for i := range rounds {
		w.lin(fmt.Sprint("snapshot delete r0 s", i))
	}
	w.lin("resource-definition delete r0")
	w.noThinPools()
}
