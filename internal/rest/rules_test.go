package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast/api"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

func rcs(t *testing.T, body string) api.ApiCallRcList {
	t.Helper()
	var l api.ApiCallRcList
	if err := json.Unmarshal([]byte(body), &l); err != nil || len(l) == 0 {
		t.Fatalf("no list of return codes: %v: %s", err, body)
	}
	return l
}

func names(t *testing.T, body, key string) []string {
	t.Helper()
	var l []map[string]any
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	out := []string{}
	for _, o := range l {
		s, _ := o[key].(string)
		out = append(out, s)
	}
	return out
}

func wantNames(t *testing.T, body, key string, want ...string) {
	t.Helper()
	if got := strings.Join(names(t, body, key), " "); got != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Rule 1 of linstor-clients 2.1: success codes are positive and carry operation and object.
func TestSuccessCodesArePositive(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/v1/controller/properties", `{"override_props":{"Aux/a":"b"}}`},
		{"PUT", "/v1/nodes/alpha", `{"override_props":{"Aux/a":"b"}}`},
		{"PUT", "/v1/nodes/alpha/reconnect", ""},
		{"POST", "/v1/resource-definitions/backups/resources/alpha/make-available", "{}"},
		{"PUT", "/v1/resource-definitions/backups/resources/alpha/volumes/0", `{"override_props":{"Aux/a":"b"}}`},
		{"PUT", "/v1/key-value-store/x1", `{"override_props":{"a":"b"}}`},
		{"DELETE", "/v1/key-value-store/x1", ``},
	} {
		for _, rc := range rcs(t, w.send(c.method, c.path, c.body).Body.String()) {
			if rc.RetCode <= 0 || rc.RetCode.Object() == 0 || rc.RetCode.Op() == 0 || rc.CreatedAt == "" {
				t.Errorf("%s %s: %+v", c.method, c.path, rc)
			}
		}
	}
}

