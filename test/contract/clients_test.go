package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/api"
)

// Other public clients' calls, in the order in which they make them, with what they send and what they read: linstor-clients
// 2.2. Each was played by the client itself once; here is what it depends on.

// talk is a client of the REST API that knows nothing but HTTP and JSON.
type talk struct {
	t   *testing.T
	url string
}

// clients is a cluster of three nodes with a thin pool on each, and a client.
func clients(t *testing.T) talk {
	t.Helper()
	c := start(t, "alpha", "bravo", "charlie")
	w := talk{t, strings.Replace(c.url, "linstor://", "http://", 1)}
	for i, n := range c.nodes {
		name, at, _ := strings.Cut(n, "=")
		_, port, _ := strings.Cut(at, ":")
		prepare(t, c, name, "lvcreate -T -L 1G --poolmetadatasize 4M sw_ssd/thin")
		w.must(201, "POST", "/v1/nodes", fmt.Sprintf(`{"name":%q,"type":"satellite","net_interfaces":[{"name":"default","address":%q,"satellite_port":%s,"satellite_encryption_type":"Plain"}]}`,
			name, address(i), port))
		w.must(201, "POST", "/v1/nodes/"+name+"/storage-pools", `{"storage_pool_name":"thin","provider_kind":"LVM_THIN","props":{"StorDriver/StorPoolName":"sw_ssd/thin"}}`)
	}
	return w
}

// send gives the status and the answer.
func (w talk) send(method, path, body string) (int, []byte) {
	w.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, in)
	check(w.t, err)
	resp, err := http.DefaultClient.Do(req)
	check(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	check(w.t, err)
	return resp.StatusCode, b
}

// must gives what the answer holds: nil, a map, a list, a number, a word.
func (w talk) must(status int, method, path, body string) (out any) {
	w.t.Helper()
	got, b := w.send(method, path, body)
	if got != status {
		w.t.Fatalf("%s %s %s: %d, want %d: %s", method, path, body, got, status, b)
	}
	if len(b) > 0 {
		check(w.t, json.Unmarshal(b, &out))
	}
	return out
}

// refused looks at the code, as golinstor does: without the operation and the object.
func (w talk) refused(status int, code api.Code, method, path, body string) {
	w.t.Helper()
	got, b := w.send(method, path, body)
	var rcs api.ApiCallRcList
	check(w.t, json.Unmarshal(b, &rcs))
	if got != status || !slices.ContainsFunc(rcs, func(rc api.ApiCallRc) bool { return rc.RetCode.Is(code) }) {
		w.t.Errorf("%s %s %s: %d, want %d with code %d: %s", method, path, body, got, status, code, b)
	}
}

// at walks into an answer: a key of a map, the place in a list; nil where there is nothing.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// on is the entry of a node in a list of resources.
func on(v any, node string) any {
	l, _ := v.([]any)
	for _, r := range l {
		if at(r, "node_name") == node {
			return r
		}
	}
	return nil
}

