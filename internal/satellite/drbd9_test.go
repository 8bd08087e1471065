package satellite

import (
	"slices"
	"testing"
	"time"

	"holdfast/internal/model"
)

// A replica goes, its peers forget its node-id, and say so; a diskless one has nothing to forget.
func TestPeersForget(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha", "bravo", "charlie", "delta")
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	delta := r.nodes[3]
	s := &delta.specs[0]
	s.Diskless = true
	s.Volumes[0].Pool, s.Volumes[0].Backing = "", ""
	for _, n := range r.nodes[:3] {
		d := n.specs[0].DRBD
		for i := range d.Peers {
			d.Peers[i].Diskless = d.Peers[i].Node == "delta"
		}
	}
	r.run(15 * time.Second)
	for _, n := range r.nodes {
		st := n.of("backups")
		if st.Phase != model.Done || n != delta && !st.UpToDate() {
			t.Fatalf("%s: %+v\n%s", n.name, st, r.traces())
		}
	}
	if v := delta.volume("backups", 0); v.Disk != model.DiskDiskless || v.MDReady || v.Backing != "" {
		t.Errorf("%+v", v)
	}
	charlie := r.nodes[2]
	charlie.remove("backups", nil)
	r.run(10 * time.Second)
	if st := charlie.of("backups"); !st.Gone {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	charlie.nothingLeft()
	for _, n := range []*node{r.nodes[0], r.nodes[1], delta} {
		s := &n.specs[0]
		d := *s.DRBD
		d.Peers = slices.DeleteFunc(slices.Clone(d.Peers), func(p model.PeerSpec) bool { return p.Node == "charlie" })
		d.Forget = []int{2}
		s.DRBD = &d
		s.Generation++
	}
	r.run(10 * time.Second)
	for _, n := range []*node{r.nodes[0], r.nodes[1], delta} {
		if st := n.of("backups"); st.Phase != model.Done || !slices.Equal(st.Forgotten, []int{2}) || len(st.Peers) != 2 {
			t.Errorf("%s: %+v\n%s", n.name, st, r.traces())
		}
	}
	// It is remembered over a restart, and after that it may be told again.
	r.nodes[0].kill()
	r.nodes[0].start()
	r.run(10 * time.Second)
	if st := r.nodes[0].of("backups"); st.Phase != model.Done || !slices.Equal(st.Forgotten, []int{2}) {
		t.Errorf("%+v", st)
	}
}

// A controller that has just begun may not know yet that a removal was done, and ask to wait with it: nothing is brought up
// again.
func TestRemovedStaysRemoved(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha", "bravo")
	r.deploy("backups", model.DRBD9, model.SeedSync, 1)
	r.run(15 * time.Second)
	r.upToDate("backups")
	bravo := r.nodes[1]
	before := bravo.specs[0]
	bravo.remove("backups", nil)
	r.run(10 * time.Second)
	if st := bravo.of("backups"); !st.Gone {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	gone := bravo.specs[0]
	bravo.specs[0] = before
	bravo.specs[0].Generation = gone.Generation + 1
	r.run(20 * time.Second)
	if st := bravo.of("backups"); !st.Gone || st.Phase != model.Failed || st.Reason == "" {
		t.Errorf("%+v\n%s", st, r.traces())
	}
	bravo.nothingLeft()
	bravo.specs[0] = gone
	bravo.specs[0].Generation += 2
	r.run(10 * time.Second)
	if st := bravo.of("backups"); !st.Gone || st.Phase != model.Done {
		t.Errorf("%+v\n%s", st, r.traces())
	}
}
