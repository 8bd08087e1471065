package plan

import (
	"strings"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// rig is a cluster of two nodes and definitions with a replica on each, all good and connected.
type rig struct {
	t   *testing.T
	tx  *state.Tx
	now int64
}

func newRig(t *testing.T, defs ...string) *rig {
	s, problems := state.Build(state.Loaded{Controller: &model.ControllerState{}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := &rig{t: t, tx: state.Begin(s)}
	for _, n := range []string{"alpha", "bravo"} {
		r.tx.PutNode(&model.Node{UUID: model.UUID("n-" + n), Name: n, Type: model.Satellite})
		r.tx.SeeNode(n, &model.NodeObserved{Status: model.StatusOnline, NodeReport: model.NodeReport{DRBD: model.DRBD9}})
	}
	for i, name := range defs {
		d := &model.ResourceDefinition{UUID: model.UUID(name), Name: name, DRBD: model.DRBD9, PeerSlots: 7,
			Volumes: []model.VolumeDefinition{{UUID: model.UUID(name + "-v"), SizeKiB: 65536, Minor: 1000 + i, Initialised: true}}}
		for k, n := range []string{"alpha", "bravo"} {
			d.Resources = append(d.Resources, model.Resource{UUID: model.UUID(name + "-" + n), Node: n, NodeID: k, Port: 7000 + i,
				Volumes: []model.Volume{{UUID: model.UUID(name + "-" + n + "-v"), Pool: "thin", Initialised: true}}})
		}
		r.put(d)
		r.see(name, "alpha", model.QuietStatus{})
		r.see(name, "bravo", model.QuietStatus{})
	}
	return r
}

func (r *rig) put(d *model.ResourceDefinition) {
	r.t.Helper()
	if err := r.tx.PutDefinition(d); err != nil {
		r.t.Fatal(err)
	}
	r.after()
}

func (r *rig) after() {
	r.t.Helper()
	if err := After(r.tx, Env{NowMS: r.now, UUID: func() model.UUID { return "new" }}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) see(def, node string, q model.QuietStatus) {
	r.t.Helper()
	other := map[string]string{"alpha": "bravo", "bravo": "alpha"}[node]
	id := model.UUID(def + "-" + node)
	r.tx.SeeResource(model.UUID(def), id, &model.ResourceStatus{Definition: model.UUID(def), ID: id, Generation: 1 << 30, Phase: model.Done, Quiet: q,
		Volumes: []model.VolumeStatus{{Disk: model.DiskUpToDate}}, Peers: []model.PeerStatus{{Node: other, State: model.Connected}}})
	r.after()
}

func (r *rig) copy(def, node string, st model.ResourceStatus) {
	st.ID = model.UUID("copy-" + def + "-" + node)
	r.tx.SeeResource(model.UUID(def), st.ID, &st)
	r.after()
}

// take starts a snapshot of each.
func (r *rig) take(defs ...string) {
	var with []model.UUID
	for _, name := range defs {
		with = append(with, model.UUID(name))
	}
	for _, name := range defs {
		d := r.tx.Snapshot().DefinitionByID(model.UUID(name)).Clone()
		sn := model.Snapshot{UUID: model.UUID("s-" + name), Name: "monday", State: model.SnapshotSuspending, Lease: "lease",
			Volumes: []model.SnapshotVolume{{SizeKiB: 65536}}}
		if len(defs) > 1 {
			sn.With = with
		}
		for _, res := range d.Resources {
			sn.Quiet = append(sn.Quiet, res.UUID)
			sn.Copies = append(sn.Copies, model.SnapshotCopy{UUID: model.UUID("copy-" + name + "-" + res.Node), Node: res.Node, Replica: res.UUID,
				Volumes: []model.CopyVolume{{UUID: "c", Pool: "thin", Of: res.Volumes[0].UUID}}})
		}
		d.Snapshots = append(d.Snapshots, sn)
		if err := r.tx.PutDefinition(d); err != nil { // the rules run when all are in, as in one command
			r.t.Fatal(err)
		}
	}
	r.after()
}

func (r *rig) snap(def string) *model.Snapshot {
	return r.tx.Snapshot().DefinitionByID(model.UUID(def)).Snapshot("monday")
}

func (r *rig) want(def string, st model.SnapshotState) {
	r.t.Helper()
	if got := r.snap(def); got.State != st {
		r.t.Fatalf("%s: %s (%s), want %s", def, got.State, got.Reason, st)
	}
}

var (
	held   = model.QuietStatus{Lease: "lease", State: model.QuietHeld}
	over   = model.QuietStatus{Lease: "lease", State: model.QuietOver}
	lapsed = model.QuietStatus{Lease: "lease", State: model.QuietLapsed, Reason: "too slow"}
)

func TestSnapshotPhases(t *testing.T) {
	r := newRig(t, "backups")
	r.take("backups")
	r.see("backups", "alpha", held)
	r.want("backups", model.SnapshotSuspending) // bravo still writes
	r.see("backups", "bravo", held)
	r.want("backups", model.SnapshotCopying)
	r.copy("backups", "alpha", model.ResourceStatus{Phase: model.Done})
	r.want("backups", model.SnapshotCopying)
	r.copy("backups", "bravo", model.ResourceStatus{Phase: model.Done})
	r.want("backups", model.SnapshotResuming)
	r.see("backups", "alpha", over)
	r.want("backups", model.SnapshotResuming) // bravo may have gone on before alpha's copy was made
	r.see("backups", "bravo", over)
	r.want("backups", model.SnapshotSuccessful)
}

// A lease that ended too early, in whatever phase, spoils the snapshot; its copies go.
func TestSnapshotLapses(t *testing.T) {
	for phase := range 3 {
		r := newRig(t, "backups")
		r.take("backups")
		if phase > 0 {
			r.see("backups", "alpha", held)
			r.see("backups", "bravo", held)
		}
		if phase > 1 {
			r.copy("backups", "alpha", model.ResourceStatus{Phase: model.Done})
			r.copy("backups", "bravo", model.ResourceStatus{Phase: model.Done})
			r.want("backups", model.SnapshotResuming)
		}
		r.see("backups", "bravo", lapsed)
		r.want("backups", model.SnapshotFailed)
		sn := r.snap("backups")
		if !strings.Contains(sn.Reason, "too slow") || len(sn.Quiet) > 0 {
			t.Errorf("phase %d: %+v", phase, sn)
		}
		for _, n := range []string{"alpha", "bravo"} {
			if !r.snap("backups").Copies[0].Deleting {
				t.Fatal("a copy stays")
			}
			r.copy("backups", n, model.ResourceStatus{Phase: model.Done, Gone: true})
		}
		if len(r.snap("backups").Copies) > 0 {
			t.Errorf("phase %d: copies are left", phase)
		}
	}
}

func TestSnapshotFailsWithASession(t *testing.T) {
	r := newRig(t, "backups")
	r.take("backups")
	r.see("backups", "alpha", held)
	r.tx.SeeResource("backups", "backups-bravo", nil)
	r.after()
	r.want("backups", model.SnapshotFailed)
	if !r.snap("backups").Disconnected {
		t.Error("not for its connection")
	}
}

// Of two none is Successful before the other, and one that fails takes the other along.
func TestSnapshotsTogether(t *testing.T) {
	for _, fail := range []bool{false, true} {
		r := newRig(t, "backups", "mail")
		r.take("backups", "mail")
		for _, d := range []string{"backups", "mail"} {
			r.want("backups", model.SnapshotSuspending)
			r.see(d, "alpha", held)
			r.see(d, "bravo", held)
		}
		r.want("backups", model.SnapshotCopying)
		r.want("mail", model.SnapshotCopying)
		for _, d := range []string{"backups", "mail"} {
			r.want("backups", model.SnapshotCopying)
			r.copy(d, "alpha", model.ResourceStatus{Phase: model.Done})
			r.copy(d, "bravo", model.ResourceStatus{Phase: model.Done})
		}
		r.see("backups", "alpha", over)
		r.see("backups", "bravo", over)
		r.want("backups", model.SnapshotResuming)
		r.see("mail", "alpha", over)
		if fail {
			r.see("mail", "bravo", lapsed)
			r.want("backups", model.SnapshotFailed)
			r.want("mail", model.SnapshotFailed)
			continue
		}
		r.see("mail", "bravo", over)
		r.want("backups", model.SnapshotSuccessful)
		r.want("mail", model.SnapshotSuccessful)
	}
}

// Nobody comes up before all are rolled back, and nothing is rolled back before all are down.
func TestRollbackPhases(t *testing.T) {
	r := newRig(t, "backups")
	d := r.tx.Snapshot().DefinitionByID("backups").Clone()
	d.Snapshots = []model.Snapshot{{UUID: "s", Name: "monday", State: model.SnapshotSuccessful, NodeIDs: []int{0, 1, 4}}}
	d.Rollback = &model.Rollback{ID: "rb", Snapshot: "s", State: model.RollbackStopping}
	r.put(d)
	state := func() model.RollbackState {
		if rb := r.tx.Snapshot().DefinitionByID("backups").Rollback; rb != nil {
			return rb.State
		}
		return ""
	}
	say := func(node string, st model.RolledState) {
		id := model.UUID("backups-" + node)
		r.tx.SeeResource("backups", id, &model.ResourceStatus{ID: id, Rollback: model.RollbackStatus{ID: "rb", State: st}})
		r.after()
	}
	for _, x := range []struct {
		node string
		is   model.RolledState
		want model.RollbackState
	}{{"alpha", model.Stopped, model.RollbackStopping}, {"bravo", model.Stopped, model.RollbackRolling},
		{"bravo", model.Rolled, model.RollbackRolling}, {"alpha", model.Rolled, ""}} {
		say(x.node, x.is)
		if got := state(); got != x.want {
			t.Fatalf("%s is %d: %q, want %q", x.node, x.is, got, x.want)
		}
	}
	got := r.tx.Snapshot().DefinitionByID("backups").Retired
	if len(got) != 1 || got[0].NodeID != 4 || len(got[0].WaitFor) != 2 {
		t.Errorf("the metadata of then remember node-id 4, which nobody has: %+v", got)
	}
}

func TestRollbackGivenUp(t *testing.T) {
	r := newRig(t, "backups")
	d := r.tx.Snapshot().DefinitionByID("backups").Clone()
	d.Snapshots = []model.Snapshot{{UUID: "s", Name: "monday", State: model.SnapshotSuccessful}}
	d.Rollback = &model.Rollback{ID: "rb", Snapshot: "s", State: model.RollbackStopping}
	r.put(d)
	r.tx.SeeResource("backups", "backups-alpha", nil)
	r.after()
	if rb := r.tx.Snapshot().DefinitionByID("backups").Rollback; rb.State != model.RollbackFailed || !strings.Contains(rb.Reason, "alpha") {
		t.Errorf("%+v", rb)
	}
}
