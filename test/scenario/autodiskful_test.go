package scenario

import "testing"

// A volume that is written to on a node without a disk gets one there by itself, and another replica makes way for it.
func TestAutoDiskful(t *testing.T) {
	needDRBD9(t)
	needFull(t)
	w := up(t, 3)
	w.nodes()
	w.lin("controller set-property DrbdOptions/auto-add-quorum-tiebreaker false") // replicas come and go by hand here
	w.lin("resource-group modify DfltRscGrp --place-count 2")
	dev := w.place("r0", "32M", "alpha", "bravo")
	w.lin("resource create charlie r0 --drbd-diskless")
	w.on("charlie", "drbdadm primary r0")
	progress, stop := w.busy("charlie", dev, 32)
	w.lin("resource-definition set-property r0 DrbdOptions/auto-diskful 0")
	w.good("r0", "charlie")
	w.goesOn(progress)
	var left string
	w.until(patience, "another makes way", func() (bool, string) {
		list := w.resources("r0")
		for _, r := range list {
			if r.NodeName != "charlie" {
				left = r.NodeName
			}
		}
		return len(list) == 2, w.lin("resource list")
	})
	gone := map[string]string{"alpha": "bravo", "bravo": "alpha"}[left]
	w.replicasOn("r0", left, "charlie")
	w.nothingLeft(gone)
	w.goesOn(progress)
	sum := stop()
	w.on("charlie", "drbdadm secondary r0")
	w.upToDate("r0", 2)
	w.holds(left, "r0", sum)
}
