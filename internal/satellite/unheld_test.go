package satellite

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// unheld is a resource of 8.4 on two nodes that are told to look at DRBD for a snapshot, and have done so.
func unheld(t *testing.T) *rig {
	r := newRig(t, model.DRBD8, "alpha", "bravo")
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(time.Minute)
	r.upToDate("backups")
	for _, n := range r.nodes {
		n.specs[0].Quiet, n.specs[0].Unheld = "lease", true
	}
	r.run(time.Second)
	for _, n := range r.nodes {
		if q := n.of("backups").Quiet; q.State != model.QuietHeld || q.Lease != "lease" || n.m.Frozen() {
			t.Fatalf("%s: %+v, I/O stands still: %v\n%s", n.name, q, n.m.Frozen(), r.traces())
		}
	}
	return r
}

func TestUnheld(t *testing.T) {
	r := unheld(t)
	for _, n := range r.nodes {
		n.specs[0].Quiet, n.specs[0].Unheld = "", false
	}
	r.run(time.Second)
	for _, n := range r.nodes {
		if q := n.of("backups").Quiet; q.State != model.QuietOver {
			t.Errorf("%s: %+v", n.name, q)
		}
	}
}

// What is copied while a sync writes to the disk is of no moment at all.
func TestUnheldWhileASyncRuns(t *testing.T) {
	r := unheld(t)
	alpha, bravo := r.nodes[0], r.nodes[1]
	r.net.RateKiB = 1 // the sync doesn't end meanwhile
	r.net.Cut("alpha", "bravo")
	alpha.use()
	r.run(time.Second)
	if _, err := alpha.m.Write("backups", 0); err != nil {
		t.Fatal(err)
	}
	r.net.Heal("alpha", "bravo")
	r.run(3 * time.Second)
	if q := bravo.of("backups").Quiet; q.State != model.QuietLapsed || !strings.Contains(q.Reason, model.DiskInconsistent) {
		t.Errorf("%+v\n%s", q, r.traces())
	}
	if q := alpha.of("backups").Quiet; q.State != model.QuietHeld {
		t.Errorf("alpha's disk is good: %+v", q)
	}
}

func TestUnheldUnheard(t *testing.T) {
	r := unheld(t)
	r.nodes[0].m.EndStreams()
	r.run(time.Second)
	if q := r.nodes[0].of("backups").Quiet; q.State != model.QuietLapsed || !strings.Contains(q.Reason, "events") {
		t.Errorf("%+v\n%s", q, r.traces())
	}
}
