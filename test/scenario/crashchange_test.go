package scenario

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"holdfast/api"
)

// A volume that is in use grows; with HOLDFAST_LAB_FULL it is also snapshotted, a resource is made of the snapshot, and the snapshot goes.
// A satellite is killed at each program that it runs for these. What reads and writes goes on, nothing stays held, all of it happens in the end, and
// the replicas are equal.
func TestSatelliteKilledWhileChanging(t *testing.T) {
	moments := []string{"during"}
	if full() {
		moments = []string{"before", "during", "after"}
	}
	w := shared(t)
	w.thinPools(384)
	w.define("r0", "16M")
	w.lin("resource create r0 --auto-place 2 -s thin")
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 16)
	k := w.killer("bravo")
	w.online()
	w.upToDate("r0", 2)
	size := int64(16 << 10)
	for _, when := range moments {
		// It grows.
		size += 8 << 10
		k.at(when, "r0")
		w.async("PUT", "/v1/resource-definitions/r0/volume-definitions/0", api.VolumeDefinitionModify{SizeKib: api.NewInt(size)})
		k.until("it has grown", func() bool {
			return w.kib("alpha", dev) >= size && w.kib("bravo", dev) >= size
		})
		all := k.seen(when + " in growing:")
		w.goesOn(progress)
		w.online()
		w.upToDate("r0", 2)
		k.had(all, "lvextend") // the other node lets DRBD take the size over
		if !full() {
			continue
		}

		// A snapshot is taken.
		k.at(when, "r0")
		k.types("snapshot create r0 "+when, "snapshot delete r0 "+when)
		all = append(all, k.seen(when+" in snapshots:")...)
		for _, n := range []string{"alpha", "bravo"} {
			w.until(time.Minute, "nothing is held on "+n, func() (bool, string) {
				out, err := w.Machine(n).Sh(w.ctx, "drbdsetup status r0 --verbose")
				return err == nil && strings.Contains(out, "suspended:no"), out
			})
		}
		w.goesOn(progress)
		w.online()

		// It is restored, and goes.
		k.at(when, "copy")
		w.lin("resource-definition create copy")
		w.lin("snapshot volume-definition restore --fr r0 --fs " + when + " --tr copy")
		w.async("POST", "/v1/resource-definitions/r0/snapshot-restore-resource/"+when, api.SnapshotRestore{ToResource: "copy"})
		k.until("the copy is UpToDate", func() bool {
			list := w.resources("copy")
			return len(list) == 2 && good(list[0]) && good(list[1])
		})
		all = append(all, k.seen(when+" in restoring:")...)
		w.online()
		w.upToDate("copy", 2)
		w.equal("copy", "alpha", "bravo")
		k.at(when, "r0")
		w.async("DELETE", "/v1/resource-definitions/r0/snapshots/"+when, nil)
		k.until("the snapshot is gone", func() bool { return !strings.Contains(w.lin("-m snapshot list"), `"`+when+`"`) })
		all = append(all, k.seen(when+" in deleting:")...)
		w.online()
		w.lin("resource-definition delete copy")
		w.goesOn(progress)
		k.had(all, "lvcreate", "lvremove")
		if held := strings.Contains(strings.Join(all, " "), "suspend-io"); held != nine() { // with 8.4 a snapshot of one volume holds no I/O
			t.Errorf("I/O was held: %v", held)
		}
	}
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds("bravo", "r0", sum)
	w.lin("resource-definition delete r0")
	k.end()
	w.noThinPools()
}

// equal wants the same data of a volume that nobody uses on each of the nodes.
func (w *world) equal(name string, nodes ...string) {
	w.t.Helper()
	var sums []string
	for _, n := range nodes {
		w.on(n, "drbdadm primary "+name)
		sums = append(sums, w.sum(n, w.device(name)))
		w.on(n, "drbdadm secondary "+name)
	}
	for _, s := range sums {
		if s != sums[0] {
			w.t.Errorf("the replicas of %s on %v differ: %v", name, nodes, sums)
		}
	}
}

// async sends a command that is answered at once, whatever happens to the nodes.
func (w *world) async(method, path string, in any) {
	w.t.Helper()
	if err := w.api.Do(w.ctx, method, path, url.Values{"async": {"true"}}, in, nil); err != nil {
		w.t.Fatal(err)
	}
}
