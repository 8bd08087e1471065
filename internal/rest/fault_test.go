package rest

import (
	"testing"

	"holdfast/api"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

const (
	lastKind   = fault.Internal
	lastObject = fault.ErrorReport
)

// Every fault gets a number of its class, with a number that isn't 0, whatever it is about.
func TestEveryFaultHasACode(t *testing.T) {
	classes := map[fault.Severity]api.Class{fault.Success: api.ClassSuccess, fault.Info: api.ClassInfo, fault.Warning: api.ClassWarning, fault.Failure: api.ClassError}
	fields := []string{"", "name", "type", "address", "size_kib", "drbd_minor_number", "drbd_tcp_ports", "drbd_node_id", "peer_slots",
		"layer_list", "provider_kind", "property", "nobody knows", model.PropPoolName}
	for sev, class := range classes {
		for k := fault.Done; k <= lastKind; k++ {
			for o := fault.NoObject; o <= lastObject; o++ {
				for op := fault.NoOp; op <= fault.Delete; op++ {
					for _, f := range fields {
						rc := toRc(fault.Note{Severity: sev, Kind: k, Op: op, Object: o, Field: f, Message: "x"}, fault.Create, fault.Node)
						c := rc.RetCode
						if c.Class() != class || c.Number() == 0 {
							t.Fatalf("severity %d, kind %d, object %d, op %d, field %q: %s", sev, k, o, op, f, c)
						}
						if (c.Op() == 0 || c.Object() == 0 && o != lastObject) && c != api.UnknownAPICall {
							t.Fatalf("kind %d, object %d, op %d, field %q: %s lacks operation or object", k, o, op, f, c)
						}
						if sev <= fault.Info && c <= 0 {
							t.Fatalf("a success must be above 0: %d", c)
						}
					}
				}
			}
		}
	}
}

func TestCodes(t *testing.T) {
	bad := func(k fault.Kind, o fault.Object, field string) fault.Note {
		return fault.Note{Severity: fault.Failure, Kind: k, Object: o, Field: field}
	}
	warn := func(k fault.Kind) fault.Note { return fault.Note{Severity: fault.Warning, Kind: k} }
	for _, c := range []struct {
		n      fault.Note
		want   api.Code
		status int
	}{
		{fault.Note{Op: fault.Create}, api.Created, 201},
		{fault.Note{Op: fault.Modify}, api.Modified, 201},
		{fault.Note{Op: fault.Delete}, api.Deleted, 201},
		{fault.Note{}, api.Modified, 201},

		{warn(fault.NotFound), api.WarnNotFound, 201},
		{warn(fault.NotConnected), api.WarnNotConnected, 201},
		{warn(fault.AlreadyDeployed), api.WarnRscAlreadyDeployed, 201},
		{warn(fault.NotApplied), api.WarnStltNotUpdated, 201},

		{bad(fault.Invalid, fault.Node, "name"), 200 | api.MaskError, 500},
		{bad(fault.Invalid, fault.Node, "type"), 201 | api.MaskError, 500},
		{bad(fault.Invalid, fault.ResourceDefinition, "name"), 202 | api.MaskError, 500},
		{bad(fault.Invalid, fault.ResourceDefinition, "drbd_port"), 203 | api.MaskError, 500},
		{bad(fault.Invalid, fault.Resource, "drbd_node_id"), 204 | api.MaskError, 500},
		{bad(fault.Invalid, fault.VolumeDefinition, "volume_number"), 205 | api.MaskError, 500},
		{bad(fault.Invalid, fault.VolumeDefinition, "size_kib"), 206 | api.MaskError, 500},
		{bad(fault.Invalid, fault.VolumeDefinition, "drbd_minor_number"), 207 | api.MaskError, 500},
		{bad(fault.Invalid, fault.StoragePool, "storage_pool_name"), 208 | api.MaskError, 500},
		{bad(fault.Invalid, fault.NetInterface, "name"), 209 | api.MaskError, 500},
		{bad(fault.Invalid, fault.NetInterface, "address"), 210 | api.MaskError, 500},
		{bad(fault.Invalid, fault.NetInterface, "satellite_port"), 211 | api.MaskError, 500},
		{bad(fault.Invalid, fault.Resource, "property"), 213 | api.MaskError, 500},
		{bad(fault.Invalid, fault.Resource, "drbd_tcp_ports"), 215 | api.MaskError, 500},
		{bad(fault.Invalid, fault.ResourceGroup, "place_count"), 219 | api.MaskError, 500},
		{bad(fault.Invalid, fault.KeyValueStore, "name"), 223 | api.MaskError, 500},
		{bad(fault.Invalid, fault.ResourceDefinition, "layer_list"), 225 | api.MaskError, 500},
		{bad(fault.Invalid, fault.StoragePool, "provider_kind"), 227 | api.MaskError, 500},
		{bad(fault.Invalid, fault.ResourceGroup, "name"), 237 | api.MaskError, 500},
		{bad(fault.Invalid, fault.Node, "flags"), 234 | api.MaskError, 500},

		{bad(fault.NotFound, fault.Node, ""), 300 | api.MaskError, 404},
		{bad(fault.NotFound, fault.ResourceDefinition, ""), 301 | api.MaskError, 404},
		{bad(fault.NotFound, fault.Resource, ""), 302 | api.MaskError, 404},
		{bad(fault.NotFound, fault.VolumeDefinition, ""), 303 | api.MaskError, 404},
		{bad(fault.NotFound, fault.Volume, ""), 304 | api.MaskError, 404},
		{bad(fault.NotFound, fault.NetInterface, ""), 305 | api.MaskError, 404},
		{bad(fault.NotFound, fault.StoragePoolDefinition, ""), 309 | api.MaskError, 404},
		{bad(fault.NotFound, fault.StoragePool, ""), 310 | api.MaskError, 404},
		{bad(fault.NotFound, fault.Snapshot, ""), 315 | api.MaskError, 404},
		{bad(fault.NotFound, fault.KeyValueStore, ""), 316 | api.MaskError, 404},
		{bad(fault.NotFound, fault.ResourceGroup, ""), 317 | api.MaskError, 404},
		{bad(fault.NotFound, fault.VolumeGroup, ""), 318 | api.MaskError, 404},
		{bad(fault.NotFound, fault.ErrorReport, ""), api.UnknownAPICall, 404},

		{bad(fault.Exists, fault.Node, ""), 500 | api.MaskError, 500},
		{bad(fault.Exists, fault.ResourceDefinition, ""), 501 | api.MaskError, 500},
		{bad(fault.Exists, fault.Resource, ""), 502 | api.MaskError, 500},
		{bad(fault.Exists, fault.VolumeDefinition, ""), 503 | api.MaskError, 500},
		{bad(fault.Exists, fault.NetInterface, ""), 505 | api.MaskError, 500},
		{bad(fault.Exists, fault.StoragePool, ""), 510 | api.MaskError, 500},
		{bad(fault.Exists, fault.ResourceGroup, ""), 522 | api.MaskError, 500},
		// CSI takes "the volume definition exists" for success: a minor that is taken must not look like it.
		{bad(fault.Exists, fault.VolumeDefinition, "drbd_minor_number"), 207 | api.MaskError, 500},
		{bad(fault.Exists, fault.Resource, "drbd_tcp_ports"), 215 | api.MaskError, 500},
		{bad(fault.Exists, fault.StoragePool, model.PropPoolName), 990 | api.MaskError, 500},

		{bad(fault.InUse, fault.Resource, ""), 997 | api.MaskError, 500},
		{bad(fault.NotConnected, fault.Node, ""), 995 | api.MaskError, 500},
		{bad(fault.NotEnoughNodes, fault.Resource, ""), 996 | api.MaskError, 500},
		{bad(fault.NoSpace, fault.Resource, ""), 980 | api.MaskError, 500},
		{bad(fault.Exhausted, fault.VolumeDefinition, "drbd_minor_number"), 801 | api.MaskError, 500},
		{bad(fault.Exhausted, fault.Resource, "drbd_tcp_ports"), 802 | api.MaskError, 500},
		{bad(fault.Exhausted, fault.Resource, "drbd_node_id"), 803 | api.MaskError, 500},
		{bad(fault.Exhausted, fault.Resource, "peer_slots"), 993 | api.MaskError, 500},
		{bad(fault.LastCopy, fault.Resource, ""), 991 | api.MaskError, 500},
		{bad(fault.Unsupported, fault.Resource, ""), 988 | api.MaskError, 500},
		{bad(fault.Unsupported, fault.StoragePool, ""), 989 | api.MaskError, 500},
		{bad(fault.Unsupported, fault.VolumeDefinition, "size_kib"), 206 | api.MaskError, 500},
		{bad(fault.Unsupported, fault.Snapshot, ""), 994 | api.MaskError, 500},
		{bad(fault.Refused, fault.Controller, "DrbdOptions/Handlers/fence-peer"), 213 | api.MaskError, 500},
		{bad(fault.Refused, fault.ResourceGroup, ""), 419 | api.MaskError, 403},
		{bad(fault.NotApplied, fault.Resource, ""), 998 | api.MaskError, 500},
		{bad(fault.OtherController, fault.Node, ""), 410 | api.MaskError, 403},
		{bad(fault.ReadOnly, fault.Node, ""), 412 | api.MaskError, 403},
		{bad(fault.OutcomeUnknown, fault.Node, ""), 100 | api.MaskError, 500},
		{bad(fault.Internal, fault.Node, ""), 999 | api.MaskError, 500},
	} {
		if got := code(c.n); got != c.want {
			t.Errorf("kind %d, object %d, field %q: %s, want %s", c.n.Kind, c.n.Object, c.n.Field, got, c.want)
		}
		rc := toRc(c.n, fault.Create, fault.Node)
		if got := api.HTTPStatus(api.ApiCallRcList{rc}, 201); got != c.status {
			t.Errorf("kind %d, object %d: HTTP %d, want %d", c.n.Kind, c.n.Object, got, c.status)
		}
	}
}

// LINSTOR's worked values (linstor-features 1.1).
func TestWholeCodes(t *testing.T) {
	for _, c := range []struct {
		n    fault.Note
		want int64
	}{
		{fault.Note{Op: fault.Create, Object: fault.Node}, 20709377},
		{fault.Note{Op: fault.Delete, Object: fault.Node}, 54263810},
		{fault.Note{Op: fault.Modify, Object: fault.ResourceDefinition}, 37224451},
		{fault.Note{Severity: fault.Failure, Kind: fault.NotEnoughNodes, Op: fault.Create, Object: fault.Resource}, -4611686018407201820},
	} {
		if got := toRc(c.n, 0, 0).RetCode; int64(got) != c.want {
			t.Errorf("%d, want %d", got, c.want)
		}
	}
}
