package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

// What goes wrong below Holdfast is said with its reason, harms nothing but what it is about, and is over when it is mended: a
// volume group that is full, one that vanishes and comes back. All the while a program writes to a volume beside it.
func TestTrouble(t *testing.T) {
	w := up(t, 2, func(c *cluster.Config) { c.Lab.Disks = []int64{1 << 30, 1 << 30} })
	w.nodes()
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "vgcreate -q other /dev/vdb && sync /dev/vdb")
		return err
	})
	for _, m := range w.Machines {
		w.lin("storage-pool create lvm " + m.Name + " other other")
	}
	w.create("r0", "32M", 2) // in one of the two pools, whichever
	w.upToDate("r0", 2)
	var pool string
	for _, r := range w.resources("r0") {
		if r.NodeName == "bravo" { // where the trouble is
			pool = r.Volumes[0].StoragePoolName
		}
	}
	bad := map[string]string{"swpool": "other", "other": "swpool"}[pool]
	vg := map[string]string{"swpool": cluster.VG, "other": "other"}[bad]
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", w.device("r0"), 32)

	// reason waits until the list of resources has the word below it.
	reason := func(what string, words ...string) {
		t.Helper()
		w.until(3*time.Minute, what, func() (bool, string) {
			out := w.both("resource list")
			for _, word := range words {
				if strings.Contains(strings.ToLower(out), word) {
					return true, ""
				}
			}
			return false, out
		})
		w.goesOn(progress)
	}

	// Full: if the controller doesn't know yet, the satellite learns it by trying.
	w.define("full", "64M")
	w.on("bravo", "lvcreate -q -y -Wn -l 100%FREE -n filler "+vg)
	if out, err := w.Linstor(w.ctx, "resource", "create", "bravo", "full", "-s", bad); err == nil {
		reason("it is said that the volume group is full", "free space", "free extents")
	} else if !strings.Contains(err.Error(), "free") {
		t.Errorf("%v\n%s", err, out)
	}
	w.on("bravo", "lvremove -q -y "+vg+"/filler && sync /dev/vda /dev/vdb")
	w.until(2*time.Minute, "there is room again", func() (bool, string) {
		out, err := w.Linstor(w.ctx, "resource", "create", "bravo", "full", "-s", bad)
		if err != nil && strings.Contains(err.Error(), "already") {
			err = nil
		}
		return err == nil, out
	})
	w.replicasOn("full", "bravo")
	w.lin("resource-definition delete full")

	// Vanished, and back: what is up goes on.
	w.define("r1", "32M")
	for _, n := range []string{"alpha", "bravo"} {
		w.lin("resource create --async " + n + " r1 -s " + bad)
	}
	w.upToDate("r1", 2)
	dev := w.device("r1")
	w.on("alpha", "drbdadm primary r1")
	w.on("bravo", "vgrename -q "+vg+" away")
	w.until(2*time.Minute, "the list says that the volume group is gone", func() (bool, string) {
		out := w.both("storage-pool list")
		return strings.Contains(out, "Error") && strings.Contains(out, vg), out
	})
	here := w.write("alpha", dev, 8)
	w.define("r2", "16M")
	w.lin("resource create --async bravo r2 -s " + pool) // its neighbour
	w.replicasOn("r2", "bravo")
	w.goesOn(progress)
	w.on("bravo", "vgrename -q away "+vg)
	w.until(2*time.Minute, "all pools are well", func() (bool, string) {
		out := w.both("storage-pool list")
		return !strings.Contains(out, "Error"), out
	})
	w.on("alpha", "drbdadm secondary r1")
	w.replicasOn("r1", "alpha", "bravo")
	w.on("bravo", "drbdadm primary r1")
	w.check("bravo", dev, 8, here)
	w.on("bravo", "drbdadm secondary r1")

	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.holds("bravo", "r0", sum)
}
