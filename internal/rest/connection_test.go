package rest

import (
	"testing"

	"holdfast/api"
)

func TestConnections(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	const nc, rc = "/v1/node-connections", "/v1/resource-definitions/backups/resource-connections"
	if got := get[[]api.NodeConnection](t, w.must(200, "GET", nc, "")); len(got) != 0 {
		t.Fatal(got)
	}
	rcs(t, w.must(200, "PUT", nc+"/bravo/alpha", `{"override_props":{"DrbdOptions/Net/protocol":"A"}}`))
	for path, n := range map[string]int{nc: 1, nc + "?node_a=bravo": 1, nc + "?node_a=alpha&node_b=BRAVO": 1, nc + "?node_a=charlie": 0} {
		got := get[[]api.NodeConnection](t, w.must(200, "GET", path, ""))
		if len(got) != n || n == 1 && (got[0].NodeA != "alpha" || got[0].NodeB != "bravo" || got[0].Props["DrbdOptions/Net/protocol"] != "A") {
			t.Errorf("%s: %+v", path, got)
		}
	}
	rcs(t, w.must(200, "PUT", rc+"/alpha/bravo", `{"override_props":{"DrbdOptions/PeerDevice/c-max-rate":4096}}`))
	if got := get[[]api.ResourceConnection](t, w.must(200, "GET", rc, "")); len(got) != 1 || got[0].Props["DrbdOptions/PeerDevice/c-max-rate"] != "4096" {
		t.Errorf("%+v", got)
	}
	if got := get[api.ResourceConnection](t, w.must(200, "GET", rc+"/bravo/alpha", "")); got.NodeA != "alpha" || len(got.Props) != 1 {
		t.Errorf("%+v", got)
	}
	w.must(404, "GET", rc+"/alpha/nobody", "")
	w.must(404, "PUT", rc+"/alpha/nobody", `{}`)
	w.must(404, "PUT", nc+"/alpha/nobody", `{}`)
	w.must(500, "PUT", nc+"/alpha/alpha", `{}`)
	w.must(500, "PUT", nc+"/alpha/bravo", `{"override_props":{"DrbdOptions/Net/shared-secret":"x"}}`)
	w.must(400, "PUT", nc+"/alpha/bravo", ``)
}