// Rule 2: missing is 404, deleting what is missing is 200 with a warning, another error 500, a body that can't be read 400.
func TestStatus(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	for _, c := range []struct {
		method, path, body string
		status             int
		code               api.Code
	}{
		{"GET", "/v1/nodes/nobody", "", 404, api.FailNotFoundNode},
		{"GET", "/v1/nodes/alpha/net-interfaces/nobody", "", 404, api.FailNotFoundNetIf},
		{"GET", "/v1/nodes/alpha/storage-pools/nobody", "", 404, api.FailNotFoundStorPool},
		{"GET", "/v1/storage-pool-definitions/nobody", "", 404, api.FailNotFoundStorPoolDfn},
		{"GET", "/v1/resource-groups/nobody", "", 404, api.FailNotFoundRscGrp},
		{"GET", "/v1/resource-groups/DfltRscGrp/volume-groups/0", "", 404, api.FailNotFoundVlmGrp},
		{"GET", "/v1/resource-definitions/nobody", "", 404, api.FailNotFoundRscDfn},
		{"GET", "/v1/resource-definitions/nobody/resources", "", 404, api.FailNotFoundRscDfn},
		{"GET", "/v1/resource-definitions/nobody/snapshots", "", 404, api.FailNotFoundRscDfn},
		{"GET", "/v1/resource-definitions/backups/volume-definitions/7", "", 404, api.FailNotFoundVlmDfn},
		{"GET", "/v1/resource-definitions/backups/resources/nobody", "", 404, api.FailNotFoundRsc},
		{"GET", "/v1/resource-definitions/backups/resources/alpha/volumes/7", "", 404, api.FailNotFoundVlm},
		{"GET", "/v1/resource-definitions/backups/snapshots/x", "", 404, api.FailNotFoundSnapshot},
		{"GET", "/v1/key-value-store/nobody", "", 404, api.FailNotFoundKvs},
		{"PUT", "/v1/nodes/nobody", "{}", 404, api.FailNotFoundNode},
		{"DELETE", "/v1/nodes/nobody", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/nodes/alpha/storage-pools/nobody", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/resource-definitions/nobody", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/resource-definitions/backups/volume-definitions/7", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/resource-definitions/backups/resources/nobody", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/resource-definitions/backups/snapshots/x", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/resource-groups/nobody", "", 200, api.WarnNotFound},
		{"DELETE", "/v1/nodes/alpha", "", 500, api.FailInUse},
		{"POST", "/v1/nodes", `{"name":"x y","net_interfaces":[{"name":"default","address":"10.0.0.9"}]}`, 500, api.FailInvldNodeName},
		{"POST", "/v1/nodes", `{"name":"xy","net_interfaces":[{"name":"default","address":"some.host"}]}`, 500, api.FailInvldNetAddr},
		{"POST", "/v1/nodes", `{"name":"xy","type":"Toaster"}`, 500, api.FailInvldNodeType},
		{"POST", "/v1/resource-definitions", `{"resource_definition":{"name":"backups"}}`, 500, api.FailExistsRscDfn},
		{"POST", "/v1/resource-definitions/backups/volume-definitions", `{"volume_definition":{"size_kib":1}}`, 500, api.FailInvldVlmSize},
		{"POST", "/v1/resource-definitions/backups/volume-definitions", `{"volume_definition":{"size_kib":8192,"volume_number":0}}`, 500, api.FailExistsVlmDfn},
		{"PUT", "/v1/resource-definitions/backups/volume-definitions/0", `{"size_kib":0}`, 500, api.FailInvldVlmSize},
		{"POST", "/v1/controller/properties", `{"override_props":{"DrbdOptions/Handlers/fence-peer":"/bin/sh"}}`, 500, api.FailInvldProp},
		{"POST", "/v1/nodes", ``, 400, api.APICallParseError},
		{"POST", "/v1/nodes", `{"name":`, 400, api.APICallParseError},
		{"POST", "/v1/nodes", `{"name":"a1"} x`, 400, api.APICallParseError},
		{"POST", "/v1/nodes", `[]`, 400, api.APICallParseError},
		{"POST", "/v1/nodes", `{"name":7}`, 400, api.APICallParseError},
		{"POST", "/v1/nodes", strings.Repeat("[", 100), 400, api.APICallParseError},
		{"GET", "/v1/nodes?limit=x", "", 400, api.APICallParseError},
		{"DELETE", "/v1/nodes/nobody?async=perhaps", "", 400, api.APICallParseError},
		{"GET", "/nothing", "", 404, api.UnknownAPICall},
		{"PATCH", "/v1/nodes", "", 405, api.UnknownAPICall},
		{"POST", "/v1/resource-definitions/backups/snapshots", `{}`, 500, api.FailInvldSnapshotName},
		{"POST", "/v1/resource-definitions/backups/snapshots", `{"name":"monday"}`, 500, api.FailSnapshotsNotSupported},
		{"POST", "/v1/actions/snapshot/multi", `{"snapshots":[]}`, 500, api.FailInvldRequest},
		{"POST", "/v1/remotes/s3", `{"remote_name":"s3"}`, 501, api.UnknownAPICall},
		{"GET", "/v1/remotes/far/backups", "", 404, api.UnknownAPICall},
		{"GET", "/v1/files/x", "", 404, api.UnknownAPICall},
	} {
		rec := w.send(c.method, c.path, c.body)
		l := rcs(t, rec.Body.String())
		if rec.Code != c.status || !l[0].RetCode.Is(c.code) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, rec.Code, rec.Body)
		}
		if l[0].RetCode.IsError() && (l[0].Cause == "" || l[0].Correction == "") {
			t.Errorf("%s %s: no cause or no correction: %s", c.method, c.path, rec.Body)
		}
	}
	if got := w.send("PATCH", "/v1/nodes", "").Header().Get("Allow"); got != "GET, POST" {
		t.Error(got)
	}
}

