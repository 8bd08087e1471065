package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"holdfast/api"
)

// The first format of machine-readable output (--output-version v0): what LINSTOR's client says in other words than the
// REST API does. What isn't here is the same in both (linstor-clients, 1.5).

type object = map[string]any

// firstFormat of a list that came as raw; false: it is no other than today's.
func firstFormat(list any, raw json.RawMessage) (any, bool) {
	var turn func([]object) object
	switch list.(type) {
	case []api.Node:
		turn = func(l []object) object { return object{"nodes": all(l, nodeV0)} }
	case []api.StoragePool:
		turn = func(l []object) object { return object{"stor_pools": all(l, poolV0)} }
	case []api.ResourceDefinition:
		turn = func(l []object) object { return object{"rsc_dfns": all(l, definitionV0)} }
	case []api.ResourceWithVolumes:
		turn = func(l []object) object {
			return object{"resource_states": all(l, stateV0), "resources": all(l, resourceV0)}
		}
	case []api.Snapshot:
		turn = func(l []object) object { return unlessEmpty("snapshot_dfns", all(l, snapshotV0)) }
	case []api.NodeConnection:
		turn = func(l []object) object { return unlessEmpty("node_connections", all(l, connectionV0)) }
	case []api.ResourceConnection:
		turn = func(l []object) object { return unlessEmpty("rsc_connections", all(l, connectionV0)) }
	default:
		return nil, false
	}
	var l []object
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&l) != nil {
		return nil, false
	}
	return []object{turn(l)}, true
}

// firstReplies are replies without their time, and with references as pairs.
func firstReplies(rcs api.ApiCallRcList) []object {
	out := []object{}
	for _, rc := range rcs {
		o := object{"ret_code": rc.RetCode, "message": rc.Message}
		for key, text := range map[string]string{"cause": rc.Cause, "correction": rc.Correction, "details": rc.Details} {
			if text != "" {
				o[key] = text
			}
		}
		if len(rc.ObjRefs) > 0 {
			o["object_refs"] = pairs(rc.ObjRefs)
		}
		if len(rc.ErrorReportIDs) > 0 {
			o["error_report_ids"] = rc.ErrorReportIDs
		}
		out = append(out, o)
	}
	return out
}

func all(l []object, f func(object) object) []object {
	out := []object{}
	for _, o := range l {
		out = append(out, f(o))
	}
	return out
}

func unlessEmpty(key string, l []object) object {
	if len(l) == 0 {
		return object{}
	}
	return object{key: l}
}

// pairs of a map, by key.
func pairs[V any](m map[string]V) []object {
	out := []object{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, object{"key": k, "value": m[k]})
	}
	return out
}

// objects of a list in o; inner is an object in it. Both are empty where there is none.
func objects(o object, key string) []object {
	var out []object
	l, _ := o[key].([]any)
	for _, v := range l {
		if x, ok := v.(object); ok {
			out = append(out, x)
		}
	}
	return out
}

func inner(o object, key string) object {
	x, _ := o[key].(object)
	return x
}

// optional copies what is there under another name.
func optional(to object, key string, from object, old string) {
	if v := from[old]; v != nil {
		to[key] = v
	}
}

func orEmpty(v any) any {
	if v == nil {
		return []any{}
	}
	return v
}

// properties adds them as pairs, if there are any.
func properties(to object, key string, from object) {
	if p := inner(from, "props"); len(p) > 0 {
		to[key] = pairs(p)
	}
}

// statusWords are the numbers of the words; another word has none.
var statusWords = []string{"OFFLINE", "CONNECTED", "ONLINE", "VERSION_MISMATCH", "FULL_SYNC_FAILED", "AUTHENTICATION_ERROR", "UNKNOWN",
	"HOSTNAME_MISMATCH", "OTHER_CONTROLLER", "AUTHENTICATED", "NO_STLT_CONN", "MISSING_EXT_TOOLS", "DUPLICATE_UNAME"}

func nodeV0(o object) object {
	out := maps.Clone(o)
	out["props"] = pairs(inner(o, "props"))
	word, _ := o["connection_status"].(string)
	n := slices.Index(statusWords, word)
	if n < 0 {
		n = slices.Index(statusWords, "UNKNOWN")
	}
	out["connection_status"] = n
	out["net_interfaces"] = all(objects(o, "net_interfaces"), func(i object) object {
		return object{"address": i["address"], "name": i["name"], "stlt_port": i["satellite_port"], "stlt_encryption_type": i["satellite_encryption_type"]}
	})
	return out
}

