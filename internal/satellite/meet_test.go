package satellite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// negotiating is a disk of bravo's that was attached while its peers' answers were lost: the program hangs.
func negotiating(t *testing.T) (r *rig, bravo *node) {
	t.Helper()
	r = newRig(t, model.DRBD9, "alpha", "bravo", "charlie")
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	r.run(15 * time.Second)
	r.upToDate("backups")
	bravo = r.nodes[1]
	bravo.m.LoseAnswers(true)
	for _, argv := range [][]string{
		{"drbdadm", "-c", "/var/lib/holdfast.d/backups.res", "detach", "backups"},
		{"drbdmeta", "--force", "1000", "v09", "/dev/sw_ssd/backups_00000", "internal", "create-md", "7"}, // like one that is new
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
	return r, bravo
}

// A disk is attached and its peers' answers are lost: the program hangs until the two meet anew, and the disk is synced. If a
// connection is lost before, the disk is Inconsistent and nobody syncs it, until they meet anew. What stands by itself isn't touched.
func TestAnswersLost(t *testing.T) {
	for _, lost := range []string{"", "charlie"} {
		r, bravo := negotiating(t)
		if lost != "" {
			r.net.Cut("bravo", lost)
			r.run(2 * time.Second)
			if v := bravo.volume("backups", 0); v.Disk != model.DiskInconsistent {
				t.Fatalf("%+v\n%s", bravo.of("backups"), r.traces())
			}
		}
		r.run(70 * time.Second)
		if v := bravo.volume("backups", 0); v.Disk != model.DiskUpToDate {
			t.Fatalf("%+v\n%s", bravo.of("backups"), r.traces())
		}
		if lost != "" {
			r.net.Heal("bravo", lost)
			r.run(2 * time.Second)
		}
		r.upToDate("backups")
		met := slices.ContainsFunc(bravo.trace, func(l string) bool { return strings.Contains(l, "part from peers") })
		if !met {
			t.Errorf("%s: they weren't told to meet anew\n%s", lost, r.traces())
		}
	}
}
