package hosttest

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"holdfast/internal/tool/run"
)

// TestThisMachine runs the one-node part on the machine it is started on, as
// root: built with `go test -c` and copied into a lab machine, for example.
// HOLDFAST_HOSTTEST names it: node name, address, volume group.
func TestThisMachine(t *testing.T) {
	f := strings.Split(os.Getenv("HOLDFAST_HOSTTEST"), ",")
	if len(f) != 3 {
		t.Skip("HOLDFAST_HOSTTEST=NAME,ADDRESS,VG isn't set: real disks are touched only on request (the model machine runs the same suite)")
	}
	n := Node{Host: run.OS{}, Name: f[0], Address: netip.MustParseAddr(f[1]), VG: f[2], Dir: "/var/lib/holdfast-hosttest", Until: poll}
	t.Run("files", func(t *testing.T) { Files(t, n) })
	t.Run("lvm", func(t *testing.T) { LVM(t, n) })
	t.Run("loop", func(t *testing.T) { Loop(t, n) })
	t.Run("alone", func(t *testing.T) { DRBDAlone(t, n) })
}

// poll waits up to 30 s of real time.
func poll(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}
