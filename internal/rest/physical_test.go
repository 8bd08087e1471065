package rest

import (
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

func TestPhysicalStorage(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.b.see(t, func(tx *state.Tx) {
		for _, n := range []string{"alpha", "bravo"} {
			o := *tx.Snapshot().Node(n).Seen
			o.Devices = []model.BlockDevice{{Path: "/dev/sdb", SizeBytes: 10 << 30, Model: "Fast disk", Serial: "S-" + n, WWN: "w1"}}
			o.Makes = []model.ProviderKind{model.LVM}
			if n == "alpha" {
				o.Devices = append(o.Devices, model.BlockDevice{Path: "/dev/sdc", SizeBytes: 20 << 30, Rotational: true})
			}
			tx.SeeNode(n, &o)
		}
	})
	golden(t, "physical-storage", w.must(200, "GET", "/v1/physical-storage/", ""))
	golden(t, "physical-storage-node", w.must(200, "GET", "/v1/physical-storage/alpha", ""))
	w.must(404, "GET", "/v1/physical-storage/nobody", "")
	const path = "/v1/physical-storage/alpha"
	// python-linstor's body: null where nothing was said.
	w.must(201, "POST", path, `{"device_paths":["/dev/sdb"],"provider_kind":"lvm","pool_name":"ssd","vdo_enable":false,"with_storage_pool":{"name":"fast"}}`)
	if p := w.b.Snapshot().Node("alpha").DevicePools; len(p) != 1 || p[0].Pool != "fast" || p[0].Name != "ssd" {
		t.Fatalf("%+v", p)
	}
	for _, body := range []string{
		`{"device_paths":["/dev/sdc"],"provider_kind":"LVM","pool_name":"x1","vdo_enable":true}`,
		`{"device_paths":["/dev/sdc"],"provider_kind":"LVM","pool_name":"x1","vg_create_arguments":["--force"]}`,
		`{"device_paths":["/dev/sdb"],"provider_kind":"LVM","pool_name":"x1"}`,
	} {
		if l := rcs(t, w.must(500, "POST", path, body)); !l[0].RetCode.IsError() {
			t.Errorf("%s: %+v", body, l)
		}
	}
	w.must(400, "POST", path, ``)
}