var drivers = map[string]string{"DISKLESS": "DisklessDriver", "LVM": "LvmDriver", "LVM_THIN": "LvmThinDriver", "ZFS": "ZfsDriver",
	"ZFS_THIN": "ZfsThinDriver", "SPDK": "SpdkDriver"}

func poolV0(o object) object {
	kind, _ := o["provider_kind"].(string)
	out := object{"stor_pool_uuid": o["uuid"], "stor_pool_name": o["storage_pool_name"], "node_name": o["node_name"],
		"free_space_mgr_name": o["free_space_mgr_name"], "driver": drivers[kind], "static_traits": pairs(inner(o, "static_traits"))}
	if o["free_capacity"] != nil {
		out["free_space"] = object{"stor_pool_name": o["storage_pool_name"], "free_capacity": o["free_capacity"], "total_capacity": o["total_capacity"]}
	}
	properties(out, "props", o)
	return out
}

// drbdData of the layers of a definition or volume definition; nil: no DRBD.
func drbdData(o object, key string) object {
	for _, l := range objects(o, key) {
		if d := inner(l, "data"); l["type"] == "DRBD" && len(d) > 0 {
			return d
		}
	}
	return nil
}

func definitionV0(o object) object {
	out := object{"rsc_name": o["name"], "rsc_dfn_uuid": o["uuid"], "vlm_dfns": all(objects(o, "volume_definitions"), func(v object) object {
		x := object{"vlm_nr": v["volume_number"], "vlm_size": v["size_kib"], "vlm_dfn_uuid": v["uuid"]}
		optional(x, "vlm_flags", v, "flags")
		properties(x, "vlm_props", v)
		if d := drbdData(v, "layer_data"); d != nil {
			x["vlm_minor"] = d["minor_number"]
		}
		return x
	})}
	optional(out, "rsc_dfn_flags", o, "flags")
	properties(out, "rsc_dfn_props", o)
	if d := drbdData(o, "layer_data"); d != nil {
		out["rsc_dfn_port"], out["rsc_dfn_secret"] = d["port"], d["secret"]
	}
	return out
}

func stateV0(o object) object {
	out := object{"rsc_name": o["name"], "node_name": o["node_name"]}
	optional(out, "in_use", inner(o, "state"), "in_use")
	if vols := all(objects(o, "volumes"), func(v object) object {
		return object{"vlm_nr": v["volume_number"], "disk_state": inner(v, "state")["disk_state"]}
	}); len(vols) > 0 {
		out["vlm_states"] = vols
	}
	return out
}

func resourceV0(o object) object {
	return object{"name": o["name"], "uuid": o["uuid"], "node_name": o["node_name"], "rsc_flags": orEmpty(o["flags"]),
		"props": pairs(inner(o, "props")), "vlms": all(objects(o, "volumes"), volumeV0)}
}

func volumeV0(v object) object {
	out := object{"stor_pool_name": v["storage_pool_name"], "vlm_nr": v["volume_number"], "vlm_uuid": v["uuid"], "device_path": v["device_path"]}
	if d := drbdData(v, "layer_data_list"); d != nil {
		out["vlm_minor_nr"], out["meta_disk"] = inner(d, "drbd_volume_definition")["minor_number"], ""
		optional(out, "meta_disk", d, "meta_disk")
		optional(out, "backing_disk", d, "backing_device")
		if n, ok := d["allocated_size_kib"].(json.Number); ok && n != "0" {
			out["allocated"] = v["allocated_size_kib"]
		}
	}
	return out
}

func snapshotV0(o object) object {
	nodes := []object{}
	names, _ := o["nodes"].([]any)
	for _, n := range names {
		nodes = append(nodes, object{"node_name": n})
	}
	return object{"rsc_name": o["resource_name"], "snapshot_name": o["name"], "uuid": o["uuid"], "snapshot_dfn_flags": orEmpty(o["flags"]), "snapshots": nodes,
		"snapshot_vlm_dfns": all(objects(o, "volume_definitions"), func(v object) object {
			return object{"vlm_nr": v["volume_number"], "vlm_size": v["size_kib"]}
		})}
}

func connectionV0(o object) object {
	out := object{"node_name_1": o["node_a"], "node_name_2": o["node_b"]}
	optional(out, "flags", o, "flags")
	properties(out, "props", o)
	optional(out, "port", o, "port")
	return out
}
