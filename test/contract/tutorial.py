"""The tutorial with the public Python client. Ends with an exception where an answer is not what the client needs."""
import sys

import linstor
from linstor import sharedconsts as c

from common import Machine, ok, pool_create, refused, section


def tutorial(lin, machines):
    section("version")
    v = lin.controller_version()
    assert v.rest_api_version.startswith("1.") and v.version and v.build_time
    assert lin.controller_info().startswith("LINSTOR,Controller,")

    section("nodes")
    for m, node_type in zip(machines, ("Combined", "satellite")):
        m.create(lin, node_type)
    ok(lin.node_create("extra", "Auxiliary", "10.77.0.9", property_dict={"Aux/site": "a"}))
    refused(lin.node_create("ALPHA", "Satellite", "10.77.0.3"), c.FAIL_EXISTS_NODE)
    refused(lin.node_create("charlie", "Satellite", "some.host"), c.FAIL_INVLD_NET_ADDR)
    refused(lin.node_create("x_", "Satellite", "10.77.0.3"), c.FAIL_INVLD_NODE_NAME)
    for m in machines:
        m.wait_online(lin)
    nodes = lin.node_list_raise().nodes
    assert [n.name for n in nodes] == ["alpha", "bravo", "extra"]
    alpha = nodes[0]
    assert alpha.type == "COMBINED" and alpha.connection_status == "ONLINE"
    nif = alpha.net_interfaces[0]
    assert (nif.name, nif.address, nif.stlt_port, nif.is_active) == ("default", machines[0].ip, machines[0].port, True)
    assert alpha.storage_providers and alpha.resource_layers
    assert nodes[2].properties["Aux/site"] == "a"
    ok(lin.node_modify("alpha", property_dict={"Aux/rack": "1"}))
    assert lin.node_list_raise(["alpha"]).nodes[0].properties["Aux/rack"] == "1"
    ok(lin.node_modify("alpha", delete_props=["Aux/rack"]))
    ok(lin.netinterface_create("alpha", "fast", "10.78.0.1"))
    ok(lin.netinterface_modify("alpha", "fast", "10.78.0.2"))
    ok(lin.netinterface_delete("alpha", "fast"))
    ok(lin.node_reconnect(["alpha"]))
    machines[0].wait_online(lin)

    section("storage pools")
    for n in ("alpha", "bravo"):
        pool_create(lin, n)
    refused(lin.storage_pool_create("alpha", "swpool", "LVM", "other"), c.FAIL_EXISTS_STOR_POOL)
    refused(lin.storage_pool_create("nobody", "swpool", "LVM", "other"), c.FAIL_NOT_FOUND_NODE)
    pools = lin.storage_pool_list_raise(filter_by_stor_pools=["swpool"]).storage_pools
    assert [(p.node_name, p.name, p.provider_kind) for p in pools] == [("alpha", "swpool", "LVM"), ("bravo", "swpool", "LVM")]
    p = pools[0]
    assert linstor.StoragePoolDriver.storage_props_to_driver_pool(p.provider_kind, p.properties) == "sw_ssd"
    assert p.free_space.total_capacity >= p.free_space.free_capacity > 0
    assert ":" in p.free_space_mgr_name and not p.supports_snapshots() and p.is_fat() and not p.reports
    ok(lin.storage_pool_modify("alpha", "swpool", {"Aux/tier": "1"}))
    assert [d.name for d in lin.storage_pool_dfn_list()[0].storage_pool_definitions] == ["DfltDisklessStorPool", "swpool"]

    section("definition and volume")
    ok(lin.resource_dfn_create("backups"), c.CREATED | c.MASK_CRT | c.MASK_RSC_DFN)
    refused(lin.resource_dfn_create("backups"), c.FAIL_EXISTS_RSC_DFN)
    size = linstor.SizeCalc.convert(512, linstor.SizeCalc.UNIT_MiB, linstor.SizeCalc.UNIT_KiB)
    ok(lin.volume_dfn_create("backups", size))
    refused(lin.volume_dfn_create("backups", size, volume_nr=0), c.FAIL_EXISTS_VLM_DFN)
    rd = lin.resource_dfn_list_raise(query_volume_definitions=True).resource_definitions[0]
    assert rd.name == "backups" and rd.resource_group_name == "DfltRscGrp" and rd.drbd_data.secret and rd.drbd_data.peer_slots == 7
    vd = rd.volume_definitions[0]
    assert vd.number == 0 and vd.size == 524288 and vd.drbd_data.minor == 1000

    section("resources")
    ok(lin.resource_auto_place("backups", 2, storage_pool="swpool"))
    refused(lin.resource_auto_place("backups", 3), c.FAIL_NOT_ENOUGH_NODES)
    lin.resource_dfn_wait_synced("backups", wait_interval=0.1, timeout=60)
    view = lin.resource_list_raise()
    assert [(r.node_name, r.name) for r in view.resources] == [("alpha", "backups"), ("bravo", "backups")]
    for r, st in zip(view.resources, view.resource_states):
        vol = r.volumes[0]
        assert vol.state.disk_state == "UpToDate" and st.in_use is False, (vol.state.disk_state, st.in_use)
        assert vol.storage_pool_name == "swpool" and vol.storage_pool_driver_name == "LVM" and vol.device_path.startswith("/dev/drbd")
        assert vol.allocated_size > 0 and vol.usable_size >= 524288
        assert vol.drbd_data.drbd_volume_definition.minor == vd.drbd_data.minor and vol.drbd_data.device_path == vol.device_path
        assert vol.storage_data is not None and not vol.flags and not vol.reports
        peer = "bravo" if r.node_name == "alpha" else "alpha"
        assert vol.state.replication_states[peer].replication_state == "Established"
        assert r.layer_data.layer_stack == ["DRBD", "STORAGE"]
        drbd = r.layer_data.drbd_resource
        assert drbd.connections[peer].connected and drbd.connections[peer].message == "Connected"
        assert r.create_datetime is not None and not r.flags
        assert r.data_v0
    assert view.data_v0 and rd.data_v0 and p.data_v0 and alpha.data_v0
    ok(lin.resource_modify("alpha", "backups", {"Aux/a": "b"}))
    ok(lin.volume_modify("alpha", "backups", 0, {"Aux/a": "b"}))
    ok(lin.resource_dfn_modify("backups", {"DrbdOptions/Net/protocol": "C", "Aux/n": "1"}))
    refused(lin.resource_dfn_modify("backups", {"DrbdOptions/Net/protocol": "X"}), c.FAIL_INVLD_PROP)
    refused(lin.resource_dfn_modify("backups", {"DrbdOptions/Handlers/fence-peer": "/bin/sh"}), c.FAIL_INVLD_PROP)
    assert lin.resource_dfn_props_list("backups")["Aux/n"] == "1"
    refused(lin.node_delete("alpha"), c.FAIL_IN_USE)
    refused(lin.storage_pool_delete("alpha", "swpool"), c.FAIL_IN_USE)

    section("grow")
    ok(lin.volume_dfn_modify("backups", 0, size=600 * 1024), c.MODIFIED | c.MASK_MOD | c.MASK_VLM_DFN)
    assert lin.resource_dfn_list_raise(query_volume_definitions=True).resource_definitions[0].volume_definitions[0].size == 600 * 1024
    for r in lin.volume_list_raise(filter_by_resources=["backups"]).resources:
        assert r.volumes[0].usable_size >= 600 * 1024 and not r.volumes[0].flags, (r.node_name, r.volumes[0].usable_size, r.volumes[0].flags)
    refused(lin.volume_dfn_modify("backups", 0, size=100 * 1024), c.FAIL_INVLD_VLM_SIZE)
    refused(lin.volume_dfn_modify("backups", 0, size=1 << 30), c.FAIL_NOT_ENOUGH_FREE_SPACE)
    same = lin.volume_dfn_modify("backups", 0, size=600 * 1024)
    assert not any(r.is_error() for r in same) and any(r.is_warning() for r in same), same

    section("explicit resources")
    ok(lin.resource_dfn_create("two", layer_list=["drbd", "storage"]))
    ok(lin.volume_dfn_create("two", 64 * 1024, storage_pool="swpool"))
    ok(lin.resource_create([linstor.ResourceData("alpha", "two", storage_pool="swpool"), linstor.ResourceData("bravo", "two")]))
    refused(lin.resource_create([linstor.ResourceData("alpha", "two")]), c.FAIL_EXISTS_RSC)
    ok(lin.resource_make_available("alpha", "two"))
    lin.resource_dfn_wait_synced("two", wait_interval=0.1, timeout=60)
    ok(lin.resource_delete("bravo", "two"))
    ok(lin.resource_dfn_delete("two"))

    section("groups")
    ok(lin.resource_group_create("fast", place_count=2, storage_pool=["swpool"], layer_list=["drbd", "storage"], property_dict={"Aux/x": "y"}))
    ok(lin.volume_group_create("fast"))
    ok(lin.resource_group_modify("fast", place_count=1, description="one"))
    g = [g for g in lin.resource_group_list_raise().resource_groups if g.name == "fast"][0]
    assert g.select_filter.place_count == 1 and g.select_filter.storage_pool_list == ["swpool"] and g.description == "one"
    assert len(lin.volume_group_list_raise("fast").volume_groups) == 1
    ok(lin.resource_group_spawn("fast", "spawned", ["8M"]))
    refused(lin.resource_group_delete("fast"), c.FAIL_EXISTS_RSC_DFN)
    ok(lin.resource_dfn_delete("spawned"))
    ok(lin.resource_group_delete("fast"))

    section("properties of the cluster, key-value store")
    ok(lin.controller_set_prop("Aux/smoke", "1"))
    assert lin.controller_props()[0].properties["Aux/smoke"] == "1"
    ok(lin.controller_del_prop("Aux/smoke"))
    assert "Aux/smoke" not in lin.controller_props()[0].properties
    ok(lin.keyvaluestore_modify("notes", {"a/b": "1", "c": "2"}))
    assert lin.keyvaluestore_list("notes").properties == {"a/b": "1", "c": "2"}
    assert lin.keyvaluestores().instances() == ["notes"]
    assert lin.error_report_list() == []
    assert lin.snapshot_dfn_list_raise().snapshots == []
    assert all(not c.properties for c in lin.resource_conn_list_raise("backups").resource_connections)

    section("what is not there")
    for replies in (lin.node_delete("nobody"), lin.resource_dfn_delete("nobody"), lin.resource_delete("alpha", "nobody")):
        assert replies[0].is_warning() and not replies[0].is_error() and replies[0].ret_code & 0x7FFF == c.WARN_NOT_FOUND & 0x7FFF
    refused(lin.snapshot_create(["alpha"], "backups", "snap1", False), None)
    refused(lin.snapshot_rollback("backups", "snap1"), None)

    section("delete")
    ok(lin.resource_dfn_delete("backups"), c.DELETED | c.MASK_DEL | c.MASK_RSC_DFN)
    for n in ("alpha", "bravo"):
        ok(lin.storage_pool_delete(n, "swpool"))
    for n in ("alpha", "bravo", "extra"):
        ok(lin.node_delete(n))
    assert lin.resource_list_raise().resources == [] and lin.node_list_raise().nodes == []


