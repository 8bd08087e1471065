"""Disks that come and go, replicas that move, nodes that are emptied, with the public Python client."""
import sys

import linstor
from linstor import sharedconsts as c

from common import Machine, ok, pool_create, refused, section, until


def replicas(lin):
    return {r.node_name: r for r in lin.resource_list_raise(None, ["backups"]).resources}


def states(lin):
    return {s.node_name: [v.state.disk_state for v in s.volumes] for s in lin.resource_list_raise(None, ["backups"]).resources}


def all_good(lin, *nodes):
    return until("UpToDate on %s" % (nodes,), lambda: all(states(lin).get(n) == ["UpToDate"] for n in nodes))


def moves(lin, machines):
    section("three nodes, two replicas")
    for m in machines:
        m.create(lin, "Satellite")
    for m in machines:
        m.wait_online(lin)
        pool_create(lin, m.name)
    ok(lin.controller_set_prop("DrbdOptions/auto-add-quorum-tiebreaker", "False"))
    ok(lin.resource_dfn_create("backups"))
    ok(lin.volume_dfn_create("backups", 8192))
    ok(lin.resource_create([linstor.ResourceData(n, "backups", storage_pool="swpool") for n in ("alpha", "bravo")]))
    all_good(lin, "alpha", "bravo")

    section("toggle-disk")
    ok(lin.resource_create([linstor.ResourceData("charlie", "backups", diskless=True)]))
    ok(lin.resource_toggle_disk("charlie", "backups", storage_pool="swpool"))
    all_good(lin, "alpha", "bravo", "charlie")
    again = lin.resource_toggle_disk("charlie", "backups", storage_pool="swpool")
    assert again[0].ret_code & 0x3FF == c.WARN_RSC_ALREADY_HAS_DISK & 0x3FF, again
    ok(lin.resource_toggle_disk("charlie", "backups", diskless=True))
    until("charlie diskless", lambda: "DISKLESS" in replicas(lin)["charlie"].flags)

    section("migrate-disk")
    ok(lin.resource_toggle_disk("charlie", "backups", storage_pool="swpool", migrate_from="bravo"))
    until("bravo left", lambda: "bravo" not in replicas(lin))
    all_good(lin, "alpha", "charlie")

    section("deactivate, activate")
    ok(lin.resource_deactivate("charlie", "backups"))
    assert "INACTIVE" in replicas(lin)["charlie"].flags
    ok(lin.resource_activate("charlie", "backups"))
    all_good(lin, "alpha", "charlie")

    section("evacuate, restore")
    replies = lin.node_evacuate("charlie")
    assert not any(r.is_error() for r in replies), replies
    assert "EVACUATE" in lin.node_list_raise(["charlie"]).nodes[0].flags
    until("charlie is empty", lambda: "charlie" not in replicas(lin))
    all_good(lin, "alpha", "bravo")
    refused(lin.resource_create([linstor.ResourceData("charlie", "backups", storage_pool="swpool")]), None)
    ok(lin.node_restore("charlie"))
    assert "EVACUATE" not in lin.node_list_raise(["charlie"]).nodes[0].flags


if __name__ == "__main__":
    with linstor.Linstor(sys.argv[1]) as client:
        moves(client, [Machine(a) for a in sys.argv[2:]])
