package machine

import (
	"net/netip"
	"testing"
	"time"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/hosttest"
)

// The model passes what the real machines pass.
func TestConformance(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		net := NewNetwork()
		now := time.Unix(1000, 0)
		net.Tick(now)
		until := func(t *testing.T, what string, cond func() bool) {
			t.Helper()
			for range 100 {
				now = now.Add(100 * time.Millisecond)
				net.Tick(now)
				if cond() {
					return
				}
			}
			t.Fatalf("never: %s", what)
		}
		module := map[drbd.Generation]string{drbd.Gen8: "8.4.11", drbd.Gen9: "9.2.18"}[gen]
		node := func(name, ip string) hosttest.Node {
			a := netip.MustParseAddr(ip)
			m := net.Add(name, Options{Address: a, Module: module, VGs: map[string]int64{"sw_ssd": 2 << 20}})
			return hosttest.Node{Host: m, Name: name, Address: a, VG: "sw_ssd", Dir: "/var/lib/conform", Until: until}
		}
		a, b := node("alpha", "10.77.0.1"), node("bravo", "10.77.0.2")
		t.Run("files", func(t *testing.T) { hosttest.Files(t, a) })
		t.Run("lvm", func(t *testing.T) { hosttest.LVM(t, a) })
		t.Run("loop", func(t *testing.T) { hosttest.Loop(t, a) })
		t.Run("alone", func(t *testing.T) { hosttest.DRBDAlone(t, a) })
		t.Run("pair", func(t *testing.T) { hosttest.DRBDPair(t, a, b) })
	})
}