def high_level(uri, machines):
    """linstor.Resource, ResourceGroup and KV: what OpenNebula and others build on."""
    section("Resource, ResourceGroup, KV")
    with linstor.MultiLinstor(linstor.MultiLinstor.controller_uri_list(uri)) as lin:
        for m in machines:
            m.create(lin, "Satellite")
            m.wait_online(lin)
            pool_create(lin, m.name)
    r = linstor.Resource("vm1", uri=uri)
    r.volumes[0] = linstor.Volume("16 MiB")
    r.placement.redundancy = 2
    r.autoplace()
    assert r.volumes[0].device_path.startswith("/dev/drbd") and r.volumes[0].minor >= 1000
    assert r.is_diskful("alpha") and not r.is_diskless("alpha") and r.is_assigned("bravo")
    r.volumes[1] = linstor.Volume("8 MiB")
    r.delete("bravo")
    r.delete()
    g = linstor.ResourceGroup("grp", uri=uri)
    g.redundancy = 2
    g.storage_pool = ["swpool"]
    s = linstor.Resource.from_resource_group(uri, "grp", "fromgroup", ["16MiB"])
    assert s.is_diskful("alpha") and s.is_diskful("bravo")
    s.delete()
    g.delete()
    kv = linstor.KV("inst", uri=uri)
    kv["a"] = "1"
    assert linstor.KV("inst", uri=uri)["a"] == "1"
    kv.clear()


def main(uri, *nodes):
    machines = [Machine(n) for n in nodes]
    with linstor.Linstor(uri) as lin:
        tutorial(lin, machines)
    high_level(uri, machines)
    print("done")


main(*sys.argv[1:])