// Rule 3: the exact success codes.
func TestSuccessStatus(t *testing.T) {
	w := newWeb(t)
	w.tutorial() // holds 201 for nodes, pools, definitions, volume definitions, autoplace
	w.must(201, "POST", "/v1/storage-pool-definitions", `{"storage_pool_name":"more"}`)
	w.must(200, "PUT", "/v1/storage-pool-definitions/more", `{"override_props":{"MaxOversubscriptionRatio":"3"}}`)
	w.must(200, "DELETE", "/v1/storage-pool-definitions/more", "")
	w.must(201, "POST", "/v1/resource-groups", `{"name":"rg"}`)
	w.must(201, "POST", "/v1/resource-groups/rg/volume-groups", `{}`)
	w.must(200, "PUT", "/v1/resource-groups/rg", `{"description":"x","select_filter":{"place_count":1}}`)
	w.must(201, "POST", "/v1/resource-groups/rg/spawn", `{"resource_definition_name":"spawned","volume_sizes":[8192]}`)
	w.must(200, "PUT", "/v1/resource-definitions/spawned", `{"override_props":{"Aux/a":1}}`)
	w.must(201, "POST", "/v1/nodes/alpha/net-interfaces", `{"name":"fast","address":"10.78.0.1"}`)
	w.must(200, "PUT", "/v1/nodes/alpha/net-interfaces/fast", `{"name":"fast","address":"10.78.0.2"}`)
	w.must(200, "DELETE", "/v1/nodes/alpha/net-interfaces/fast", "")
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"both","volume_definitions":[{"size_kib":8192},{"size_kib":"16384"}]}}`)
	w.must(201, "POST", "/v1/resource-definitions/both/resources", `{"resource":{"node_name":"alpha"}}`)
	w.must(200, "POST", "/v1/resource-definitions/both/resources/bravo/make-available", "")
	w.deployed("both")
	w.deployed("both")
	w.must(200, "PUT", "/v1/resource-definitions/both/volume-definitions/0", `{"override_props":{"Aux/a":"b"}}`)
	w.must(200, "DELETE", "/v1/resource-definitions/both/resources/bravo?keep_tiebreaker=True", "")
	w.must(200, "DELETE", "/v1/resource-definitions/both/volume-definitions/1", "")
	w.must(200, "DELETE", "/v1/resource-definitions/both", "")
}

// All or nothing: a definition isn't made when one of its volumes can't be.
func TestDefinitionWithVolumesIsOneCommand(t *testing.T) {
	w := newWeb(t)
	w.must(500, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"both","volume_definitions":[{"size_kib":8192},{"size_kib":1}]}}`)
	w.must(404, "GET", "/v1/resource-definitions/both", "")
}

// Rules 4 and 5: lenient types, no content type, an empty body, objects that older clients send empty.
func TestLenientRequests(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/resource-groups", `{"name":"rg","select_filter":{"place_count":"2","diskless_on_remaining":null,"layer_stack":["drbd","storage"],"provider_list":["lvm"]}}`)
	w.must(201, "POST", "/v1/resource-definitions", `{"drbd_port":null,"resource_definition":{"name":"old","props":{"Aux/pm/vmid":100},"layer_data":[{"type":"drbd"},{"type":"storage"}]}}`)
	w.must(201, "POST", "/v1/resource-definitions/old/volume-definitions", `{"volume_definition":{"size_kib":8192}}`)
	w.must(201, "POST", "/v1/resource-definitions/old/resources/alpha", `{"resource":{"name":"old","node_name":"alpha","layer_object":{"drbd":{"drbd_resource_definition":{}},"luks":{},"storage":{},"nvme":{}},"state":{}}}`)
	w.must(201, "POST", "/v1/resource-definitions/old/resources/bravo", "")
	if got := w.must(200, "GET", "/v1/resource-definitions/old", ""); !strings.Contains(got, `"Aux/pm/vmid":"100"`) {
		t.Error(got)
	}
}

