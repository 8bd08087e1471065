package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/client"
	"holdfast/lab/cluster"
)

// compare lets the replicas be compared, and wants this to be what differs.
func (w *world) compare(name, differs string) {
	w.t.Helper()
	w.until(time.Minute, "a verify begins", func() (bool, string) { // one that the last mend's sync breaks off goes on by itself
		out, err := w.Linstor(w.ctx, "resource", "verify", name)
		return err == nil, out + fmt.Sprint(err)
	})
	w.until(2*time.Minute, "the verify has found "+differs, func() (bool, string) {
		out := w.both("resource list-verifies " + name)
		if strings.Contains(out, "FAILED") {
			w.t.Fatal(out)
		}
		return strings.Contains(out, "DONE") && strings.Contains(out, differs), out
	})
}

// outOfSync waits for the condition.
func (w *world) outOfSync(name string) (found api.Condition) {
	w.t.Helper()
	w.until(time.Minute, "diagnose says that the replicas differ", func() (bool, string) {
		list, err := w.api.Conditions(w.ctx, client.Filter{Resources: []string{name}})
		if i := slices.IndexFunc(list, func(c api.Condition) bool { return c.Kind == "out-of-sync" }); i >= 0 {
			found = list[i]
			return true, ""
		}
		return false, fmt.Sprint(list, err)
	})
	w.t.Log(w.lin("resource diagnose " + name))
	return found
}

// mend types the commands of one way out, and waits until nothing is wrong.
func (w *world) mend(name string, m api.Mend) {
	w.t.Helper()
	for _, c := range m.Commands {
		w.on(c.NodeName, c.Command)
	}
	w.until(2*time.Minute, "nothing is wrong", func() (bool, string) {
		out := w.lin("resource diagnose " + name)
		return out == "Nothing is wrong.\n", out
	})
}

// rot changes a replica's disk beneath DRBD, from that block of 4 KiB on.
func (w *world) rot(node, name string, block, blocks int) {
	w.t.Helper()
	w.on(node, fmt.Sprintf("dd if=/dev/urandom of=/dev/%s/%s_00000 bs=4k seek=%d count=%d oflag=direct conv=notrunc,fsync status=none", cluster.VG, name, block, blocks))
}

// A disk rots without an error. A verify finds the blocks, and no others; the commands that are offered mend them from the
// side that was chosen: where nobody uses the volume, and where a program writes to it all the while.
func TestVerify(t *testing.T) {
	w := shared(t)
	w.create("r0", "32M", 2)
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 16)
	w.on("alpha", "drbdadm secondary r0")
	w.compare("r0", "nothing")

	w.rot("bravo", "r0", 1000, 2)
	w.compare("r0", "8 KiB")
	found := w.outOfSync("r0")
	i := slices.IndexFunc(found.Mends, func(m api.Mend) bool { return strings.Contains(m.Loses, "bravo") })
	if len(found.Mends) != 2 || i < 0 || found.Mends[i].LosesNothing {
		t.Fatalf("%+v", found)
	}
	w.mend("r0", found.Mends[i])
	w.upToDate("r0", 2)
	w.compare("r0", "nothing")
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 16, sum)
	w.on("bravo", "drbdadm secondary r0")

	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 16)
	w.rot("bravo", "r0", 6000, 3) // beyond what is written to
	w.compare("r0", "12 KiB")
	w.goesOn(progress)
	found = w.outOfSync("r0")
	if len(found.Mends) != 1 || found.Mends[0].LosesNothing || !strings.Contains(found.Mends[0].Loses, "bravo") {
		t.Fatalf("%+v", found)
	}
	w.mend("r0", found.Mends[0])
	w.goesOn(progress)
	w.upToDate("r0", 2)
	w.compare("r0", "nothing")
	sum = stop()
	w.on("alpha", "drbdadm secondary r0")
	w.holds("bravo", "r0", sum)
}
