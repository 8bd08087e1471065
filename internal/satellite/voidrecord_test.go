package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// A record of a boot before, of a replica that nobody mentions any more, goes when it says nothing: not while a config file
// is of that replica, nor where a file system was being made.
func TestVoidRecord(t *testing.T) {
	for _, making := range []bool{false, true} {
		r := newRig(t, model.DRBD9, "alpha", "bravo")
		alpha := r.nodes[0]
		r.deploy("backups", model.DRBD9, model.SeedSync, 1)
		r.run(10 * time.Second)
		id := alpha.specs[0].ID
		if making {
			rec := alpha.a.records[id]
			rec.Making = []int{0}
			if err := rec.save(alpha.m, cfg); err != nil {
				t.Fatal(err)
			}
		}
		records := func() int {
			t.Helper()
			names, err := alpha.m.ReadDir(cfg.recordDir())
			if err != nil {
				t.Fatal(err)
			}
			return len(names)
		}
		alpha.specs = nil
		r.run(5 * time.Second)
		if records() != 1 {
			t.Fatal("the record of this boot is gone, and the resource runs")
		}
		alpha.cut()
		alpha.boot()
		r.run(5 * time.Second)
		if records() != 1 {
			t.Fatal("the record is gone, and the config file is there")
		}
		if err := alpha.m.Remove(cfg.configFile("backups")); err != nil {
			t.Fatal(err)
		}
		alpha.kill()
		alpha.start()
		r.run(5 * time.Second)
		if got := records(); (got == 1) != making {
			t.Errorf("making %v: %d records", making, got)
		}
	}
}
