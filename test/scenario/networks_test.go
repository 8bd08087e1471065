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
		w.lin("resource-connection path create alpha bravo r0 main default default")
		w.lin("resource-connection path create alpha bravo r0 spare fast fast")
		over("two paths", fast["alpha"], fast["bravo"], "10.77.0.1", "10.77.0.2")
		used := "10.77.0."
		if strings.Contains(w.on("alpha", "ss -Htn state established"), fast["alpha"]) {
			used = "10.78.0."
		}
		w.each(func(m *lab.Machine) error {
			_, err := m.Sh(w.ctx, "nft add table ip cut && nft 'add chain ip cut in { type filter hook input priority 0; }' && nft add rule ip cut in ip saddr "+used+"0/24 tcp dport 7000-7999 drop && nft add rule ip cut in ip saddr "+used+"0/24 tcp sport 7000-7999 drop")
			return err
		})
		w.until(2*time.Minute, "it goes on over the other path", func() (bool, string) {
			out := w.on("alpha", "drbdsetup status r0 --verbose")
			return strings.Contains(out, "connection:Connected") && strings.Contains(out, "peer-disk:UpToDate"), out
		})
		w.goesOn(progress)
		w.each(func(m *lab.Machine) error { _, err := m.Sh(w.ctx, "nft delete table ip cut"); return err })
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
