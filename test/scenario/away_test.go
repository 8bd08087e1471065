package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

// says waits until what the command line prints has the words.
func (w *world) says(line string, words ...string) {
	w.t.Helper()
	w.until(2*time.Minute, line+" says "+strings.Join(words, ", "), func() (bool, string) {
		out := w.both(line)
		for _, word := range words {
			if !strings.Contains(out, word) {
				return false, out
			}
		}
		return true, ""
	})
}

// staysAway looks for a while that a node isn't evicted. Nothing tells that nothing happens, so it takes its time: more than two of the
// controller's rounds (10 s).
func (w *world) staysAway(node, why string) {
	w.t.Helper()
	begin := time.Now()
	for time.Since(begin) < 25*time.Second {
		if out := w.both("node list"); strings.Contains(out, "EVICTED") {
			w.t.Fatalf("%s is evicted, though %s:\n%s", node, why, out)
		}
		if err := cluster.Pause(w.ctx, time.Second); err != nil {
			w.t.Fatal(err)
		}
	}
	w.took(begin, "%s isn't evicted: %s", node, why)
}

// keptButDown wants nothing of a resource in a node's kernel, and its volume there still.
func (w *world) keptButDown(node, name string) {
	w.t.Helper()
	w.until(time.Minute, name+" is down on "+node, func() (bool, string) { // until the controller is heard it comes up as it was
		out, err := w.Machine(node).Sh(w.ctx, "drbdsetup status 2>/dev/null | grep -v '^#'; true")
		return err == nil && !strings.Contains(out, name+" "), out
	})
	if out := w.on(node, "lvs --noheadings -o name "+cluster.VG); !strings.Contains(out, name+"_00000") {
		w.t.Errorf("the volume of %s on %s is gone:\n%s", name, node, out)
	}
}

// A node that is away is evicted by itself: not while its DRBD is heard, nor while too many are away. What it had is made anew
// elsewhere while its volume is in use. When it is back its replica stays down, until the node is restored.
func TestEvict(t *testing.T) {
	needFull(t)
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	for _, n := range []string{"alpha", "charlie"} {                              // nobody hears their DRBD: a slow moment would evict them
		w.lin("node set-property " + n + " DrbdOptions/AutoEvictAllowEviction false")
	}
	dev := w.place("r0", "32M", "alpha", "bravo")
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 32)

	w.kill("charlie") // nothing is on it; it only counts
	w.says("node list", "OFFLINE")
	w.lin("controller set-property DrbdOptions/AutoEvictAfterTime 0")
	if err := w.Signal(w.ctx, "satellite", "bravo", 9); err != nil {
		t.Fatal(err)
	}
	w.until(time.Minute, "two are away", func() (bool, string) {
		out := w.both("node list")
		return strings.Count(out, "| OFFLINE") == 2, out
	})
	w.kill("bravo")
	w.connected("alpha", "r0", false)
	w.staysAway("bravo", "two of three are away")
	w.goesOn(progress)
	w.lin("controller set-property DrbdOptions/AutoEvictAfterTime 720")
	w.powerOn("bravo")
	w.powerOn("charlie")
	w.online()
	w.upToDate("r0", 2)
	if err := w.Signal(w.ctx, "satellite", "bravo", 9); err != nil {
		t.Fatal(err)
	}
	w.says("node list", "OFFLINE")
	w.lin("controller set-property DrbdOptions/AutoEvictAfterTime 0")
	w.staysAway("bravo", "its DRBD is heard")
	w.goesOn(progress)

	w.kill("bravo")
	w.says("node list", "EVICTED")
	w.good("r0", "charlie")
	w.goesOn(progress)
	stop()
	w.on("alpha", "drbdadm secondary r0")
	w.powerOn("bravo")
	w.until(time.Minute, "bravo's satellite is back", func() (bool, string) {
		out := w.both("--machine-readable node list")
		return !strings.Contains(out, "OFFLINE"), out
	})
	w.keptButDown("bravo", "r0")
	w.on("alpha", "drbdadm primary r0")
	_, stop = w.busy("alpha", dev, 32)
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.keptButDown("bravo", "r0")
	if out := w.lin("controller list-properties"); !strings.Contains(out, "AutoEvictAfterTime") {
		t.Error(out)
	}
	t.Log(w.both("node restore bravo"))
	w.online()
	if w.eight() { // its place is taken
		w.replicasOn("r0", "alpha", "charlie")
		w.nothingLeft("bravo")
	} else {
		w.upToDate("r0", 3)
		w.holds("bravo", "r0", sum)
	}
	w.holds("charlie", "r0", sum)
}

