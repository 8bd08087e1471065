package drbd

import (
	"net/netip"
	"testing"
)

// No two resources of a node have the same stand-in, because 8.4 wouldn't connect the second; and all are the machine's own.
func TestNoPeerIsOnesOwn(t *testing.T) {
	seen := map[netip.AddrPort]int{}
	for port := 1; port < 1<<16; port++ {
		a := NoPeer(port)
		if other, ok := seen[a]; ok || !a.Addr().IsLoopback() || a.Port() != 1 {
			t.Fatalf("port %d: %s, as port %d", port, a, other)
		}
		seen[a] = port
	}
}
