"""Snapshots with the public Python client: taken, listed, restored, rolled back, removed."""
import sys

import linstor
from linstor import sharedconsts as c

from common import Machine, ok, refused, section, until


def snap(lin, rsc, name):
    for s in lin.snapshot_dfn_list(filter_by_resources=[rsc])[0].snapshots:
        if s.name == name:
            return s


def prepare(lin, machines):
    for m in machines:
        m.create(lin, "Satellite")
    for m in machines:
        m.wait_online(lin)
        ok(lin.storage_pool_create(m.name, "files", "FILE_THIN", "/srv/files"))
        ok(lin.storage_pool_create(m.name, "thick", "LVM", "sw_ssd"))
    until("pools", lambda: len([p for p in lin.storage_pool_list_raise(filter_by_stor_pools=["files", "thick"]).storage_pools
                                if p.free_space and p.free_space.total_capacity]) == 4)
    for p in lin.storage_pool_list_raise(filter_by_stor_pools=["files", "thick"]).storage_pools:
        assert p.supports_snapshots() == (p.name == "files"), p.name
    for name in ("backups", "mail"):
        ok(lin.resource_dfn_create(name))
        ok(lin.volume_dfn_create(name, 65536))
        ok(lin.resource_create([linstor.ResourceData(m.name, name, storage_pool="files") for m in machines]))
        good(lin, name, 2)


def good(lin, name, n):
    def look():
        states = [v.state.disk_state for r in lin.volume_list_raise(filter_by_resources=[name]).resources for v in r.volumes]
        return len(states) == n and set(states) == {"UpToDate"}
    until(name + " UpToDate", look)


def main(lin, machines):
    prepare(lin, machines)

    section("create, list, delete")
    ok(lin.snapshot_create([], "backups", "monday", False), c.CREATED | c.MASK_CRT | c.MASK_SNAPSHOT)
    s = snap(lin, "backups", "monday")
    assert s.flags == ["SUCCESSFUL"], s.flags
    assert sorted(s.nodes) == ["alpha", "bravo"] and s.rsc_name == "backups"
    assert [(v.number, v.size) for v in s.snapshot_volume_definitions] == [(0, 65536)]
    assert s.snapshots[0].create_datetime
    refused(lin.snapshot_create([], "backups", "MONDAY", False), c.FAIL_EXISTS_SNAPSHOT_DFN)
    refused(lin.snapshot_create([], "nobody", "monday", False), c.FAIL_NOT_FOUND_RSC_DFN)
    refused(lin.snapshot_create([], "backups", "x", False), c.FAIL_INVLD_SNAPSHOT_NAME)
    ok(lin.snapshot_dfn_modify("backups", "monday", {"Aux/why": "test"}, []))
    assert snap(lin, "backups", "monday").properties["Aux/why"] == "test"
    refused(lin.resource_dfn_delete("backups"), c.FAIL_EXISTS_SNAPSHOT_DFN)

    section("several at once, on one node")
    ok(lin.snapshot_create_multi(["alpha"], ["backups", "mail"], "both"))
    for name in ("backups", "mail"):
        s = snap(lin, name, "both")
        assert s.flags == ["SUCCESSFUL"] and s.nodes == ["alpha"], (s.flags, s.nodes)

    section("rollback")
    ok(lin.snapshot_rollback("backups", "monday"))
    good(lin, "backups", 2)
    assert snap(lin, "backups", "monday").flags == ["SUCCESSFUL"]
    refused(lin.snapshot_rollback("backups", "both"), c.FAIL_IN_USE)  # bravo isn't in it
    refused(lin.snapshot_rollback("backups", "nothing"), c.FAIL_NOT_FOUND_SNAPSHOT)

    section("thick volumes have none")
    ok(lin.resource_dfn_create("thick"))
    ok(lin.volume_dfn_create("thick", 65536))
    ok(lin.resource_create([linstor.ResourceData("alpha", "thick", storage_pool="thick")]))
    r = refused(lin.snapshot_create([], "thick", "monday", False), c.FAIL_SNAPSHOTS_NOT_SUPPORTED)
    assert "LVM" in r.message and "thick" in r.cause

    section("restore")
    ok(lin.resource_dfn_create("copy"))
    ok(lin.snapshot_volume_definition_restore("backups", "monday", "copy"))
    ok(lin.snapshot_resource_restore([], "backups", "monday", "copy"))
    good(lin, "copy", 2)
    refused(lin.snapshot_resource_restore([], "backups", "monday", "copy"), c.FAIL_EXISTS_RSC)
    ok(lin.resource_dfn_create("one"))
    ok(lin.snapshot_volume_definition_restore("backups", "monday", "one"))
    ok(lin.snapshot_resource_restore(["bravo"], "backups", "monday", "one"))
    good(lin, "one", 1)
    refused(lin.snapshot_volume_definition_restore("backups", "nothing", "one"), c.FAIL_NOT_FOUND_SNAPSHOT)

    section("snapshots outlive their resources")
    ok(lin.snapshot_delete("backups", "both", []))
    for m in machines:
        ok(lin.resource_delete(m.name, "backups"))
    ok(lin.volume_dfn_delete("backups", 0))
    assert snap(lin, "backups", "monday").flags == ["SUCCESSFUL"]
    refused(lin.resource_dfn_delete("backups"), c.FAIL_EXISTS_SNAPSHOT_DFN)
    ok(lin.snapshot_delete("backups", "monday", ["alpha"]))
    assert snap(lin, "backups", "monday").nodes == ["bravo"]
    ok(lin.snapshot_delete("backups", "monday"))
    assert snap(lin, "backups", "monday") is None
    assert not lin.snapshot_delete("backups", "monday")[0].is_error()
    ok(lin.resource_dfn_delete("backups"))
    for m in machines:
        ok(lin.resource_delete(m.name, "mail"))
    ok(lin.snapshot_delete("mail", "both"))
    ok(lin.resource_dfn_delete("mail"))


if __name__ == "__main__":
    with linstor.Linstor(sys.argv[1]) as client:
        main(client, [Machine(a) for a in sys.argv[2:]])
