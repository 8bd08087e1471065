package satellite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/sim/machine"
)

const sourcePath, copyPath = "/dev/sw_ssd/backups_00000", "/dev/sw_ssd/copy_00000"

const copiedKiB = 600 << 10 // three parts

// copying is a node with a written volume in a volume group, of which a snapshot was taken for a clone that is to have so much.
func copying(t *testing.T, askedKiB int64) (r *rig, n *node, then machine.View) {
	r = newRig(t, model.DRBD9, "alpha")
	n = r.nodes[0]
	plain := func(name string, kib int64) model.ResourceSpec {
		return model.ResourceSpec{Definition: model.UUID("def-" + name), Name: name, ID: model.UUID(name + "-on-alpha"), Generation: 1,
			Volumes: []model.VolumeSpec{{ID: model.UUID(name + "-0"), SizeKiB: kib, BackingKiB: kib, Pool: "swpool", Backing: model.BackingName(name, 0)}}}
	}
	n.specs = append(n.specs, plain("backups", copiedKiB))
	r.run(5 * time.Second)
	for range 20 {
		n.m.WriteDisk(sourcePath)
	}
	then, _ = n.m.OnDisk(sourcePath)
	n.specs = append(n.specs, model.ResourceSpec{Definition: "def-backups", Name: "backups", ID: "snap", Generation: 1, Snapshot: &model.SnapshotSpec{Take: true,
		Copies: []model.CopySpec{{ID: "snap-0", Pool: "swpool", Name: "backups_00000@clone-1", Of: "backups-0", Device: "backups_00000", RoomKiB: 64 << 10}}}})
	r.run(5 * time.Second)
	if st := n.status["snap"]; st.Phase != model.Done {
		t.Fatalf("%+v", st)
	}
	n.specs[1].Snapshot = &model.SnapshotSpec{Copies: n.specs[1].Snapshot.Copies}
	n.specs[1].Generation++
	n.m.WriteDisk(sourcePath) // goes on
	c := plain("copy", askedKiB)
	c.Volumes[0].From = &model.Source{Snapshot: "s", Label: "snap-0", Device: "backups_00000@clone-1"}
	n.specs = append(n.specs, c)
	return r, n, then
}

// made tells whether the copy is reported as a device, and stops the test if it isn't whole then.
func made(t *testing.T, n *node, then machine.View) bool {
	t.Helper()
	st := n.of("copy")
	if len(st.Volumes) == 0 || st.Volumes[0].Disk == "" {
		return false
	}
	if got, _ := n.m.OnDisk(copyPath); fmt.Sprint(got) != fmt.Sprint(then) {
		t.Fatalf("it is reported as %+v and holds %v, not %v", st, got, then)
	}
	return true
}

// A volume is copied part by part. What isn't whole is no device, whatever stops the satellite or the machine.
func TestCopyStopped(t *testing.T) {
	for _, power := range []bool{false, true} {
		for at := 1; ; at++ {
			r, n, then := copying(t, copiedKiB)
			stop := n.m.CrashAfter
			if power {
				stop = n.m.CutAfter
			}
			stop(at)
			for range 40 {
				r.run(250 * time.Millisecond)
				if n.a != nil {
					made(t, n, then)
				}
			}
			stopped := n.revive()
			r.run(30 * time.Second)
			if !made(t, n, then) || n.of("copy").Phase != model.Done {
				t.Fatalf("stopped after effect %d: %+v\n%s", at, n.of("copy"), r.traces())
			}
			if !stopped {
				if at < 8 {
					t.Errorf("only %d effects", at)
				}
				break
			}
		}
	}
}

// A device may be larger than was asked for (large extents), and all of it may have been written to.
func TestCopyIsWhole(t *testing.T) {
	r, n, then := copying(t, copiedKiB/2)
	r.run(30 * time.Second)
	if !made(t, n, then) || n.of("copy").Phase != model.Done {
		t.Errorf("%+v\n%s", n.of("copy"), r.traces())
	}
}

// Between two parts the node says how far it is; the pool is free for others meanwhile; who gives up the clone gets it removed.
func TestCopyGivenUp(t *testing.T) {
	r, n, _ := copying(t, copiedKiB)
	var seen []string
	for range 400 {
		n.meet()
		for _, j := range n.a.Due(r.now) {
			if j.Kind == ReplicaJob && j.Steps[0].Kind == steps.CopyData {
				if len(j.Pools) > 0 {
					t.Errorf("%s holds %v", j, j.Pools)
				}
				if seen = append(seen, n.of("copy").Reason); len(seen) == 3 {
					n.remove("copy", whole)
				}
			}
			n.a.Finish(j, n.a.RunJob(ctx, j), r.now)
		}
		n.hear()
		r.now = r.now.Add(50 * time.Millisecond)
	}
	if len(seen) != 3 || !strings.Contains(seen[2], "262144 of 614400 KiB are done") {
		t.Errorf("%q", seen)
	}
	if st := n.of("copy"); !st.Gone || slices.ContainsFunc(n.m.LVs("sw_ssd"), func(s string) bool { return strings.HasPrefix(s, "copy") }) {
		t.Errorf("%+v %v", st, n.m.LVs("sw_ssd"))
	}
}

// The snapshot runs out of room: that is said of the snapshot, and the copy is never made.
func TestCopyOverflows(t *testing.T) {
	r, n, _ := copying(t, copiedKiB)
	n.m.Overflow("sw_ssd")
	r.run(time.Minute)
	if st := n.status["snap"]; !st.Broken || st.Phase != model.Failed || !strings.Contains(st.Reason, "room") {
		t.Errorf("%+v", st)
	}
	if st := n.of("copy"); st.Phase != model.Failed || len(st.Volumes) > 0 && st.Volumes[0].Disk != "" {
		t.Errorf("%+v", st)
	}
}

// The snapshot goes by somebody else's hand: a clone that needs it can't be made any more.
func TestSnapshotMissing(t *testing.T) {
	r, n, _ := copying(t, copiedKiB)
	if res := n.m.Operator("lvremove", "-y", "sw_ssd/backups_00000.clone-1"); res.Exit != 0 {
		t.Fatalf("%+v", res)
	}
	r.run(time.Minute)
	if st := n.status["snap"]; !st.Broken || st.Phase != model.Failed || !strings.Contains(st.Reason, "is missing from storage pool swpool") {
		t.Errorf("%+v", st)
	}
}
