package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

// FILE_THIN: sparse files behind loop devices. The first sync is skipped, since both read as zeros; a node's power is cut
// under load; a removal leaves no file and no loop device. Whether there can be snapshots is the file system's: of ext4 it's said that there can't.
func TestFileThin(t *testing.T) {
	w := shared(t)
	for _, m := range w.Machines {
		w.on(m.Name, "mkdir -p /srv/volumes && sync")
		w.lin("storage-pool create filethin " + m.Name + " files /srv/volumes")
	}
	if out := w.lin("storage-pool list -s files"); strings.Count(out, "False") != 2 { // ext4 shares no blocks between files
		t.Errorf("storage-pool list:\n%s", out)
	}
	w.define("r0", "64M")
	w.lin("resource create r0 --auto-place 2 -s files")
	w.upToDate("r0", 2)
	if out := w.on("bravo", "drbdsetup status r0 --verbose --statistics"); !strings.Contains(out, "received:0") {
		t.Errorf("the first sync wasn't skipped:\n%s", out)
	}
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 8)
	w.kill("alpha")
	w.connected("bravo", "r0", false)
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 8, sum)
	sum = w.write("bravo", dev, 4)
	w.powerOn("alpha")
	w.online()
	w.upToDate("r0", 2)
	w.on("bravo", "drbdadm secondary r0")
	w.on("alpha", "drbdadm primary r0")
	w.check("alpha", dev, 4, sum)
	w.on("alpha", "drbdadm secondary r0")
	w.refused("snapshot create r0 monday", "does not support snapshots", "shares no blocks")
	w.lin("resource-definition delete r0")
	for _, m := range w.Machines {
		w.until(time.Minute, "no file and no loop device is left on "+m.Name, func() (bool, string) {
			out, err := m.Sh(w.ctx, "ls -A /srv/volumes; losetup -l --noheadings; ls /var/lib/holdfast.d | grep '[.]res$'; true")
			return err == nil && strings.TrimSpace(out) == "", out
		})
		w.lin("storage-pool delete " + m.Name + " files")
	}
	w.on("alpha", "modprobe xfs && mkdir -p /srv/xfs && truncate -s 320M /srv/xfs.img && mkfs.xfs -q /srv/xfs.img && mount -o loop /srv/xfs.img /srv/xfs")
	w.lin("storage-pool create filethin alpha files /srv/xfs")
	if out := w.lin("storage-pool list -s files"); strings.Count(out, "True") != 1 {
		t.Errorf("storage-pool list:\n%s", out)
	}
	w.lin("storage-pool delete alpha files")
	w.on("alpha", "umount /srv/xfs && rm /srv/xfs.img")
}

// A volume's whole life on files that share blocks; the pools say that they can have snapshots.
func TestReflink(t *testing.T) {
	needFull(t)
	w := up(t, 2, func(c *cluster.Config) { c.Lab.Disks = []int64{1 << 30, 1 << 30} })
	w.nodes()
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "modprobe xfs && mkfs.xfs -q /dev/vdb && mkdir -p /srv && mount /dev/vdb /srv && mkdir /srv/FILE /srv/FILE_THIN && sync")
		return err
	})
	for _, kind := range []string{"FILE", "FILE_THIN"} {
		if t.Failed() {
			break
		}
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, w.Cluster, w.start)
			w.pools(kind, "/srv/"+kind)
			w.life(life{pool: kind, zeros: kind == "FILE_THIN"})
			w.noPools(kind, "ls -A /srv/"+kind+"; losetup -l --noheadings")
		})
	}
}
