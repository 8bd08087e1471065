package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

// zpools is a cluster of n machines with a zpool on the second disk of each, and in it a dataset for each kind of pool. The module is compiled the first time.
func zpools(t *testing.T, n int) *world {
	t.Helper()
	needFull(t)
	w := up(t, n, func(c *cluster.Config) { c.Lab.ZFS, c.Lab.Disks = true, []int64{1 << 30, 1 << 30} })
	w.nodes()
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "zpool create -f -O mountpoint=none tank /dev/vdb && zfs create tank/ZFS && zfs create tank/ZFS_THIN && sync")
		return err
	})
	return w
}

const zvols = "zfs list -H -r -t volume,snapshot -o name tank"

// A volume's whole life on ZFS_THIN.
func TestZFSThin(t *testing.T) {
	w := zpools(t, 2)
	w.pools("ZFS_THIN", "tank/ZFS_THIN")
	w.life(life{pool: "ZFS_THIN", zeros: true, onlyNewest: true})
	w.noPools("ZFS_THIN", zvols)
}

// A volume's whole life on ZFS, which reserves the space.
func TestZFS(t *testing.T) {
	w := zpools(t, 2)
	w.pools("ZFS", "tank/ZFS")
	w.life(life{pool: "ZFS", zeros: true, onlyNewest: true})
	w.noPools("ZFS", zvols)
}

// The power of bravo is cut, and it boots without its zpool: nothing is made anew, and with the zpool all comes back.
func TestZpoolImportedLate(t *testing.T) {
	w := zpools(t, 2)
	w.pools("ZFS_THIN", "tank/ZFS_THIN")
	w.define("r0", "32M")
	w.lin("resource create r0 --auto-place 2 -s ZFS_THIN")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	w.write("alpha", dev, 4)
	w.kill("bravo")
	w.connected("alpha", "r0", false)
	sum := w.write("alpha", dev, 5)
	w.powerOn("bravo")
	w.online()
	w.until(time.Minute, "the list says that the zpool is missing", func() (bool, string) {
		out := w.lin("storage-pool list -s ZFS_THIN")
		return strings.Contains(out, "Error"), out
	})
	w.on("bravo", "zpool import -N tank && udevadm settle")
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm secondary r0")
	w.has("r0", 5, sum)
	w.lin("resource-definition delete r0")
	w.noPools("ZFS_THIN", zvols)
}

// A replica moves from a volume group to a zpool while its volume is in use, and the other one after it; then both go back.
// LVM rounds sizes up to its extents, ZFS doesn't.
func TestZFSMoves(t *testing.T) {
	w := zpools(t, 3)
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	for _, m := range w.Machines {
		w.lin("storage-pool create zfsthin " + m.Name + " zpool tank/ZFS_THIN")
	}
	dev := w.place("r0", "33M", "alpha", "bravo")
	w.on("alpha", "drbdadm primary r0")
	size := w.kib("alpha", dev)
	move := func(user, from, to, pool string) {
		t.Helper()
		progress, stop := w.busy(user, dev, 33)
		w.lin("resource toggle-disk " + to + " r0 --migrate-from " + from + " --storage-pool " + pool)
		w.good("r0", to)
		w.goesOn(progress)
		sum := stop()
		w.on(user, "drbdadm secondary r0")
		w.replicasOn("r0", user, to)
		w.upToDate("r0", 2)
		w.holds(to, "r0", sum)
		w.on(to, "drbdadm primary r0")
		if got := w.kib(to, dev); got < 33<<10 || got != size {
			t.Errorf("the volume has %d KiB on %s, had %d", got, to, size)
		}
	}
	move("alpha", "bravo", "charlie", "zpool")
	move("charlie", "alpha", "bravo", "zpool")
	if out := w.lin("volume list -r r0"); strings.Contains(out, "swpool") || strings.Count(out, "| zpool ") != 2 {
		t.Errorf("it should be in zpools only:\n%s", out)
	}
	move("bravo", "charlie", "alpha", "swpool")
	move("alpha", "bravo", "charlie", "swpool")
	w.on("charlie", "drbdadm secondary r0")
	w.until(time.Minute, "r0 is deleted", func() (bool, string) { // the nodes may not have told yet that it isn't in use
		out, err := w.Linstor(w.ctx, "resource-definition", "delete", "r0")
		return err == nil, out
	})
	for _, m := range w.Machines {
		w.nothingLeft(m.Name)
		w.until(time.Minute, "no volume is left in the zpool on "+m.Name, func() (bool, string) {
			out, err := m.Sh(w.ctx, zvols)
			return err == nil && strings.TrimSpace(out) == "", out
		})
		w.lin("storage-pool delete " + m.Name + " zpool")
	}
}
