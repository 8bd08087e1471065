package rest

import (
	"encoding/json"
	"strings"
	"testing"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// canSnap has a node's LVM take snapshots, and its replica of backups be connected to the other.
func (w *web) canSnap(node, peer string) {
	w.b.see(w.t, func(tx *state.Tx) {
		seen := *tx.Snapshot().Node(node).Seen
		seen.Snapshots = []model.ProviderKind{model.LVM, model.FileThin}
		tx.SeeNode(node, &seen)
		d := tx.Snapshot().Definition("backups")
		r := d.On(node)
		st := &model.ResourceStatus{Definition: d.UUID, ID: r.UUID, Generation: d.Generation, Phase: model.Done,
			Peers: []model.PeerStatus{{Node: peer, State: model.Connected}}}
		for _, v := range r.Volumes {
			st.Volumes = append(st.Volumes, model.VolumeStatus{ID: v.UUID, Number: v.Number, Disk: model.DiskUpToDate, MDReady: true})
		}
		tx.SeeResource(d.UUID, r.UUID, st)
	})
}

func TestClone(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	const clone = "/v1/resource-definitions/backups/clone"
	if l := rcs(t, w.must(500, "POST", clone, `{"name":"copy"}`)); !strings.Contains(l[0].Message, "does not support snapshots") {
		t.Errorf("on pools without snapshots: %+v", l)
	}
	w.must(404, "GET", clone+"/copy", "") // nothing is left of it
	w.canSnap("alpha", "bravo")
	w.canSnap("bravo", "alpha")
	w.must(400, "POST", clone+"?plan=true", `{"name":"copy"}`)
	w.must(500, "POST", clone, `{}`)
	w.must(500, "POST", clone, `{"name":"copy","volume_passphrases":["x"]}`)
	w.must(500, "POST", clone, `{"name":"copy","layer_list":["STORAGE"]}`)
	w.must(404, "POST", "/v1/resource-definitions/nobody/clone", `{"name":"copy"}`)
	var started api.ResourceDefinitionCloneStarted
	if err := json.Unmarshal([]byte(w.must(201, "POST", clone, `{"name":"copy","use_zfs_clone":true,"layer_list":[],"override_props":{"Aux/x":"y"}}`)), &started); err != nil {
		t.Fatal(err)
	}
	if started.SourceName != "backups" || started.CloneName != "copy" || started.Location != clone+"/copy" || len(started.Messages) == 0 || started.Messages[0].RetCode <= 0 {
		t.Errorf("%+v", started)
	}
	if l := rcs(t, w.must(500, "POST", clone, `{"name":"copy"}`)); !l[0].RetCode.Is(api.FailExistsRscDfn) {
		t.Errorf("a second of that name: %+v", l)
	}
	if b := w.must(200, "GET", started.Location, ""); !strings.Contains(b, `"status":"CLONING"`) || !strings.Contains(b, "being taken") {
		t.Error(b)
	}
	if b := w.must(200, "GET", "/v1/resource-definitions/copy", ""); !strings.Contains(b, `"CLONING"`) {
		t.Error(b)
	}
	if b := w.must(200, "GET", "/v1/view/resources?resources=copy", ""); !strings.Contains(b, `"kind":"cloning"`) {
		t.Error(b)
	}
	w.b.see(t, func(tx *state.Tx) { // bravo's session ends: the snapshot fails
		seen := *tx.Snapshot().Node("bravo").Seen
		seen.Status = model.StatusOffline
		tx.SeeNode("bravo", &seen)
		d := tx.Snapshot().Definition("backups")
		tx.SeeResource(d.UUID, d.On("bravo").UUID, nil)
		tx.Touch(d.UUID)
	})
	if b := w.must(200, "GET", started.Location, ""); !strings.Contains(b, `"status":"FAILED"`) || !strings.Contains(b, "bravo") {
		t.Error(b)
	}
	if b := w.must(200, "GET", "/v1/resource-definitions/copy", ""); !strings.Contains(b, `"FAILED"`) || !strings.Contains(b, "clone-failed") {
		t.Error(b)
	}
	if b := w.must(200, "GET", clone+"/backups", ""); !strings.Contains(b, `"status":"COMPLETE"`) {
		t.Error(b)
	}
}

// A clone that is being copied says how far it is, in its node's words.
func TestCloneReasonSaysHowFar(t *testing.T) {
	d := &state.Definition{ResourceDefinition: &model.ResourceDefinition{Name: "copy", Cloning: &model.Cloning{SourceName: "backups", State: model.CloneCopying, SinceMS: 5},
		Volumes: []model.VolumeDefinition{{}}, Resources: []model.Resource{
			{UUID: "a", Node: "alpha", Volumes: []model.Volume{{From: &model.Source{Snapshot: "s"}}}},
			{UUID: "b", Node: "bravo", Volumes: []model.Volume{{}}}}},
		Seen: map[model.UUID]*model.ResourceStatus{"a": {Phase: model.Working, Reason: "volume 0 is being copied: 256 of 600 KiB are done"},
			"b": {Phase: model.Working, Reason: "waits"}}}
	condition, r := cloneReason(d)
	if want := "It is made from a snapshot of 'backups': 0 of 1 volumes are whole. On alpha: volume 0 is being copied: 256 of 600 KiB are done."; condition != "working" || r.Message != want || r.Since != 5 {
		t.Errorf("%s %+v", condition, r)
	}
}

// An orphan may be a device in a pool, or a configuration file.
func TestOrphansAreNamed(t *testing.T) {
	n := &state.Node{Node: &model.Node{Name: "alpha", Type: model.Satellite}, Seen: &model.NodeObserved{Status: model.StatusOnline}}
	n.Seen.Orphans = []model.Orphan{{ID: "v", Pool: "swpool", Name: "backups_00000"}, {ID: "r", Name: "/var/lib/holdfast.d/backups.res"}}
	got := nodeStatus(n).Reasons
	if len(got) != 2 || !strings.Contains(got[0].Message, "'backups_00000' in pool 'swpool'") || strings.Contains(got[1].Message, "pool") ||
		!strings.Contains(got[1].Message, "configuration file '/var/lib/holdfast.d/backups.res'") {
		t.Errorf("%+v", got)
	}
}
