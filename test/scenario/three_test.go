package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

// DRBD 9 on three nodes: quorum decides who may write when the network breaks; a replica goes and comes back with the
// node-id that its peers have forgotten meanwhile; a diskless client writes and survives a node's power cut.
func TestThreeNodes(t *testing.T) {
	needDRBD9(t)
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	w.create("r0", "32M", 3)
	w.upToDate("r0", 3)
	dev := w.device("r0")
	if out := w.on("alpha", "drbdsetup show r0"); !strings.Contains(out, "majority") {
		t.Errorf("three replicas have no quorum:\n%s", out)
	}
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 4)

	// alpha is alone: it may not write, the majority may.
	if err := w.Isolate("alpha"); err != nil {
		t.Fatal(err)
	}
	w.until(20*time.Second, "alpha has no quorum", func() (bool, string) {
		out, _ := w.Machine("alpha").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Contains(out, "quorum:no"), out
	})
	if out, err := w.Machine("alpha").Sh(w.ctx, "dd if=/dev/zero of="+dev+" bs=1M count=1 oflag=direct conv=fsync"); err == nil {
		t.Errorf("alpha writes without quorum: %s", out)
	}
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 4, sum)
	sum = w.write("bravo", dev, 4)
	w.on("alpha", "drbdadm secondary r0")
	if err := w.HealAll(); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.upToDate("r0", 3)
	w.on("bravo", "drbdadm secondary r0")
	w.on("alpha", "drbdadm primary r0")
	w.check("alpha", dev, 4, sum)

	// charlie's replica goes; once its peers have forgotten its node-id, that may be used again.
	id := w.nodeID("r0", "charlie")
	w.lin("resource delete charlie r0")
	w.nothingLeft("charlie")
	w.until(time.Minute, "nobody remembers charlie's node-id", func() (bool, string) {
		out := w.on("alpha", cluster.Binary+" store export | tr -d ' \\n'")
		return !strings.Contains(out, `"retired":[{`), out
	})
	for _, n := range []string{"alpha", "bravo"} {
		if out := w.on(n, "drbdsetup status r0 --verbose"); strings.Contains(out, "charlie") || strings.Count(out, "connection:Connected") != 1 {
			t.Errorf("%s after charlie's replica went:\n%s", n, out)
		}
	}
	sum = w.write("alpha", dev, 6)
	w.lin("resource create charlie r0")
	w.upToDate("r0", 3)
	if again := w.nodeID("r0", "charlie"); again != id {
		t.Errorf("charlie's node-id is %d, it was %d", again, id)
	}
	w.on("alpha", "drbdadm secondary r0")
	w.on("charlie", "drbdadm primary r0")
	w.check("charlie", dev, 6, sum)
	w.on("charlie", "drbdadm secondary r0")

	// A client without a disk.
	w.lin("resource delete charlie r0")
	w.nothingLeft("charlie")
	w.lin("resource create --diskless charlie r0")
	w.until(30*time.Second, "charlie is a client", func() (bool, string) {
		out, _ := w.Machine("charlie").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Contains(out, "disk:Diskless client:yes") && strings.Count(out, "peer-disk:UpToDate") == 2, out
	})
	if out := w.lin("resource list"); !strings.Contains(out, "Diskless") {
		t.Errorf("resource list:\n%s", out)
	}
	w.on("charlie", "drbdadm primary r0")
	w.check("charlie", dev, 6, sum)
	sum = w.write("charlie", dev, 4)
	w.kill("bravo")
	w.until(20*time.Second, "charlie misses bravo", func() (bool, string) {
		out, _ := w.Machine("charlie").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Count(out, "connection:Connected") == 1, out
	})
	w.check("charlie", dev, 4, sum)
	sum = w.write("charlie", dev, 5)
	w.powerOn("bravo")
	w.online()
	w.until(time.Minute, "bravo has caught up", func() (bool, string) {
		out, _ := w.Machine("bravo").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Contains(out, " disk:UpToDate") && strings.Count(out, "connection:Connected") == 2, out
	})
	w.on("charlie", "drbdadm secondary r0")
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 5, sum)
	w.on("bravo", "drbdadm secondary r0")
	w.lin("resource-definition delete r0")
	for _, m := range w.Machines {
		w.nothingLeft(m.Name)
	}
}

// nodeID of a replica, as the node's kernel has it.
func (w *world) nodeID(name, node string) (id int) {
	w.t.Helper()
	out := w.on(node, "drbdsetup status "+name+" --verbose")
	if _, err := fmt.Sscanf(out, name+" node-id:%d", &id); err != nil {
		w.t.Fatalf("no node-id in %q: %v", out, err)
	}
	return id
}
