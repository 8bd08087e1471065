package lab_test

import (
	"testing"
	"time"

	"holdfast/lab/labtest"
)

func TestBoot(t *testing.T) {
	start := time.Now()
	l := labtest.Up(t, labtest.Config{})
	t.Logf("up in %v on %s", time.Since(start), l.Network())
	for _, m := range l.Machines {
		out, err := m.Sh(t.Context(), "hostname; ip -br addr; cat /proc/drbd; lsblk; date; mount | head -3; losetup -l; lvs")
		t.Log(out, err)
	}
	out, err := l.Machines[0].Sh(t.Context(), "busybox ping -c 2 -W 2 bravo")
	t.Log(out, err)
}