// Rule 7: paging and filters.
func TestFilters(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"other","props":{"Aux/Incus/name":"X","Aux/Incus/type":"Y"}}}`)
	w.must(201, "POST", "/v1/resource-definitions/other/volume-definitions", `{"volume_definition":{"size_kib":8192}}`)
	w.must(201, "POST", "/v1/resource-definitions/other/resources/alpha", `{"resource":{"props":{"Aux/r":"1"}}}`)
	w.must(200, "PUT", "/v1/nodes/alpha", `{"override_props":{"Aux/site":"a"}}`)
	for _, c := range []struct {
		path, key string
		want      string
	}{
		{"/v1/nodes?offset=0&limit=0", "name", "alpha bravo"},
		{"/v1/nodes?limit=1", "name", "alpha"},
		{"/v1/nodes?limit=1&offset=1", "name", "bravo"},
		{"/v1/nodes?limit=1&offset=9", "name", ""},
		{"/v1/nodes?offset=1", "name", "alpha bravo"},
		{"/v1/nodes?nodes=BRAVO&nodes=charlie&unknown=1", "name", "bravo"},
		{"/v1/nodes?props=Aux/site", "name", "alpha"},
		{"/v1/nodes?props=Aux/site%3Da&props=NodeUname%3Dalpha", "name", "alpha"},
		{"/v1/nodes?props=Aux/site%3Db", "name", ""},
		{"/v1/view/storage-pools?cached=true&storage_pools=SWPOOL", "node_name", "alpha bravo"},
		{"/v1/view/storage-pools?nodes=bravo", "storage_pool_name", "DfltDisklessStorPool swpool"},
		{"/v1/nodes/bravo/storage-pools?storage_pools=swpool", "node_name", "bravo"},
		{"/v1/view/resources", "name", "backups backups other"},
		{"/v1/view/resources/?cached=true", "node_name", "alpha bravo alpha"},
		{"/v1/view/resources?resources=OTHER&resources=nobody", "node_name", "alpha"},
		{"/v1/view/resources?nodes=Alpha", "name", "backups other"},
		{"/v1/view/resources?resources=backups&nodes=bravo", "node_name", "bravo"},
		{"/v1/view/resources?storage_pools=DfltDisklessStorPool", "name", ""},
		{"/v1/view/resources?props=Aux/r%3D1", "name", "other"},
		{"/v1/view/resources?limit=1&offset=1", "node_name", "bravo"},
		{"/v1/view/resources?nodes=ALPHA,bravo&resources=Backups,other", "node_name", "alpha bravo alpha"},
		{"/v1/resource-definitions?resource_definitions=OTHER", "name", "other"},
		{"/v1/resource-definitions?props=Aux/Incus/name=X&props=Aux/Incus/type=Y", "name", "other"},
		{"/v1/resource-definitions?props=Aux/Incus/name=X&props=Aux/Incus/type=Z", "name", ""},
		{"/v1/resource-groups?resource_groups=dfltrscgrp", "name", "DfltRscGrp"},
		{"/v1/error-reports/?since=1&withContent=False", "filename", ""},
		{"/v1/view/snapshots", "name", ""},
	} {
		body := w.must(200, "GET", c.path, "")
		if got := strings.Join(names(t, body, c.key), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.path, got, c.want)
		}
	}
}

// Rule 8: one segment may hold escaped slashes, and a property's key raw ones.
func TestSlashesInThePath(t *testing.T) {
	w := newWeb(t)
	w.must(201, "POST", "/v1/controller/properties", `{"override_props":{"Aux/smoke/a":"1","Aux/b":"1"}}`)
	w.must(200, "DELETE", "/v1/controller/properties/Aux/smoke/a", "")
	w.must(200, "DELETE", "/v1/controller/properties/Aux%2Fb", "")
	if got := w.must(200, "GET", "/v1/controller/properties/", ""); strings.Contains(got, "Aux") {
		t.Error(got)
	}
	w.must(404, "GET", "/v1/files/%2Fetc%2Fdrbd-reactor.d%2Fx.toml", "")
	w.must(501, "PUT", "/v1/files/%2Fetc%2Fdrbd-reactor.d%2Fx.toml", "{}")
	w.must(501, "POST", "/v1/resource-definitions/r/files/%2Fetc%2Fx", "")
	w.must(404, "GET", "/v1//nodes", "")
}

// A node may be called like a literal part of a path.
func TestNamesThatAreRoutes(t *testing.T) {
	w := newWeb(t)
	w.must(201, "POST", "/v1/nodes", `{"name":"properties","net_interfaces":[{"name":"default","address":"10.0.0.1"}]}`)
	if got := w.must(200, "GET", "/v1/nodes/properties", ""); !strings.Contains(got, `"name":"properties"`) {
		t.Error(got)
	}
	w.must(200, "DELETE", "/v1/nodes/properties", "")
}

// Rule 10: a key-value store comes as an array of one.
func TestKeyValueStore(t *testing.T) {
	w := newWeb(t)
	w.must(200, "PUT", "/v1/key-value-store/__gui__settings", `{"override_props":{"a":1,"b/c":"2"}}`)
	wantNames(t, w.must(200, "GET", "/v1/key-value-store/__GUI__settings", ""), "name", "__gui__settings")
	w.must(200, "PUT", "/v1/key-value-store/__gui__settings", `{"delete_namespaces":["b"],"delete_props":["a"]}`)
	w.must(404, "GET", "/v1/key-value-store/__gui__settings", "")
}

// A pool that came from a list can be sent back; a space that is shared can't be had.
func TestSharedSpace(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	for i, space := range []string{"alpha:pool3", "Alpha;POOL3"} {
		w.must(201, "POST", "/v1/nodes/alpha/storage-pools", `{"storage_pool_name":"pool3","provider_kind":"FILE_THIN","free_space_mgr_name":"`+space+`","props":{"StorDriver/FileDir":"/srv/p"},"supports_snapshots":false,"external_locking":false}`)
		if i == 0 {
			w.must(200, "DELETE", "/v1/nodes/alpha/storage-pools/pool3", "")
		}
	}
	for _, body := range []string{`{"storage_pool_name":"pool4","provider_kind":"LVM","free_space_mgr_name":"san","props":{"StorDriver/LvmVg":"x"}}`,
		`{"storage_pool_name":"pool4","provider_kind":"LVM","external_locking":true,"props":{"StorDriver/LvmVg":"x"}}`} {
		if l := rcs(t, w.must(500, "POST", "/v1/nodes/alpha/storage-pools", body)); !l[0].RetCode.Is(api.FailStltDoesNotSupportProvider) {
			t.Errorf("%+v", l)
		}
	}
}

// A key is a path: slashes around it are nothing.
func TestKeysArePaths(t *testing.T) {
	w := newWeb(t)
	w.must(200, "PUT", "/v1/key-value-store/notes", `{"override_props":{"/a":"1","b//c/":"2","/d/e":"3"}}`)
	if got := w.must(200, "GET", "/v1/key-value-store/notes", ""); !strings.Contains(got, `{"a":"1","b/c":"2","d/e":"3"}`) {
		t.Error(got)
	}
	w.must(200, "PUT", "/v1/key-value-store/notes", `{"delete_props":["/a","b/c"],"delete_namespaces":["/d/"]}`)
	w.must(404, "GET", "/v1/key-value-store/notes", "")
	w.must(201, "POST", "/v1/controller/properties", `{"override_props":{"/Aux/x":"1"}}`)
	w.must(200, "DELETE", "/v1/controller/properties/%2FAux%2Fx", "")
	if got := w.must(200, "GET", "/v1/controller/properties", ""); strings.Contains(got, "Aux") {
		t.Error(got)
	}
}

// Rule 11: in_use is null while nobody knows.
func TestInUseIsUnknownWhileTheNodeIsAway(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	get := func() (r api.ResourceWithVolumes) {
		var l []api.ResourceWithVolumes
		if err := json.Unmarshal([]byte(w.must(200, "GET", "/v1/view/resources?resources=backups&nodes=bravo", "")), &l); err != nil || len(l) != 1 {
			t.Fatal(err, l)
		}
		return l[0]
	}
	if r := get(); r.State == nil || *r.State.InUse || r.Holdfast.Condition != "ok" || r.Volumes[0].State.DiskState != "UpToDate" {
		t.Errorf("%+v", r)
	}
	w.b.see(t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		tx.SeeResource(d.UUID, d.On("bravo").UUID, nil)
		tx.SeeNode("bravo", &model.NodeObserved{Status: model.StatusOffline, Reason: "no answer for 10 s"})
	})
	r := get()
	if r.State != nil || r.Volumes[0].State != nil || r.Holdfast.Condition != "waiting" || r.Holdfast.Reasons[0].Cause != "no answer for 10 s" {
		t.Errorf("%+v %+v", r, r.Holdfast)
	}
	// A node that only comes or goes changes what is said of its replicas: what was kept is made again.
	w.online("bravo", model.DRBD9)
	if r := get(); r.Holdfast.Reasons[0].Kind != "unreported" {
		t.Errorf("%+v", r.Holdfast)
	}
}

// The guard's reason is shown with the replica that it holds back.
func TestReasonOfTheGuard(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	body := w.must(200, "DELETE", "/v1/resource-definitions/backups/resources/alpha?async=true", "")
	if !w.b.async[len(w.b.async)-1] {
		t.Error("async was not passed on", body)
	}
	l := rcs(t, w.must(500, "DELETE", "/v1/resource-definitions/backups/volume-definitions/zero", ""))
	if !l[0].RetCode.Is(api.FailInvldVlmNr) {
		t.Errorf("%+v", l)
	}
	w.b.see(t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		st := good(d.ResourceDefinition, d.On("bravo"))
		st.Volumes[0].Disk = model.DiskInconsistent
		tx.SeeResource(d.UUID, st.ID, st)
	})
	got := w.must(200, "GET", "/v1/resource-definitions/backups/resources/alpha", "")
	if !strings.Contains(got, "last good copy") || !strings.Contains(got, "backups on bravo is Inconsistent") || !strings.Contains(got, "--lose=backups") {
		t.Error(got)
	}
}

// A refusal to remove the last good copy names what to type; the name, typed, is passed on.
func TestLose(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.b.see(t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition("backups")
		tx.SeeResource(d.UUID, d.On("bravo").UUID, nil)
		tx.SeeNode("bravo", &model.NodeObserved{Status: model.StatusOffline})
	})
	l := rcs(t, w.must(500, "DELETE", "/v1/resource-definitions/backups/resources/alpha", ""))
	if !l[0].RetCode.Is(api.FailInsufficientReplicaCount) || !strings.Contains(l[0].Correction, "--lose=backups") {
		t.Errorf("%+v", l)
	}
	w.must(500, "DELETE", "/v1/resource-definitions/backups/resources/alpha?lose=other", "")
	w.must(200, "DELETE", "/v1/resource-definitions/backups/resources/alpha?lose=other&lose=BACKUPS", "")
}

// A plan is not carried out, nor is a change whose plan can't be shown.
func TestPlan(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	if b := w.must(200, "DELETE", "/v1/resource-definitions/backups?plan=true", ""); !strings.Contains(b, "no copy would remain") {
		t.Errorf("%s", b)
	}
	w.must(500, "PUT", "/v1/resource-definitions/backups?plan=true", `{"override_props":{"Aux/a":"b"}}`)
	if w.b.Snapshot().Definition("backups").Props["Aux/a"] != "" {
		t.Error("the change was made")
	}
	w.must(200, "GET", "/v1/resource-definitions/backups?plan=true", "")
	if w.b.Snapshot().Definition("backups").Deleting {
		t.Error("it was carried out")
	}
}

// What a node couldn't do is an error of the answer, behind what was stored.
func TestAnswerOfANodeThatFails(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.b.after = []fault.Note{{Severity: fault.Failure, Kind: fault.NotApplied, Op: fault.Modify, Object: fault.Resource, Message: "Node 'alpha' failed.", Cause: "no space"}}
	l := rcs(t, w.must(500, "PUT", "/v1/resource-definitions/backups", `{"override_props":{"Aux/a":"b"}}`))
	if len(l) != 2 || l[0].RetCode.IsError() || !l[1].RetCode.Is(api.FailUnknownError) {
		t.Errorf("%+v", l)
	}
	w.b.err = errors.New("torn")
	l = rcs(t, w.must(500, "PUT", "/v1/resource-definitions/backups", `{}`))
	if !l[0].RetCode.Is(api.FailImplError) {
		t.Errorf("%+v", l)
	}
}

func TestHealthAndHead(t *testing.T) {
	w := newWeb(t)
	if rec := w.send("GET", "/health", ""); rec.Code != 200 || rec.Body.Len() != 0 {
		t.Error(rec.Code, rec.Body)
	}
	if rec := w.send("HEAD", "/v1/nodes", ""); rec.Code != 200 || rec.Body.Len() != 0 || rec.Header().Get("Content-Length") != "2" {
		t.Error(rec.Code, rec.Body, rec.Header())
	}
	if rec := w.send("OPTIONS", "/v1/nodes", ""); rec.Code != 200 || rec.Header().Get("Allow") != "GET, POST" {
		t.Error(rec.Code, rec.Header())
	}
	w.must(200, "GET", "/", "")
}

func TestBodyIsBounded(t *testing.T) {
	b := newCluster(t)
	h := New(b, Info{}, Limits{Body: 100}, discard())
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("POST", "/v1/nodes", strings.NewReader(`{"name":"`+strings.Repeat("x", 200)+`"}`)))
	if rec.Code != http.StatusRequestEntityTooLarge || !rcs(t, rec.Body.String())[0].RetCode.Is(api.APICallParseError) {
		t.Error(rec.Code, rec.Body)
	}
}

// Every row of the table says what it is, and no two rows are the same.
// An empty layer stack takes a group's away; one that isn't there leaves it.
func TestLayerStackReset(t *testing.T) {
	w := newWeb(t)
	w.must(201, "POST", "/v1/resource-groups", `{"name":"plain","select_filter":{"place_count":2,"layer_stack":["storage"]}}`)
	w.must(200, "PUT", "/v1/resource-groups/plain", `{"select_filter":{"place_count":3}}`)
	if s := w.must(200, "GET", "/v1/resource-groups/plain", ""); !strings.Contains(s, `"layer_stack":["STORAGE"]`) {
		t.Errorf("it is gone: %s", s)
	}
	w.must(200, "PUT", "/v1/resource-groups/plain", `{"select_filter":{"layer_stack":[]}}`)
	if s := w.must(200, "GET", "/v1/resource-groups/plain", ""); strings.Contains(s, `layer_stack`) || !strings.Contains(s, `"place_count":3`) {
		t.Errorf("it is still there: %s", s)
	}
	w.must(201, "POST", "/v1/resource-groups/plain/spawn", `{"resource_definition_name":"r1","volume_sizes":[8192],"definitions_only":true}`)
	if s := w.must(200, "GET", "/v1/resource-definitions/r1", ""); !strings.Contains(s, `"type":"DRBD"`) {
		t.Errorf("no default layers: %s", s)
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range routes() {
		key := r.method + " " + r.pattern
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if r.doc == "" || (r.read == nil) == (r.change == nil) {
			t.Errorf("%s: doc %q, read %t, change %t", key, r.doc, r.read != nil, r.change != nil)
		}
		if r.change != nil && (r.op == fault.NoOp || r.obj == fault.NoObject || r.ok == 0) {
			t.Errorf("%s: a change needs operation, object and status", key)
		}
	}
	if len(seen) < 181 {
		t.Errorf("%d routes; LINSTOR's specification has 181", len(seen))
	}
}

// Nothing that is sent makes the server panic or answer something else than JSON.
func FuzzDecode(f *testing.F) {
	paths := []string{"/v1/nodes", "/v1/resource-definitions", "/v1/resource-groups", "/v1/resource-groups/DfltRscGrp/spawn",
		"/v1/resource-definitions/r1/resources", "/v1/resource-definitions/r1/autoplace", "/v1/resource-definitions/r1/volume-definitions",
		"/v1/nodes/a1/storage-pools", "/v1/controller/properties"}
	for i, body := range []string{`{"name":"a1","net_interfaces":[{"name":"default","address":"10.0.0.1"}]}`, `{"resource_definition":{"name":"r1"}}`,
		`{"name":"g1","select_filter":{"place_count":"2"}}`, `{"volume_sizes":["1",2]}`, `[{"resource":{"node_name":"a1"}}]`, `{}`, `[`, `"`, `{"a":{"b":[{}]}}`} {
		f.Add(uint8(i), []byte(body))
	}
	w := newWeb(f)
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, httptest.NewRequest("POST", paths[int(i)%len(paths)], strings.NewReader(string(body))))
		if !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%d %q", rec.Code, rec.Body)
		}
		for _, rc := range rcs(t, rec.Body.String()) {
			if rc.RetCode.Is(api.FailImplError) {
				t.Fatalf("%q: %+v", body, rc)
			}
		}
	})
}
