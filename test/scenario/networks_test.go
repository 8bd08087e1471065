package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/lab"
)

// A volume that is in use replicates over another network, then over the first again; with DRBD 9 over several paths, of which one fails.
func TestNetworks(t *testing.T) {
	needFull(t)
	w := shared(t)
	w.create("r0", "32M", 2)
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", w.device("r0"), 32)
	fast := map[string]string{}
	w.each(func(m *lab.Machine) error {
		fast[m.Name] = fmt.Sprintf("10.78.0.%d", len(fast)+1)
		_, err := m.Sh(w.ctx, "ip addr add "+fast[m.Name]+"/24 dev data0")
		return err
	})
	over := func(what string, words ...string) {
		t.Helper()
		w.until(time.Minute, "r0 replicates over "+what, func() (bool, string) {
			for n := range fast {
				out, err := w.Machine(n).Sh(w.ctx, "drbdsetup show r0; drbdsetup status r0 --verbose")
				if err != nil || !strings.Contains(out, "peer-disk:UpToDate") || !strings.Contains(out, "connection:Connected") {
					return false, n + ": " + out
				}
				for _, word := range words {
					if not, no := strings.CutPrefix(word, "!"); strings.Contains(out, not) == no {
						return false, n + ": " + out
					}
				}
			}
			return true, ""
		})
		w.goesOn(progress)
	}
	for n, addr := range fast {
		w.lin("node interface create " + n + " fast " + addr)
	}
	for n := range fast {
		w.lin("storage-pool set-property " + n + " swpool PrefNic fast")
	}
	over("the fast network", fast["alpha"], fast["bravo"], "!10.77.0.")
	w.lin("resource-connection set-property alpha bravo r0 DrbdOptions/Net/ping-timeout 37")
	over("it with an option of its own", "ping-timeout", "37")
	for n := range fast {
		w.lin("storage-pool set-property " + n + " swpool PrefNic")
	}
	over("the first network", "!10.78.0.", "10.77.0.1", "10.77.0.2")
	if !w.eight() {
		w.lin("resource-connection path create alpha bravo r0 spare fast fast")
		over("the one path", fast["alpha"], fast["bravo"], "!10.77.0.")
		w.lin("resource-connection path create alpha bravo r0 main default default")
		over("two paths", fast["alpha"], fast["bravo"], "10.77.0.1", "10.77.0.2")
		other := map[string]string{"alpha": "bravo", "bravo": "alpha"}
		for n := range fast { // no packet gets through; an address that is gone from its machine would keep DRBD from the other path, too
			w.on(n, "ip route add unreachable "+fast[other[n]]+"/32")
		}
		over("the path that is left", "10.77.0.1", "10.77.0.2")
		w.until(time.Minute, "it isn't the one that failed", func() (bool, string) {
			out := w.on("alpha", "drbdsetup status r0 --verbose; drbdsetup events2 --now r0 | grep path")
			return strings.Contains(out, "connection:Connected") && strings.Contains(out, "local:ipv4:10.77.0.1:7000 peer:ipv4:10.77.0.2:7000 established:yes"), out
		})
		w.goesOn(progress)
		for n := range fast {
			w.on(n, "ip route del unreachable "+fast[other[n]]+"/32")
		}
		w.lin("resource-connection path delete alpha bravo r0 spare")
		w.lin("resource-connection path delete alpha bravo r0 main")
		over("the first network again", "!10.78.0.")
	}
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds("bravo", "r0", sum)
	for n, addr := range fast {
		w.lin("node interface delete " + n + " fast")
		w.on(n, "ip addr del "+addr+"/24 dev data0")
	}
}
