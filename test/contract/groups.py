"""Groups, sizes, connections, physical storage and tie-breakers with the public Python client, on three nodes."""
import sys

import linstor
from linstor import sharedconsts as c

from common import Machine, ok, pool_create, refused, section, until


def main(uri, *nodes):
    machines = [Machine(n) for n in nodes]
    with linstor.Linstor(uri) as lin:
        for m in machines:
            m.create(lin, "Satellite")
        for m in machines:
            m.wait_online(lin)
            pool_create(lin, m.name)

        section("sizes")
        ok(lin.resource_group_create("fast", place_count=2, storage_pool=["swpool"]))
        ok(lin.volume_group_create("fast"))
        info = lin.resource_group_query_size_info("fast").space_info
        assert info.max_vlm_size_in_kib > 0 and info.capacity_in_kib >= info.available_size_in_kib > 0
        assert info.default_max_oversubscription_ratio == 20 and len(info.next_spawn_result) == 2
        assert info.next_spawn_result[0].stor_pool_name == "swpool" and info.next_spawn_result[0].node_name in ("alpha", "bravo", "charlie")
        for sizes in (lin.resource_group_qmvs("fast")[0], lin.storage_pool_dfn_max_vlm_sizes(2, storage_pool_name="swpool")[0]):
            cand = sizes.candidates[0]
            assert cand.storage_pool == "swpool" and cand.max_volume_size == info.max_vlm_size_in_kib and len(cand.node_names) == 2 and not cand.all_thin
            assert [d for d in lin.storage_pool_dfn_list()[0].storage_pool_definitions if d.name == cand.storage_pool]
        assert lin.resource_group_query_size_info("fast", place_count=4).space_info.max_vlm_size_in_kib == 0

        section("spawn, tie-breaker, adjust")
        ok(lin.resource_group_spawn("fast", "r0", ["16M"]))
        rscs = until("the tie-breaker", lambda: [r for r in lin.resource_list_raise(filter_by_resources=["r0"]).resources if len(lin.resource_list_raise(filter_by_resources=["r0"]).resources) == 3])
        tb = [r for r in rscs if "TIE_BREAKER" in r.flags]
        assert len(tb) == 1 and {"DRBD_DISKLESS", "DISKLESS"} <= set(tb[0].flags), [r.flags for r in rscs]
        ok(lin.resource_group_adjust("fast"))
        ok(lin.resource_group_adjust(None))
        ok(lin.resource_group_modify("fast", place_count=3))
        ok(lin.resource_group_adjust("fast"))
        until("three with a disk", lambda: [r.flags for r in lin.resource_list_raise(filter_by_resources=["r0"]).resources] == [[], [], []])

        section("connections")
        ok(lin.node_conn_modify("alpha", "bravo", {"DrbdOptions/Net/ping-timeout": "11"}, None))
        conns = lin.node_conn_list_raise("bravo", "alpha")
        assert [(n.node_a, n.node_b, n.properties) for n in conns.node_connections] == [("alpha", "bravo", {"DrbdOptions/Net/ping-timeout": "11"})]
        ok(lin.resource_conn_modify("r0", "alpha", "bravo", {"DrbdOptions/PeerDevice/c-max-rate": "4096"}, None))
        conn = lin.resource_conn_node_list_raise("r0", "bravo", "alpha")
        assert (conn.node_a, conn.node_b, conn.properties, conn.port) == ("alpha", "bravo", {"DrbdOptions/PeerDevice/c-max-rate": "4096"}, None)
        assert len(lin.resource_conn_list_raise("r0").resource_connections) == 3
        ok(lin.node_conn_modify("alpha", "bravo", None, ["DrbdOptions/Net/ping-timeout"]))
        assert not lin.node_conn_list_raise().node_connections
        refused(lin.node_conn_modify("alpha", "nobody", {"Aux/a": "b"}, None), c.FAIL_NOT_FOUND_NODE)

        section("physical storage")
        assert lin.physical_storage_list().physical_devices == []
        replies = lin.physical_storage_create_device_pool("alpha", "LVM", ["/dev/nothing"], pool_name="ssd", storage_pool_name="more")
        assert any(r.is_error() and r.cause for r in replies), str(replies)
        assert not [p for p in lin.storage_pool_list_raise(["alpha"]).storage_pools if p.name == "more"]

        section("reports")
        assert "storage pools" in lin.space_reporting_query()[0].report
        ok(lin.resource_dfn_delete("r0"))
        ok(lin.resource_group_delete("fast"))
    print("done")


main(*sys.argv[1:])
