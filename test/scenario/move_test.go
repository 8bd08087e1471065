package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// busy lets a program write to all of a volume, in a random order, until it is told to stop. It must be Primary on the node.
func (w *world) busy(node, dev string, mib int) (progress func() int, stop func() (sum string)) {
	w.t.Helper()
	w.on(node, fmt.Sprintf(`rm -f /tmp/busy.*; (while [ ! -e /tmp/busy.stop ]; do
		dd if=/dev/urandom of=%s bs=64k count=8 seek=$((RANDOM %% %d)) oflag=direct conv=notrunc,fsync status=none && echo ok >>/tmp/busy.wrote || echo FAILED >>/tmp/busy.wrote
	done; touch /tmp/busy.over) >/dev/null 2>&1 &`, dev, mib*16-8))
	progress = func() int { return strings.Count(w.on(node, "cat /tmp/busy.wrote 2>/dev/null; true"), "ok") }
	stop = func() string {
		w.t.Helper()
		w.on(node, "touch /tmp/busy.stop")
		w.until(time.Minute, "the writer ends", func() (bool, string) {
			out, err := w.Machine(node).Sh(w.ctx, "ls /tmp/busy.over")
			return err == nil, out
		})
		if out := w.on(node, "cat /tmp/busy.wrote"); strings.Contains(out, "FAILED") {
			w.t.Errorf("a write failed:\n%s", out)
		}
		return w.sum(node, dev)
	}
	w.goesOn(progress)
	return progress, stop
}

// both is what a command line prints, with what it says about it on stderr: the reasons below a table.
func (w *world) both(line string) string {
	w.t.Helper()
	out, err := w.Command(w.ctx, strings.Fields(line)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("linstor %s: %v\n%s", line, err, out)
	}
	return string(out)
}

// goesOn waits for another write.
func (w *world) goesOn(progress func() int) {
	w.t.Helper()
	before := progress()
	w.until(time.Minute, "the writer goes on", func() (bool, string) { return progress() > before, "" })
}

// sum of all that is in a volume.
func (w *world) sum(node, dev string) string {
	w.t.Helper()
	return w.on(node, "dd if="+dev+" bs=1M iflag=direct status=none | sha256sum | cut -d' ' -f1")
}

// holds wants all of a volume as it was.
func (w *world) holds(node, name, want string) {
	w.t.Helper()
	w.on(node, "drbdadm primary "+name)
	if got := w.sum(node, w.device(name)); got != want {
		w.t.Fatalf("the data of %s on %s changed", name, node)
	}
	w.on(node, "drbdadm secondary "+name)
}

// replicasOn waits until exactly these nodes have a replica with a good disk.
func (w *world) replicasOn(name string, nodes ...string) {
	w.t.Helper()
	w.until(2*time.Minute, fmt.Sprintf("%s is on %v", name, nodes), func() (bool, string) {
		have, inUse := map[string]string{}, ""
		for _, r := range w.resources(name) {
			have[r.NodeName] = "?"
			if r.State != nil && r.State.InUse != nil && *r.State.InUse {
				inUse = ", in use on " + r.NodeName
			}
			if len(r.Volumes) > 0 && r.Volumes[0].State != nil {
				have[r.NodeName] = r.Volumes[0].State.DiskState
			}
		}
		for _, n := range nodes {
			if have[n] != "UpToDate" {
				return false, fmt.Sprint(have, inUse)
			}
		}
		return len(have) == len(nodes), fmt.Sprint(have, inUse)
	})
}

// safeToStop asks whether a node may be stopped; the answer has these words.
func (w *world) safeToStop(node string, want bool, words ...string) {
	w.t.Helper()
	w.until(30*time.Second, fmt.Sprintf("stopping %s is safe: %v", node, want), func() (bool, string) {
		out, err := w.Linstor(w.ctx, "node", "safe-to-stop", node)
		ok := (err == nil) == want
		for _, word := range words {
			ok = ok && strings.Contains(out, word)
		}
		return ok, out
	})
}

// Data move between three nodes, on DRBD 8.4 or 9, while a program writes to them: what 8.4 hasn't is refused with the reason,
// a replica moves, a node is stopped as safe-to-stop permits, and isn't where it has the only good copy.
func TestMove(t *testing.T) {
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	old := w.on("alpha", "cat /proc/drbd 2>/dev/null | head -1")
	eight := strings.Contains(old, "version: 8.4")
	w.define("r0", "32M")
	for _, n := range []string{"alpha", "bravo"} {
		w.lin("resource create --async " + n + " r0 --storage-pool swpool")
	}
	w.replicasOn("r0", "alpha", "bravo")
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 32)

	if eight {
		w.refused("resource toggle-disk bravo r0 --diskless", "8.4")
		w.refused("resource create --diskless charlie r0", "8.4")
		w.refused("resource create charlie r0", "8.4")
	} else {
		w.lin("resource toggle-disk bravo r0 --diskless")
		w.until(time.Minute, "bravo is a client", func() (bool, string) {
			out, _ := w.Machine("bravo").Sh(w.ctx, "drbdsetup status r0 --verbose; lvs --noheadings -o name sw_ssd")
			return strings.Contains(out, "client:yes") && !strings.Contains(out, "r0_00000"), out
		})
		w.refused("resource toggle-disk alpha r0 --diskless", "UpToDate")
		w.lin("resource toggle-disk bravo r0 --storage-pool swpool")
		w.replicasOn("r0", "alpha", "bravo")
	}
	w.goesOn(progress)

	w.lin("resource toggle-disk charlie r0 --migrate-from bravo --storage-pool swpool")
	w.until(2*time.Minute, "charlie is UpToDate", func() (bool, string) {
		out, _ := w.Machine("charlie").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Contains(out, " disk:UpToDate"), out
	})
	w.goesOn(progress)
	w.replicasOn("r0", "alpha", "charlie") // bravo's goes while the volume is in use, with 8.4 without meeting alpha's again
	w.nothingLeft("bravo")
	w.goesOn(progress)
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds("charlie", "r0", sum)

	// What safe-to-stop says is what happens.
	w.safeToStop("alpha", true, "Yes")
	w.kill("alpha") // with the controller on it
	w.connected("charlie", "r0", false)
	w.on("charlie", "drbdadm primary r0")
	if got := w.sum("charlie", dev); got != sum {
		t.Fatal("the data on charlie changed")
	}
	_, stop = w.busy("charlie", dev, 32)
	stop()
	w.powerOn("alpha")
	w.online()
	w.upToDate("r0", 2)
	w.safeToStop("charlie", false, "No", "r0") // it is in use there
	if err := w.Cut("alpha", "charlie"); err != nil {
		t.Fatal(err)
	}
	w.connected("charlie", "r0", false)
	_, stop = w.busy("charlie", dev, 32)
	sum = stop()
	w.on("charlie", "drbdadm secondary r0")
	w.safeToStop("charlie", false, "No", "r0") // it has the only good copy
	if err := w.Heal("alpha", "charlie"); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.upToDate("r0", 2)
	w.safeToStop("charlie", true, "Yes")
	w.holds("alpha", "r0", sum)
}
