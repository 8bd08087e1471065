package scenario

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// A limit by property holds where the kernel has cgroup v1's blkio hierarchy, also for what comes from the peer; where it hasn't,
// the resource says so and works.
func TestThrottle(t *testing.T) {
	if needLab(t); !full() {
		t.Skip("runs in full: set HOLDFAST_LAB_FULL=1")
	}
	w := shared(t)
	w.on("alpha", "mkdir -p /tmp/cg && mount -t tmpfs cgroup /sys/fs/cgroup && mkdir -p /sys/fs/cgroup/blkio && mount -t cgroup -o blkio blkio /sys/fs/cgroup/blkio")
	t.Cleanup(func() { w.on("alpha", "umount /sys/fs/cgroup/blkio; umount /sys/fs/cgroup") })
	w.create("slow", "32M", 2)
	w.upToDate("slow", 2)
	w.lin("resource-definition set-property slow sys/fs/blkio_throttle_write 1048576")
	w.until(time.Minute, "bravo says that it can't", func() (bool, string) {
		out := w.lin("resource diagnose slow")
		return strings.Contains(out, "cgroup v2") && strings.Contains(out, "bravo") && !strings.Contains(out, "alpha isn't"), out
	})
	if out := w.on("alpha", "cat /sys/fs/cgroup/blkio/blkio.throttle.write_bps_device"); !strings.Contains(out, " 1048576") {
		t.Fatalf("alpha's limit: %q", out)
	}
	dev := w.device("slow")
	for _, n := range []string{"alpha", "bravo"} { // from bravo it waits for alpha's disk
		took := w.on(n, "drbdadm primary slow; s=$(date +%s%N); dd if=/dev/zero of="+dev+" bs=1M count=4 oflag=direct conv=fsync status=none; e=$(date +%s%N); drbdadm secondary slow; echo $(( (e-s)/1000000 ))")
		if ms, err := strconv.Atoi(strings.TrimSpace(took)); err != nil || ms < 2500 {
			t.Errorf("4 MiB at 1 MiB/s, written on %s, took %s ms", n, took)
		}
	}
	w.lin("resource-definition set-property slow sys/fs/blkio_throttle_write")
	w.until(time.Minute, "the limit is gone", func() (bool, string) {
		out := w.on("alpha", "cat /sys/fs/cgroup/blkio/blkio.throttle.write_bps_device")
		return strings.TrimSpace(out) == "", out
	})
}
