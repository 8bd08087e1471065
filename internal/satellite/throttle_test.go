package satellite

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

func TestThrottle(t *testing.T) {
	r := newRig(t, model.DRBD8, "alpha", "bravo")
	a, b := r.nodes[0], r.nodes[1]
	a.m.AddThrottles()
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	limit := func(th *model.Throttle) {
		for _, n := range r.nodes {
			n.change("backups", func(s *model.ResourceSpec, v *model.VolumeSpec) { s.Generation++; v.Throttle = th })
		}
		r.run(20 * time.Second)
		r.upToDate("backups") // whether it can be limited or not
	}
	const dev = "/dev/sw_ssd/backups_00000"
	limit(&model.Throttle{ReadBytes: 1 << 20, WriteOps: 100})
	if got := a.m.Limits(dev); got != "read_bps_device 1048576 write_iops_device 100" || a.volume("backups", 0).NotThrottled != "" {
		t.Fatalf("%q %q\n%s", got, a.volume("backups", 0).NotThrottled, r.traces())
	}
	if why := b.volume("backups", 0).NotThrottled; !strings.Contains(why, "cgroup v2") {
		t.Fatalf("%q", why)
	}
	limit(&model.Throttle{ReadBytes: 2 << 20})
	if got := a.m.Limits(dev); got != "read_bps_device 2097152" {
		t.Fatalf("%q", got)
	}
	a.cut() // the limit is the kernel's, and gone
	r.run(time.Second)
	a.boot()
	r.run(30 * time.Second)
	if got := a.m.Limits(dev); got != "read_bps_device 2097152" {
		t.Fatalf("after a boot: %q\n%s", got, r.traces())
	}
	a.kill() // taken away while the satellite doesn't run
	for _, n := range r.nodes {
		n.change("backups", func(s *model.ResourceSpec, v *model.VolumeSpec) { s.Generation++; v.Throttle = nil })
	}
	a.start()
	r.run(30 * time.Second)
	if got := a.m.Limits(dev); got != "" || b.volume("backups", 0).NotThrottled != "" {
		t.Fatalf("%q %q\n%s", got, b.volume("backups", 0).NotThrottled, r.traces())
	}
}
