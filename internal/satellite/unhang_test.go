package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// A disk was attached and its peers' answers are lost, so that the program hangs. What is ordered then is done all the same:
// the disk, the replica, or all of it in the kernel goes.
func TestOrdersWhileAnAttachHangs(t *testing.T) {
	for name, order := range map[string]func(n *node){
		"gone": func(n *node) { n.remove("backups", nil) },
		"drop": func(n *node) { n.specs[0].DropDisk = true },
		"down": func(n *node) { n.specs[0].Down = true },
	} {
		r, bravo := negotiating(t)
		order(bravo)
		bravo.specs[0].Generation++
		r.run(2 * time.Minute)
		st := bravo.of("backups")
		switch name {
		case "gone":
			if !st.Gone {
				t.Errorf("gone: %+v\n%s", st, r.traces())
			}
			bravo.nothingLeft()
		case "drop":
			if st.Phase != model.Done || len(bravo.m.LVs("sw_ssd")) > 0 {
				t.Errorf("drop: %+v\n%s", st, r.traces())
			}
		case "down":
			if st.Phase != model.Done || len(bravo.m.KernelResources()) > 0 {
				t.Errorf("down: %+v\n%s", st, r.traces())
			}
		}
	}
}
