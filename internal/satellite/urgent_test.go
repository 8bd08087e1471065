package satellite

import (
	"fmt"
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