// eight tells whether the machines have DRBD 8.4.
func (w *world) eight() bool {
	w.t.Helper()
	return strings.Contains(w.on("alpha", "head -1 /proc/drbd 2>/dev/null; true"), "version: 8.4")
}

// A machine is dead and given up: what it alone had only with its name typed. What it shared is made anew elsewhere while it is
// in use. Then the machine comes back all the same: nobody takes what it has, nothing of it is destroyed, and when it
// is registered again, what lies on it is named and left alone.
func TestLost(t *testing.T) {
	needFull(t)
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	dev := w.place("r0", "32M", "alpha", "charlie")
	w.place("only", "16M", "charlie")
	w.on("charlie", "drbdadm primary only")
	only := w.write("charlie", w.device("only"), 15)
	w.on("charlie", "drbdadm secondary only")
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 32)
	w.refused("node lost charlie", "connected")
	w.kill("charlie")
	w.says("node list", "OFFLINE")
	w.refused("node lost charlie", "only")
	t.Log(w.both("node lost charlie --lose only"))
	if out := w.both("node list"); strings.Contains(out, "charlie") {
		t.Error(out)
	}
	w.goesOn(progress)
	w.lin("resource create bravo r0 --storage-pool swpool")
	w.replicasOn("r0", "alpha", "bravo")
	w.goesOn(progress)

	// It comes back.
	w.powerOn("charlie")
	old := "for v in r0 only; do dd if=/dev/" + cluster.VG + "/${v}_00000 bs=1M count=15 iflag=direct status=none | sha256sum; done"
	w.until(time.Minute, "charlie's volumes are active", func() (bool, string) {
		out, err := w.Machine("charlie").Sh(w.ctx, "ls /dev/"+cluster.VG+"/r0_00000 /dev/"+cluster.VG+"/only_00000")
		return err == nil, out
	})
	before := w.on("charlie", old)
	if !strings.Contains(before, only) {
		t.Errorf("the lost machine's own data changed: %s", before)
	}
	w.goesOn(progress)
	w.upToDate("r0", 2)
	if out := w.on("alpha", "drbdsetup status r0 --verbose"); strings.Contains(out, "charlie") || strings.Count(out, "connection:Connected") != 1 {
		t.Errorf("alpha's replica took up with the lost one:\n%s", out)
	}
	w.lin("node create --node-type Satellite charlie " + w.Machine("charlie").Address)
	w.online()
	w.lin("storage-pool create lvm charlie swpool " + cluster.VG)
	w.until(time.Minute, "what lies on charlie is named", func() (bool, string) {
		out := w.both("--machine-readable node list")
		return strings.Contains(out, "r0_00000") && strings.Contains(out, "only_00000"), out
	})
	t.Log(w.both("node list"), w.on("charlie", "drbdsetup status --verbose; ls -la /var/lib/holdfast.d"))
	w.goesOn(progress)
	w.upToDate("r0", 2)

	// Its name is used again: the new one says what is in its way.
	w.lin("resource create --async charlie only --storage-pool swpool")
	w.says("resource list", "incarnation")
	w.goesOn(progress)
	if after := w.on("charlie", old); after != before {
		t.Errorf("what lies on charlie changed:\n%s\nit was\n%s", after, before)
	}
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds("bravo", "r0", sum)

	// Removed by hand it makes room.
	w.on("charlie", "for r in r0 only; do drbdsetup down $r; lvremove -q -y "+cluster.VG+"/${r}_00000; rm -f /var/lib/holdfast.d/$r.res; done; sync")
	w.replicasOn("only", "charlie")
	w.lin("resource-definition delete r0 only")
	for _, m := range w.Machines {
		w.nothingLeft(m.Name)
	}
}
