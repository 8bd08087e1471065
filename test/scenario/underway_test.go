package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What was under way when a snapshot held I/O is answered afterwards: readers and writers, several at once, all go on. DRBD
// 8.4 by itself leaves some of them waiting for ever.
func TestUnderWay(t *testing.T) {
	w := alone(t)
	w.thinPools(128)
	w.define("r0", "32M")
	w.lin("volume-definition create r0 8M") // two volumes: their I/O is held, with 8.4 too
	w.lin("resource create r0 --auto-place 2 -s thin")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	const users = 3
	w.on("alpha", fmt.Sprintf(`rm -rf /tmp/way; mkdir /tmp/way; cd /tmp/way
for i in $(seq %d); do (while [ ! -e stop ]; do
	dd if=/dev/zero of=%s bs=4k count=32 seek=$((i*100)) oflag=direct conv=notrunc status=none || echo bad >bad
	dd if=%s of=/dev/null bs=4k count=32 skip=$((i*100)) iflag=direct status=none || echo bad >bad
	echo >>u$i; sleep .05; done) >/dev/null 2>&1 & done`, users, dev, dev))
	moved := func(what string) {
		w.on("alpha", "rm -f /tmp/way/u*")
		w.until(time.Minute, "all go on "+what, func() (bool, string) {
			out, err := w.Machine("alpha").Sh(w.ctx, "cd /tmp/way; cat bad 2>/dev/null; ls u* 2>/dev/null | wc -l")
			return err == nil && strings.TrimSpace(out) == fmt.Sprint(users), out
		})
	}
	moved("before")
	for i := range 3 {
		// It may not be taken on a slow machine; I/O goes on all the same.
		out, err := w.Linstor(w.ctx, "snapshot", "create", "r0", fmt.Sprint("s", i))
		t.Log(out, err)
		moved(fmt.Sprint("after snapshot ", i))
	}
	w.upToDate("r0", 2)
	w.on("alpha", "touch /tmp/way/stop; for i in $(seq 300); do pgrep -x dd >/dev/null || break; sleep .1; done; drbdadm secondary r0")
	for i := range 3 {
		w.lin(fmt.Sprint("snapshot delete r0 s", i))
	}
	w.lin("resource-definition delete r0")
	w.noThinPools()
}