// The Proxmox plugin: a disk for a machine, 3 MiB for its firmware, a snapshot and its backup, a machine that moves.
func TestProxmoxCalls(t *testing.T) {
	t.Parallel()
	w := clients(t)
	w.must(201, "POST", "/v1/resource-groups", `{"name":"pve","select_filter":{"place_count":2,"storage_pool":"thin"}}`)
	w.must(201, "POST", "/v1/resource-groups/pve/volume-groups", `{}`)
	w.must(200, "GET", "/health", "")
	if all := w.must(200, "POST", "/v1/queries/resource-groups/query-all-size-info", `{"ignore_cache_older_than_sec":30}`); at(all, "result", "pve", "space_info", "capacity_in_kib") == nil ||
		at(all, "result", "pve", "space_info", "available_size_in_kib") == nil {
		t.Fatalf("no space: %v", all)
	}
	w.must(201, "POST", "/v1/resource-groups/pve/spawn",
		`{"resource_definition_name":"pm-11111111","definitions_only":false,"volume_sizes":[65536],"resource_definition_props":{"DrbdOptions/ExactSize":"False","DrbdOptions/Net/allow-two-primaries":"no"}}`)
	w.must(200, "PUT", "/v1/resource-definitions/pm-11111111", `{"override_props":{"Aux/pm/vmid":100}}`)

	w.must(201, "POST", "/v1/resource-groups/pve/spawn", `{"resource_definition_name":"vm-100-efi","definitions_only":true,"volume_sizes":[3072],"resource_definition_props":{"DrbdOptions/ExactSize":"False"}}`)
	w.must(200, "POST", "/v1/resource-definitions/vm-100-efi/resources/charlie/make-available", `{"diskful":true}`)
	w.must(201, "POST", "/v1/resource-definitions/vm-100-efi/autoplace", `{}`)
	if k := at(w.must(200, "GET", "/v1/view/resources?resources=vm-100-efi&nodes=charlie", ""), 0, "layer_object", "drbd", "drbd_volumes", 0, "usable_size_kib"); k == nil || k.(float64) < 3072 || k.(float64) > 4096 {
		t.Errorf("3 MiB are %v KiB; a backup of a firmware's disk bears 4 MiB of difference", k)
	}

	// A machine comes to each node and goes; PVE may ask for the leaving twice.
	const rsc = "/v1/resource-definitions/pm-11111111/resources"
	for range 2 {
		for _, n := range []string{"alpha", "bravo", "charlie"} {
			w.must(200, "POST", rsc+"/"+n+"/make-available", `{"diskful":false}`)
		}
		view := w.must(200, "GET", "/v1/view/resources", "")
		diskless := ""
		for _, n := range []string{"alpha", "bravo", "charlie"} {
			r := on(view, n)
			if at(r, "volumes", 0, "provider_kind") == "DISKLESS" && at(r, "name") == "pm-11111111" {
				diskless = n
			}
		}
		if diskless == "" {
			t.Fatalf("nobody has it without a disk: %v", view)
		}
		for range 3 {
			w.must(200, "DELETE", rsc+"/"+diskless+"?keep_tiebreaker=True", "")
		}
		if r := on(w.must(200, "GET", rsc, ""), diskless); r == nil || !strings.Contains(fmt.Sprint(at(r, "flags")), "TIE_BREAKER") {
			t.Fatalf("the tie-breaker is gone: %v", r)
		}
	}

	// A backup: a snapshot, a resource made of it, both gone again.
	w.must(201, "POST", "/v1/resource-definitions/pm-11111111/snapshots", `{"name":"snap_pm-11111111_vzdump"}`)
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"snap_pm-11111111_vzdump"}}`)
	w.must(200, "POST", "/v1/resource-definitions/pm-11111111/snapshot-restore-volume-definition/snap_pm-11111111_vzdump", `{"to_resource":"snap_pm-11111111_vzdump"}`)
	w.must(200, "POST", "/v1/resource-definitions/pm-11111111/snapshot-restore-resource/snap_pm-11111111_vzdump", `{"to_resource":"snap_pm-11111111_vzdump"}`)
	w.must(200, "POST", "/v1/resource-definitions/snap_pm-11111111_vzdump/resources/charlie/make-available", `{"diskful":false}`)
	w.must(200, "DELETE", "/v1/resource-definitions/snap_pm-11111111_vzdump", "")
	w.must(200, "DELETE", "/v1/resource-definitions/pm-11111111/snapshots/snap_pm-11111111_vzdump", "")
	w.must(200, "PUT", "/v1/resource-definitions/pm-11111111/volume-definitions/0", `{"size_kib":131072.0}`)
	w.must(200, "DELETE", "/v1/resource-definitions/pm-11111111", "")
}

// The CSI driver: volumes with a file system, a snapshot that outlives its volume, and a volume made of it.
func TestCSICalls(t *testing.T) {
	t.Parallel()
	w := clients(t)
	const defs = "/v1/resource-definitions"
	w.must(404, "GET", "/v1/resource-groups/sc", "")
	w.must(201, "POST", "/v1/resource-groups", `{"name":"sc","select_filter":{}}`)
	w.must(200, "PUT", "/v1/resource-groups/sc", `{"override_props":{"DrbdOptions/auto-quorum":"suspend-io","DrbdOptions/Net/rr-conflict":"retry-connect"},"select_filter":{"place_count":2,"storage_pool_list":["thin"],"layer_stack":["DRBD","STORAGE"]}}`)
	create := func(name string, kib int) {
		t.Helper()
		w.must(404, "GET", defs+"/"+name, "")
		w.must(201, "POST", defs, fmt.Sprintf(`{"resource_definition":{"name":%q,"resource_group_name":"sc"}}`, name))
		w.must(404, "GET", defs+"/"+name+"/volume-definitions/0", "")
		w.must(201, "POST", defs+"/"+name+"/volume-definitions", fmt.Sprintf(`{"volume_definition":{"volume_number":0,"size_kib":%d,"props":{"FileSystem/Type":"ext4","FileSystem/MkfsParams":""}}}`, kib))
	}
	place := func(name string) {
		t.Helper()
		w.must(201, "POST", defs+"/"+name+"/autoplace", `{"select_filter":{}}`)
		w.must(200, "PUT", defs+"/"+name, `{"override_props":{"Aux/csi-volume-annotations":"{}"}}`)
	}
	create("pvc-1", 65536)
	place("pvc-1")
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		w.must(200, "POST", defs+"/pvc-1/resources/"+n+"/make-available", `{}`)
		if p := at(w.must(200, "GET", defs+"/pvc-1/resources/"+n+"/volumes/0", ""), "device_path"); p != "/dev/drbd1000" {
			t.Errorf("the device on %s is %v", n, p)
		}
	}
	// The driver takes a replica without a promotion score for ill.
	view := w.must(200, "GET", "/v1/view/resources?resources=pvc-1&limit=0&offset=0", "")
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		if r := on(view, n); at(r, "state", "in_use") != false || at(r, "layer_object", "drbd", "promotion_score") == nil {
			t.Errorf("ill: %v", r)
		}
	}

	// Before it takes a snapshot, it looks for one of that name everywhere, backups in remotes among it.
	if l := w.must(200, "GET", "/v1/view/snapshots", ""); len(l.([]any)) != 0 {
		t.Fatalf("there are snapshots: %v", l)
	}
	w.must(404, "GET", "/v1/key-value-store/linstor-csi-backup-mapping", "")
	if l, ok := at(w.must(200, "GET", "/v1/remotes", ""), "s3_remotes").([]any); !ok || len(l) != 0 {
		t.Fatal("no list of remotes")
	}
	w.must(201, "POST", "/v1/actions/snapshot/multi", `{"snapshots":[{"name":"snapshot-1","resource_name":"pvc-1"}]}`)
	sn := at(w.must(200, "GET", "/v1/view/snapshots", ""), 0)
	if at(sn, "name") != "snapshot-1" || at(sn, "flags", 0) != "SUCCESSFUL" || at(sn, "snapshots", 0, "create_timestamp") == nil || at(sn, "volume_definitions", 0, "size_kib") != 65536.0 {
		t.Fatalf("%v", sn)
	}

	// Its volume goes first. What is restored later keeps the file system that it has, and gets no new one.
	gone := func(name string) {
		t.Helper()
		w.must(200, "PUT", defs+"/"+name, `{"override_props":{"BalanceResourcesEnabled":"false"}}`)
		l := w.must(200, "GET", defs+"/"+name+"/resources", "").([]any)
		for _, diskless := range []bool{true, false} {
			for _, r := range l {
				if strings.Contains(fmt.Sprint(at(r, "flags")), "DISKLESS") == diskless {
					w.must(200, "DELETE", fmt.Sprintf("%s/%s/resources/%v", defs, name, at(r, "node_name")), "")
				}
			}
		}
		w.must(200, "DELETE", defs+"/"+name+"/volume-definitions/0", "")
		w.must(200, "PUT", defs+"/"+name, `{"delete_props":["BalanceResourcesEnabled"]}`)
		if l := w.must(200, "GET", defs+"/"+name+"/resources", "").([]any); len(l) != 0 {
			t.Fatalf("still there: %v", l)
		}
	}
	gone("pvc-1")
	if l := w.must(200, "GET", defs+"/pvc-1/snapshots", "").([]any); len(l) != 1 {
		t.Fatalf("the snapshot is gone: %v", l)
	}
	w.must(201, "POST", defs, `{"resource_definition":{"name":"pvc-2","resource_group_name":"sc"}}`)
	w.must(200, "POST", defs+"/pvc-1/snapshot-restore-volume-definition/snapshot-1", `{"to_resource":"pvc-2"}`)
	w.must(200, "POST", defs+"/pvc-1/snapshot-restore-resource/snapshot-1", fmt.Sprintf(`{"to_resource":"pvc-2","nodes":[%q]}`, at(sn, "nodes", 0)))
	w.must(200, "PUT", defs+"/pvc-2/volume-definitions/0", `{"size_kib":98304}`)
	place("pvc-2")
	for _, r := range w.must(200, "GET", "/v1/view/resources?resources=pvc-2", "").([]any) {
		if why := fmt.Sprint(at(r, "holdfast", "reasons")); strings.Contains(why, "file system") {
			t.Fatalf("it is told to make a file system on what was restored: %s", why)
		}
	}
	w.must(200, "DELETE", defs+"/pvc-1/snapshots/snapshot-1", "")
	w.must(200, "DELETE", defs+"/pvc-1", "")
	w.refused(500, api.FailExistsRscDfn, "DELETE", "/v1/resource-groups/sc", "")
	w.refused(500, api.FailExistsRscGrp, "POST", "/v1/resource-groups", `{"name":"sc"}`)
	w.refused(500, api.FailExistsRscDfn, "POST", defs, `{"resource_definition":{"name":"pvc-2","resource_group_name":"sc"}}`)
	w.refused(500, api.FailExistsVlmDfn, "POST", defs+"/pvc-2/volume-definitions", `{"volume_definition":{"volume_number":0,"size_kib":65536}}`)
	w.refused(500, api.FailNotEnoughNodes, "POST", defs+"/pvc-2/autoplace", `{"select_filter":{"place_count":5}}`)
}

// Incus: a machine's volume is a block volume and a small file system's, found by properties; what the Docker plugin and the
// gateway leave empty beside it.
func TestIncusCalls(t *testing.T) {
	t.Parallel()
	w := clients(t)
	const defs = "/v1/resource-definitions"
	// The group may ask for more than there is, and for a pool that nobody has; it is mended later.
	w.must(201, "POST", "/v1/resource-groups", `{"name":"incus","description":"of Incus","select_filter":{"place_count":7,"storage_pool":"nopool"}}`)
	w.must(200, "PUT", "/v1/resource-groups/incus", `{"override_props":{"DrbdOptions/Disk/rs-discard-granularity":"1048576","DrbdOptions/auto-diskful":"60"},"select_filter":{}}`)
	w.must(200, "PUT", "/v1/resource-groups/incus", `{"delete_props":["DrbdOptions/auto-diskful"],"select_filter":{"place_count":2,"storage_pool":"thin"}}`)
	if g := w.must(200, "GET", "/v1/resource-groups/incus", ""); at(g, "select_filter", "place_count") != 2.0 || at(g, "select_filter", "storage_pool_list", 0) != "thin" ||
		at(g, "props", "DrbdOptions/auto-diskful") != nil {
		t.Fatalf("%v", g)
	}
	vm := defs + "/incus-volume-1"
	w.must(201, "POST", "/v1/resource-groups/incus/spawn", `{"resource_definition_name":"incus-volume-1","volume_sizes":[65536,40960],"select_filter":{},"definitions_only":true}`)
	w.must(200, "PUT", vm, `{"override_props":{"DrbdOptions/ExactSize":"true"}}`)
	w.must(200, "PUT", vm, `{"override_props":{"Aux/Incus/name":"incus-volume-default_v1","Aux/Incus/type":"virtual-machines","DrbdOptions/Net/allow-two-primaries":"yes"}}`)
	w.must(201, "POST", vm+"/autoplace", `{"select_filter":{}}`)
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		w.must(200, "POST", vm+"/resources/"+n+"/make-available", `{}`)
		if l := w.must(200, "GET", vm+"/resources/"+n+"/volumes", ""); at(l, 0, "device_path") != "/dev/drbd1000" || at(l, 1, "device_path") != "/dev/drbd1001" {
			t.Errorf("volumes on %s: %v", n, l)
		}
	}
	find := func(typ string) int {
		t.Helper()
		return len(w.must(200, "GET", defs+"?props=Aux%2FIncus%2Fname%3Dincus-volume-default_v1&props=Aux%2FIncus%2Ftype%3D"+typ+"&with_volume_definitions=true", "").([]any))
	}
	if find("virtual-machines") != 1 || find("custom") != 0 {
		t.Error("it isn't found by its properties")
	}
	w.must(201, "POST", vm+"/snapshots", `{"name":"incus-volume-s1","resource_name":"incus-volume-1"}`)
	w.must(200, "PUT", vm, `{"override_props":{"Aux/Incus/snapshot-name/snap0":"incus-volume-s1"}}`)
	w.must(404, "GET", vm+"/snapshots/nothing", "")
	w.must(200, "POST", vm+"/snapshot-rollback/incus-volume-s1", "")

	w.must(201, "POST", vm+"/clone", `{"name":"incus-volume-2","resource_group":"incus"}`)
	deadline, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for at(w.must(200, "GET", vm+"/clone/incus-volume-2", ""), "status") != "COMPLETE" {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline.Done():
			t.Fatal("the clone is not complete after a minute")
		}
	}
	w.refused(500, api.FailInvldProp, "PUT", vm+"/volume-definitions/1", `{"size_kib":81920}`)
	for range 2 {
		w.must(200, "PUT", defs+"/incus-volume-2", `{"delete_props":["DrbdOptions/ExactSize"]}`)
	}
	w.must(200, "PUT", defs+"/incus-volume-2/volume-definitions/1", `{"size_kib":81920}`)
	w.must(200, "DELETE", defs+"/incus-volume-2", "")
	if code, _ := w.send("DELETE", vm, ""); code != 500 {
		t.Errorf("a definition with a snapshot is deleted: %d", code)
	}
	w.must(200, "DELETE", vm+"/snapshots/incus-volume-s1", "")
	w.must(200, "DELETE", vm, "")
	w.must(200, "DELETE", vm, "") // not there: as good as deleted
	w.must(200, "DELETE", "/v1/resource-groups/incus", "")

	w.must(201, "POST", defs, `{"resource_definition":{"name":"docker","props":{"Aux/is-linstor-docker-volume":"true","FileSystem/Type":"ext4","FileSystem/MkfsParams":""}}}`)
	w.must(201, "POST", defs+"/docker/volume-definitions", `{"volume_definition":{"size_kib":65536}}`)
	w.must(201, "POST", defs+"/docker/volume-definitions", `{"volume_definition":{"volume_number":1,"size_kib":65536,"props":{"FileSystem/Type":"ext4","FileSystem/User":"","FileSystem/Group":""}}}`)
}
