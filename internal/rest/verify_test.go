package rest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/state"
)

// report has the verifying node of backups say how far it is, with that much marked as differing.
func (w *web) reportVerify(phase model.VerifyPhase, reason string, kib int64) {
	w.t.Helper()
	w.b.see(w.t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		r := d.Replica(d.Verify.Replica)
		st := good(d.ResourceDefinition, r)
		st.Verify = model.VerifyProgress{ID: d.Verify.ID, State: phase, Reason: reason}
		st.Peers[0].Volumes[0].OutOfSyncKiB = kib
		if phase == model.VerifyBegun {
			st.Peers[0].Volumes[0].Replication, st.Peers[0].Volumes[0].DonePercent = "VerifyS", 25
		}
		tx.SeeResource(d.UUID, r.UUID, st)
	})
}

func (w *web) verifies() api.Verify {
	w.t.Helper()
	var out []api.Verify
	if err := json.Unmarshal([]byte(w.must(200, "GET", "/v1/view/verifies", "")), &out); err != nil || len(out) != 1 {
		w.t.Fatalf("%d verifies, %v", len(out), err)
	}
	return out[0]
}

// From the command to the report, and what mends it.
func TestVerify(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	if s := w.must(200, "GET", "/v1/view/verifies", ""); s != "[]" {
		t.Errorf("before: %s", s)
	}
	w.must(200, "POST", "/v1/resource-definitions/backups/verify", "")
	if v := w.verifies(); v.State != "WAITING" || v.By != "user" || v.NodeName != "alpha" || v.Asked == 0 {
		t.Errorf("asked: %+v", v)
	}
	for _, node := range []string{"alpha", "bravo"} {
		spec := nodestate.Of(w.b.Snapshot(), node).Resources[0]
		if alg := spec.DRBD.Options["Net"]["verify-alg"]; alg != "crc32c" || (spec.Verify != "") != (node == "alpha") {
			t.Errorf("%s is told %q, verify %q", node, alg, spec.Verify)
		}
	}
	if s := w.must(200, "POST", "/v1/resource-definitions/backups/verify", ""); !strings.Contains(s, "under way already") {
		t.Errorf("twice: %s", s)
	}
	if v := w.verifies(); !strings.Contains(v.Reason, "hasn't taken the order up yet") {
		t.Errorf("waits: %+v", v)
	}
	w.b.see(t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		r := d.Replica(d.Verify.Replica)
		st := good(d.ResourceDefinition, r)
		st.Generation = d.Generation
		tx.SeeResource(d.UUID, r.UUID, st)
	})
	if v := w.verifies(); !strings.Contains(v.Reason, "a satellite of an older release can't compare") {
		t.Errorf("no word of it: %+v", v)
	}
	w.reportVerify(model.VerifyBegun, "", 0)
	if v := w.verifies(); v.State != "RUNNING" || v.DonePercent != 25 {
		t.Errorf("runs: %+v", v)
	}
	w.reportVerify(model.VerifyBroken, "the connection to bravo was lost", 0)
	if v := w.verifies(); v.State != "WAITING" || v.Restarts != 1 || v.Reason != "the connection to bravo was lost" {
		t.Errorf("broken off: %+v", v)
	}
	w.reportVerify(model.VerifyEnded, "", 8)
	v := w.verifies()
	if v.State != "DONE" || v.Ended == 0 || len(v.Found) != 1 || v.Found[0] != (api.VerifyFound{NodeName: "alpha", PeerName: "bravo", OutOfSyncKib: 8}) {
		t.Errorf("done: %+v", v)
	}
	if s := w.must(200, "GET", "/v1/view/conditions", ""); !strings.Contains(s, `"kind":"out-of-sync"`) || !strings.Contains(s, "drbdadm invalidate backups/0") {
		t.Errorf("conditions: %s", s)
	}
	w.must(200, "POST", "/v1/resource-definitions/backups/verify", "")
	for range 5 {
		w.reportVerify(model.VerifyBroken, "DRBD can't", 0)
	}
	if v := w.verifies(); v.State != "FAILED" || v.Reason != "DRBD can't" {
		t.Errorf("given up: %+v", v)
	}
}

// A verify needs two disks; one whose replica goes moves to another, or ends.
func TestVerifyNeedsTwoDisks(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(200, "POST", "/v1/resource-definitions/backups/verify", "")
	w.must(200, "DELETE", "/v1/resource-definitions/backups/resources/alpha", "")
	if v := w.verifies(); v.State != "FAILED" || !strings.Contains(v.Reason, "fewer than two") {
		t.Errorf("one goes: %+v", v)
	}
	if s := w.send("POST", "/v1/resource-definitions/backups/verify", ""); s.Code != 500 || !strings.Contains(s.Body.String(), "Fewer than two") {
		t.Errorf("%d %s", s.Code, s.Body)
	}
}

// The schedule starts one by one: not two at a time on a node, not before its time, and not while a node is away.
func TestVerifySchedule(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"mail"}}`)
	w.must(201, "POST", "/v1/resource-definitions/mail/volume-definitions", `{"volume_definition":{"size_kib":8192}}`)
	w.must(201, "POST", "/v1/resource-definitions/mail/autoplace", `{"select_filter":{"place_count":2}}`)
	w.deployed("mail")
	w.deployed("mail")
	w.must(201, "POST", "/v1/controller/properties", `{"override_props":{"Verify/RunEvery":"60"}}`)
	tend := func() (names []string) {
		t.Helper()
		if core.NeedsTending(w.b.Snapshot(), w.b.env.Now) {
			if _, err := w.b.Do(t.Context(), core.Tend{}, true); err != nil {
				t.Fatal(err)
			}
		}
		w.b.Snapshot().Definitions(func(d *state.Definition) bool {
			if d.Verify != nil && d.Verify.State == model.VerifyRuns {
				names = append(names, d.Name+" by "+d.Verify.By)
			}
			return true
		})
		return names
	}
	if got := tend(); got != nil {
		t.Fatalf("at once: %v", got)
	}
	w.b.env.Now = w.b.env.Now.Add(61 * time.Minute)
	if got := tend(); len(got) != 1 || got[0] != "backups by schedule" {
		t.Fatalf("after an hour: %v", got)
	}
	if got := tend(); len(got) != 1 {
		t.Fatalf("two at a time: %v", got)
	}
	w.reportVerify(model.VerifyEnded, "", 0)
	w.b.see(t, func(tx *state.Tx) {
		tx.SeeNode("bravo", &model.NodeObserved{Status: model.StatusOffline})
	})
	if got := tend(); got != nil {
		t.Fatalf("without bravo: %v", got)
	}
	w.online("bravo", model.DRBD9)
	if got := tend(); len(got) != 1 || got[0] != "mail by schedule" {
		t.Fatalf("the next: %v", got)
	}
}
