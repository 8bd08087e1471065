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
		r := newRig(t, model.DRBD9, "alpha", "bravo", "charlie")
		r.deploy("backups", model.DRBD9, model.SeedSync, 1)
		r.run(15 * time.Second)
		r.upToDate("backups")
		bravo := r.nodes[1]
		bravo.m.LoseAnswers(true)
		for _, argv := range [][]string{
			{"drbdadm", "-c", "/var/lib/holdfast.d/backups.res", "detach", "backups"},
			{"drbdmeta", "--force", "1000", "v09", "/dev/sw_ssd/backups_00000", "internal", "create-md", "7"},
		} {
			if res := bravo.m.Operator(argv...); res.Exit != 0 {
				t.Fatalf("%s", res.Stderr)
			}
		}
		r.run(5 * time.Second)
		bravo.m.LoseAnswers(false)
		if v := bravo.volume("backups", 0); v.Disk != "Negotiating" {
			t.Fatalf("%+v\n%s", bravo.of("backups"), r.traces())
		}
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
