package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/api"
)

// Replicas move while their volume is in use, and a satellite is killed at each program that it runs for that: on the node that
// gets the replica, then on the node that is emptied. With DRBD 9 also where a disk is taken and given. In between the power of the node
// that is being synced is cut. All of it happens in the end, what writes goes on, and the data are there.
func TestSatelliteKilledWhileMoving(t *testing.T) {
	needFull(t)
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	dev := w.place("r0", "32M", "alpha", "bravo")
	for _, when := range []string{"before", "during", "after"} {
		if t.Failed() {
			break
		}
		t.Run(when, func(t *testing.T) {
			w := newWorld(t, w.Cluster, w.start)
			w.on("alpha", "drbdadm primary r0")
			progress, stop := w.busy("alpha", dev, 32)

			k := w.killer("charlie")
			w.online()
			k.at(when, "r0")
			w.async("PUT", "/v1/resource-definitions/r0/resources/charlie/migrate-disk/bravo/swpool", nil)
			k.until("charlie is UpToDate", func() bool { return w.disk("r0", "charlie") == "UpToDate" })
			all := k.seen(when + " on the node that gets it:")
			k.end()
			w.goesOn(progress)
			w.replicasOn("r0", "alpha", "charlie")
			w.goesOn(progress)
			sum := stop()
			w.on("alpha", "drbdadm secondary r0")
			w.nothingLeft("bravo")
			w.upToDate("r0", 2)
			w.holds("charlie", "r0", sum)

			w.on("alpha", "drbdadm primary r0")
			progress, stop = w.busy("alpha", dev, 32)
			k = w.killer("charlie")
			w.online()
			w.rate("r0", 4)
			k.at(when, "r0")
			w.async("PUT", "/v1/nodes/charlie/evacuate", api.NodeEvacuate{})
			k.until("bravo has been told", func() bool { return len(w.resources("r0")) > 2 })
			k.until("bravo is being synced", func() bool { // with 8.4 charlie steps aside first
				out, _ := w.Machine("bravo").Sh(w.ctx, "drbdsetup status r0 --verbose")
				return strings.Contains(out, "replication:SyncTarget")
			})
			w.kill("bravo")
			w.goesOn(progress)
			w.powerOn("bravo")
			w.rate("r0", 100)
			k.until("bravo is UpToDate", func() bool { return w.disk("r0", "bravo") == "UpToDate" })
			w.goesOn(progress)
			// Bravo was given all of it twice, which may have pushed charlie's data out of the two older generations that 8.4 remembers. So
			// charlie goes without meeting alpha again, and while alpha is in use.
			k.until("it is gone from charlie", func() bool { return len(w.resources("r0")) == 2 })
			w.goesOn(progress)
			sum = stop()
			w.on("alpha", "drbdadm secondary r0")
			all = append(all, k.seen(when+" on the node that is emptied:")...)
			k.end()
			w.replicasOn("r0", "alpha", "bravo")
			w.nothingLeft("charlie")
			w.upToDate("r0", 2)
			w.holds("bravo", "r0", sum)
			w.lin("node restore charlie")
			k.had(all, "lvcreate", "lvremove", "create-md", "adjust", "down")
			if w.eight() {
				return
			}

			w.on("alpha", "drbdadm primary r0")
			progress, stop = w.busy("alpha", dev, 32)
			k = w.killer("bravo")
			w.online()
			w.upToDate("r0", 2)
			k.at(when, "r0")
			w.async("PUT", "/v1/resource-definitions/r0/resources/bravo/toggle-disk/diskless", nil)
			k.until("bravo has no disk", func() bool { return w.disk("r0", "bravo") == "Diskless" })
			w.goesOn(progress)
			w.until(time.Minute, "its volume is gone", func() (bool, string) {
				k.revive()
				out, err := w.Machine("bravo").Sh(w.ctx, "lvs --noheadings -o name sw_ssd | grep r0_; true")
				return err == nil && out == "", out
			})
			w.async("PUT", "/v1/resource-definitions/r0/resources/bravo/toggle-disk/diskful/swpool", nil)
			k.until("bravo is UpToDate", func() bool { return w.disk("r0", "bravo") == "UpToDate" })
			k.seen(when + " on the node that loses its disk and gets one:")
			k.end()
			w.goesOn(progress)
			sum = stop()
			w.on("alpha", "drbdadm secondary r0")
			w.upToDate("r0", 2)
			w.holds("bravo", "r0", sum)
		})
	}
}

// disk is the state of a replica's first volume, as the controller has it.
func (w *world) disk(name, node string) string {
	w.t.Helper()
	for _, r := range w.resources(name) {
		if r.NodeName == node && len(r.Volumes) > 0 && r.Volumes[0].State != nil {
			return fmt.Sprint(r.Volumes[0].State.DiskState)
		}
	}
	return ""
}
