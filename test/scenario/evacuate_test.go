package scenario

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// needFull skips a story that takes longer than `make test` has time for.
func needFull(t *testing.T) {
	t.Helper()
	needLab(t)
	if !full() {
		t.Skip("takes long; set HOLDFAST_LAB_FULL=1 to run it (make lab-full)")
	}
}

func full() bool { return os.Getenv("HOLDFAST_LAB_FULL") == "1" }

// rate of synchronisation, MiB/s; slow enough it can be caught in the middle.
func (w *world) rate(name string, mib int) {
	w.t.Helper()
	w.lin(fmt.Sprintf("resource-definition drbd-options %s --resync-rate %dM", name, mib))
}

// syncs waits until a replica is on its way and not there yet.
func (w *world) syncs(name, node string) {
	w.t.Helper()
	w.until(time.Minute, fmt.Sprintf("%s syncs on %s", name, node), func() (bool, string) {
		out, _ := w.Machine(node).Sh(w.ctx, "drbdsetup status "+name+" --verbose")
		return strings.Contains(out, "replication:SyncTarget"), out
	})
}

// good waits until a node's own disk is UpToDate for its kernel.
func (w *world) good(name, node string) {
	w.t.Helper()
	w.until(2*time.Minute, fmt.Sprintf("%s is UpToDate on %s", name, node), func() (bool, string) {
		out, _ := w.Machine(node).Sh(w.ctx, "drbdsetup status "+name+" --verbose")
		return strings.Contains(out, " disk:UpToDate"), out
	})
}

// place makes a resource with replicas on these nodes.
func (w *world) place(name, size string, nodes ...string) (dev string) {
	w.t.Helper()
	w.define(name, size)
	for _, n := range nodes {
		w.lin("resource create --async " + n + " " + name + " --storage-pool swpool")
	}
	w.upToDate(name, len(nodes))
	return w.device(name)
}

// A node is emptied while a volume is in use on another, and loses its power in the middle of it. What has one replica alone
// gets another before that one goes. At the end nothing is left on the node, it can be deleted, and all data are there.
func TestEvacuate(t *testing.T) {
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	dev := w.place("r0", "48M", "alpha", "bravo")
	w.place("r1", "16M", "bravo")
	w.on("bravo", "drbdadm primary r1")
	one := w.write("bravo", w.device("r1"), 15)
	w.on("bravo", "drbdadm secondary r1")
	if !w.eight() { // while the third is filled both of the others must be good for anybody to write: who can't is to wait
		w.lin("resource-definition drbd-options r0 --on-no-quorum suspend-io")
	}
	w.on("alpha", "drbdadm primary r0")
	w.rate("r0", 3)
	w.rate("r1", 1)
	progress, stop := w.busy("alpha", dev, 48)

	t.Log(w.both("node evacuate bravo"))
	w.syncs("r0", "charlie")
	w.goesOn(progress)
	w.kill("bravo")
	w.goesOn(progress)
	if out := w.on("charlie", "drbdsetup status r0 --verbose"); strings.Contains(out, " disk:UpToDate") {
		t.Logf("charlie was there before bravo's power was cut:\n%s", out)
	}
	w.powerOn("bravo")
	w.online()
	w.rate("r0", 100)
	w.rate("r1", 100)
	w.good("r0", "charlie")
	w.goesOn(progress)
	t.Log(w.both("resource list"))
	w.replicasOn("r0", "alpha", "charlie") // bravo's goes while the volume is in use
	w.nothingLeft("bravo")
	w.goesOn(progress)
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds("charlie", "r0", sum)
	list := w.resources("r1")
	if len(list) != 1 || list[0].NodeName == "bravo" || !good(list[0]) {
		t.Fatalf("r1: %+v", list)
	}
	w.on(list[0].NodeName, "drbdadm primary r1")
	w.check(list[0].NodeName, w.device("r1"), 15, one)
	w.lin("storage-pool delete bravo swpool")
	w.lin("node delete bravo")
}
