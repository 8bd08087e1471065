package satellite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// While I/O may be held for it, a snapshot's copy is made before anything else gets the pool's queue, though all is told at once.
func TestCopiesFirst(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha")
	n := r.nodes[0]
	n.m.AddThin("sw_ssd", "thin", 1<<20, true)
	n.pools = []model.PoolSpec{{UUID: "p1", Name: "thin", Kind: model.LVMThin, Backing: "sw_ssd/thin"}}
	plain := func(name string) model.ResourceSpec {
		return model.ResourceSpec{Definition: model.UUID("def-" + name), Name: name, ID: model.UUID(name + "-on-alpha"), Generation: 1,
			Volumes: []model.VolumeSpec{{ID: model.UUID(name + "-0"), SizeKiB: 8192, BackingKiB: 8192, Pool: "thin", Backing: model.BackingName(name, 0)}}}
	}
	n.specs = append(n.specs, plain("mail"))
	r.run(5 * time.Second)
	logged := n.m.Logged()
	for i := range 12 { // more than run at once; their names come first
		n.specs = append(n.specs, plain(fmt.Sprintf("a%d", i)))
	}
	n.specs = append(n.specs, model.ResourceSpec{Definition: "def-mail", Name: "mail", ID: "snap", Generation: 1, Snapshot: &model.SnapshotSpec{Take: true,
		Copies: []model.CopySpec{{ID: "snap-0", Pool: "thin", Name: "mail_00000@monday", Of: "mail-0", Device: "mail_00000"}}}})
	r.run(10 * time.Second)
	var made []string
	for _, l := range n.m.LogSince(logged) {
		if strings.HasPrefix(l, "$ lvcreate") {
			made = append(made, l)
		}
	}
	if len(made) != 13 || !strings.Contains(made[0], "mail_00000.monday") {
		t.Fatalf("%d volumes are made, first:\n%s", len(made), strings.Join(made, "\n"))
	}
}

// Of several copies the one comes first that was asked for first, whatever its name: with four at once, and new ones behind each that is
// made, others waited until they lapsed.
func TestUrgentInTurn(t *testing.T) {
	take := func() *replica {
		return &replica{spec: model.ResourceSpec{Snapshot: &model.SnapshotSpec{Take: true}}}
	}
	a := &Agent{replicas: map[model.UUID]*replica{"a": {}, "b": take(), "c": take()}}
	now := time.Unix(1000, 0)
	a.urgentFirst([]model.UUID{"c"}, now)
	if got := a.urgentFirst([]model.UUID{"a", "b", "c"}, now.Add(time.Second)); !slices.Equal(got, []model.UUID{"c", "b", "a"}) {
		t.Errorf("%v", got)
	}
	a.replicas["c"].spec.Snapshot.Take = false
	if got := a.urgentFirst([]model.UUID{"a", "b", "c"}, now.Add(2*time.Second)); !slices.Equal(got, []model.UUID{"b", "a", "c"}) {
		t.Errorf("it is made: %v", got)
	}
}

// Snapshots in a row go by one look at the pool for a while, and what is beside it in the volume group isn't looked at for them.
func TestSnapshotsShareALook(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha")
	n := r.nodes[0]
	n.m.AddThin("sw_ssd", "thin", 1<<20, true)
	n.pools = append(n.pools, model.PoolSpec{UUID: "p1", Name: "thin", Kind: model.LVMThin, Backing: "sw_ssd/thin"})
	n.specs = append(n.specs, model.ResourceSpec{Definition: "def-mail", Name: "mail", ID: "mail-on-alpha", Generation: 1,
		Volumes: []model.VolumeSpec{{ID: "mail-0", SizeKiB: 8192, BackingKiB: 8192, Pool: "thin", Backing: "mail_00000"}}})
	r.run(20 * time.Second)
	taken := 0
	take := func(wantLooks int) {
		t.Helper()
		logged := n.m.Logged()
		taken++
		name := fmt.Sprintf("s%d", taken)
		n.specs = append(n.specs, model.ResourceSpec{Definition: "def-mail", Name: "mail", ID: model.UUID(name), Generation: 1, Snapshot: &model.SnapshotSpec{Take: true,
			Copies: []model.CopySpec{{ID: model.UUID(name + "-0"), Pool: "thin", Name: "mail_00000@" + name, Of: "mail-0", Device: "mail_00000"}}}})
		r.run(time.Second)
		if made, looks := n.ran(logged, "lvcreate"), n.ran(logged, "fullreport"); made != 1 || looks != wantLooks {
			t.Errorf("%s: %d made, %d looks, want %d", name, made, looks, wantLooks)
		}
	}
	take(1)
	for range 2 { // after three seconds it is looked how full the pool is
		take(0)
	}
}
