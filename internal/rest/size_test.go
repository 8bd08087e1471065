package rest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// sized makes nodes with pools of that many free GiB of 100.
func sized(t *testing.T, free map[string]int64) *web {
	w := newWeb(t)
	i := 0
	for _, n := range []string{"alpha", "bravo", "charlie"} {
		if _, ok := free[n]; !ok {
			continue
		}
		i++
		w.must(201, "POST", "/v1/nodes", fmt.Sprintf(`{"name":%q,"type":"Satellite","net_interfaces":[{"name":"default","address":"10.77.0.%d"}]}`, n, i))
		w.online(n, model.DRBD9)
		w.must(201, "POST", "/v1/nodes/"+n+"/storage-pools", `{"storage_pool_name":"swpool","provider_kind":"LVM","props":{"StorDriver/StorPoolName":"sw_ssd"}}`)
		w.b.see(t, func(tx *state.Tx) {
			x := tx.Snapshot().Node(n)
			o := *x.Seen
			o.Pools = []model.PoolStatus{{UUID: x.Pool("swpool").UUID, Name: "swpool", FreeKiB: free[n] << 20, TotalKiB: 100 << 20}}
			tx.SeeNode(n, &o)
		})
	}
	return w
}

func get[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

func TestQuerySizeInfo(t *testing.T) {
	w := sized(t, map[string]int64{"alpha": 10, "bravo": 20, "charlie": 40})
	ask := func(body string) *api.QuerySizeInfoSpaceInfo {
		t.Helper()
		return get[api.QuerySizeInfoResponse](t, w.must(200, "POST", "/v1/resource-groups/DfltRscGrp/query-size-info", body)).SpaceInfo
	}
	// Two replicas: bravo's 20 GiB bound one volume; all volumes together take 10 of alpha, 20 of bravo, 30 of charlie.
	two := ask(`{}`)
	if two.MaxVolumeSizeKib >= 20<<20 || two.MaxVolumeSizeKib < 20<<20-8<<10 || two.AvailableSizeKib != 30<<20 || two.CapacityKib != 150<<20 {
		t.Fatalf("%+v", two)
	}
	if len(two.NextSpawnResult) != 2 || two.NextSpawnResult[0].NodeName != "charlie" || two.NextSpawnResult[1].NodeName != "bravo" || two.NextSpawnResult[0].OversubscriptionRatio != 1 {
		t.Fatalf("%+v", two.NextSpawnResult)
	}
	// What it says fits fits, and one step more doesn't.
	w.must(500, "POST", "/v1/resource-groups/DfltRscGrp/spawn", fmt.Sprintf(`{"resource_definition_name":"large","volume_sizes":[%d]}`, two.MaxVolumeSizeKib+8192))
	w.must(201, "POST", "/v1/resource-groups/DfltRscGrp/spawn", fmt.Sprintf(`{"resource_definition_name":"large","volume_sizes":[%d]}`, two.MaxVolumeSizeKib))
	if after := ask(`{}`); after.MaxVolumeSizeKib >= 10<<20 || after.MaxVolumeSizeKib < 9<<20 {
		t.Fatalf("%+v", after)
	}
	// The python client sends numbers as strings.
	if three := ask(`{"select_filter":{"place_count":"3"},"ignore_cache_older_than_sec":-1}`); three.MaxVolumeSizeKib != 0 || three.AvailableSizeKib > 8<<10 {
		t.Fatalf("bravo is full: %+v", three)
	}
	none := get[api.QuerySizeInfoResponse](t, w.must(200, "POST", "/v1/resource-groups/DfltRscGrp/query-size-info", `{"select_filter":{"place_count":4}}`))
	if none.SpaceInfo.MaxVolumeSizeKib != 0 || len(none.Reports) != 1 || none.Reports[0].RetCode.IsError() || none.Reports[0].Details == "" {
		t.Fatalf("%+v", none)
	}
	w.must(404, "POST", "/v1/resource-groups/nobody/query-size-info", `{}`)
	all := get[api.QueryAllSizeInfoResponse](t, w.must(200, "POST", "/v1/queries/resource-groups/query-all-size-info", ``))
	if len(all.Result) != 1 || all.Result["DfltRscGrp"].SpaceInfo.MaxVolumeSizeKib == 0 {
		t.Fatalf("%+v", all)
	}
}

func TestQueryMaxVolumeSize(t *testing.T) {
	w := sized(t, map[string]int64{"alpha": 10, "bravo": 20, "charlie": 40})
	for _, c := range []struct {
		method, path, body string
		nodes              []string
	}{
		{"OPTIONS", "/v1/query-max-volume-size", `{"place_count":1}`, []string{"charlie"}},
		{"OPTIONS", "/v1/query-max-volume-size", `{"place_count":"2","storage_pool":"swpool"}`, []string{"bravo", "charlie"}},
		{"OPTIONS", "/v1/query-max-volume-size", `{"place_count":4}`, nil},
		{"OPTIONS", "/v1/query-max-volume-size", `{"place_count":2,"x_replicas_on_different":{"Aux/site":1}}`, nil}, // they all have the same: none
		{"OPTIONS", "/v1/query-max-volume-size", `{"storage_pool":"nobody"}`, nil},
		{"GET", "/v1/resource-groups/DfltRscGrp/query-max-volume-size", ``, []string{"bravo", "charlie"}},
	} {
		got := get[api.MaxVolumeSizes](t, w.must(200, c.method, c.path, c.body))
		if got.DefaultMaxOversubscriptionRatio != 20 || (len(got.Candidates) == 0) != (c.nodes == nil) {
			t.Fatalf("%s %s: %+v", c.path, c.body, got)
		}
		if c.nodes != nil && (got.Candidates[0].StoragePool != "swpool" || !slices.Equal(got.Candidates[0].NodeNames, c.nodes) || got.Candidates[0].AllThin) {
			t.Errorf("%s %s: %+v", c.path, c.body, got)
		}
	}
}

func TestAdjust(t *testing.T) {
	w := sized(t, map[string]int64{"alpha": 40, "bravo": 40, "charlie": 40})
	w.must(201, "POST", "/v1/resource-groups", `{"name":"rg","select_filter":{"place_count":1}}`)
	w.must(201, "POST", "/v1/resource-groups/rg/spawn", `{"resource_definition_name":"one","volume_sizes":[8192]}`)
	w.must(201, "POST", "/v1/resource-groups/rg/spawn", `{"resource_definition_name":"huge","volume_sizes":[40000000]}`)
	w.must(201, "POST", "/v1/resource-groups/DfltRscGrp/spawn", `{"resource_definition_name":"other","volume_sizes":[8192],"definitions_only":true}`)
	count := func(name string) (n int) {
		for _, r := range w.b.Snapshot().Definition(name).Resources {
			if !r.Deleting && !r.Diskless {
				n++
			}
		}
		return n
	}
	w.must(200, "PUT", "/v1/resource-groups/rg", `{"select_filter":{"place_count":2}}`)
	// huge leaves room for itself nowhere else: it is an error of its own, and no reason to leave one alone.
	w.b.see(t, func(tx *state.Tx) {
		for _, n := range []string{"alpha", "bravo", "charlie"} {
			o := *tx.Snapshot().Node(n).Seen
			o.Pools = slices.Clone(o.Pools)
			o.Pools[0].FreeKiB = 38000000
			tx.SeeNode(n, &o)
		}
	})
	got := rcs(t, w.must(500, "POST", "/v1/resource-groups/rg/adjust", ``))
	errors := 0
	for _, rc := range got {
		if rc.RetCode.IsError() {
			errors++
		}
	}
	if errors != 1 || count("one") != 2 || count("huge") != 1 || count("other") != 0 {
		t.Fatalf("%d errors, %d %d %d: %+v", errors, count("one"), count("huge"), count("other"), got)
	}
	w.must(200, "DELETE", "/v1/resource-definitions/huge", "")
	rcs(t, w.must(200, "POST", "/v1/resource-groups/rg/adjust", `{}`))
	if count("one") != 2 {
		t.Fatal("a second run adds nothing")
	}
	rcs(t, w.must(200, "POST", "/v1/resource-groups/adjustall", `{}`))
	if count("other") != 2 {
		t.Fatal("other's group asks for two")
	}
	rcs(t, w.must(404, "POST", "/v1/resource-groups/nobody/adjust", `{}`))
}

// diskless_type places replicas without a disk.
func TestAutoplaceDiskless(t *testing.T) {
	w := sized(t, map[string]int64{"alpha": 40, "bravo": 40, "charlie": 40})
	w.must(200, "PUT", "/v1/resource-groups/DfltRscGrp", `{"override_props":{"DrbdOptions/auto-add-quorum-tiebreaker":"false"}}`)
	w.must(201, "POST", "/v1/resource-groups/DfltRscGrp/spawn", `{"resource_definition_name":"one","volume_sizes":[8192]}`)
	w.must(201, "POST", "/v1/resource-definitions/one/autoplace", `{"select_filter":{"place_count":1,"diskless_type":"DRBD_DISKLESS"}}`)
	if full, less := w.b.Snapshot().Definition("one").Votes(); full != 2 || less != 1 {
		t.Fatal(full, less)
	}
}
