package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

// A node lacks drbdadm, as after half an upgrade; then the disk beneath one of its volume groups doesn't answer any more, and LVM's
// programs with it, which nobody can kill. Each is said with its reason and stops what needs it, and nothing beside it: volumes in
// use go on, the other volume group gets new volumes. When it's over, what was asked for meanwhile is done.
func TestHang(t *testing.T) {
	needFull(t) // LVM has 45 s to answer
	w := up(t, 2, func(c *cluster.Config) { c.Lab.Disks = []int64{1 << 30, 1 << 30} })
	w.nodes()
	w.each(func(m *lab.Machine) error { // a disk that can be made to hang
		_, err := m.Sh(w.ctx, "dmsetup create slow --table \"0 $(blockdev --getsz /dev/vdb) linear /dev/vdb 0\" && vgcreate -q other /dev/mapper/slow && sync")
		return err
	})
	for _, m := range w.Machines {
		w.lin("storage-pool create lvm " + m.Name + " other other")
	}
	dev := w.place("r0", "32M", "alpha", "bravo")
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 32)

	// No drbdadm.
	w.on("bravo", "mv /usr/sbin/drbdadm /usr/sbin/drbdadm.away")
	w.define("r1", "16M")
	w.lin("resource create --async bravo r1 --storage-pool swpool")
	w.says("resource list", "drbdadm")
	t.Log(w.both("resource list"))
	w.goesOn(progress)
	w.on("bravo", "mv /usr/sbin/drbdadm.away /usr/sbin/drbdadm")
	w.replicasOn("r1", "bravo")
	w.goesOn(progress)

	// The disk hangs.
	w.define("r2", "16M")
	w.on("bravo", "dmsetup suspend --nolockfs --noflush slow")
	w.lin("resource create --async bravo r2 --storage-pool other")
	w.until(3*time.Minute, "it is said which program hangs", func() (bool, string) {
		out := w.both("--machine-readable node list")
		return strings.Contains(out, "hung-program"), out
	})
	t.Log(w.both("--machine-readable node list"), w.both("storage-pool list"), w.both("resource list"))
	w.says("storage-pool list", "hangs")
	w.goesOn(progress)
	w.define("r3", "16M")
	w.lin("resource create --async bravo r3 --storage-pool swpool")
	w.replicasOn("r3", "bravo")
	w.goesOn(progress)
	w.on("bravo", "dmsetup resume slow")
	w.replicasOn("r2", "bravo")
	w.until(2*time.Minute, "all pools are well", func() (bool, string) {
		out := w.both("storage-pool list")
		return !strings.Contains(out, "Error") && !strings.Contains(out, "hangs"), out
	})

	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds("bravo", "r0", sum)
	w.lin("resource-definition delete r0 r1 r2 r3")
	for _, m := range w.Machines {
		w.nothingLeft(m.Name)
	}
}
