"""A node goes away while the public Python client works, and comes back."""
import sys

import linstor
from linstor import sharedconsts as c

from common import Machine, number, ok, pool_create, section, until


def setup(lin, machines):
    section("setup")
    for m in machines:
        m.create(lin, "Satellite")
        m.wait_online(lin)
        pool_create(lin, m.name)
    ok(lin.resource_dfn_create("data"))
    ok(lin.volume_dfn_create("data", 16 * 1024))
    ok(lin.resource_auto_place("data", 2))
    lin.resource_dfn_wait_synced("data", wait_interval=0.1, timeout=60)


def away(lin, _):
    section("bravo is away")
    until("bravo is offline", lambda: lin.node_list_raise(["bravo"]).nodes[0].connection_status == "OFFLINE")
    view = lin.resource_list_raise(filter_by_resources=["data"])
    states = {(r.node_name): (r.volumes[0].state.disk_state, st.in_use) for r, st in zip(view.resources, view.resource_states)}
    assert states == {"alpha": ("UpToDate", False), "bravo": (None, None)}, states
    assert view.data_v0
    pool = lin.storage_pool_list_raise(["bravo"], ["swpool"]).storage_pools[0]
    assert pool.reports and pool.reports[0].is_warning() and pool.free_space_mgr_name

    # A change is kept, and says that bravo gets it later.
    replies = lin.resource_dfn_modify("data", {"DrbdOptions/Net/max-buffers": "8000"})
    assert replies[0].is_success() and any(number(r) == number(c.WARN_NOT_CONNECTED) for r in replies[1:]), replies

    # A remark is the controller's alone.
    replies = lin.resource_dfn_modify("data", {"Aux/a": "b"})
    assert [r.is_success() for r in replies] == [True], replies

    # The last good copy isn't given up by a command that looks harmless.
    replies = lin.resource_delete("alpha", "data")
    assert replies[0].is_error() and "--lose=data" in replies[0].correction, replies

    # A definition goes, its name is free at once, and what is left of it is shown.
    replies = lin.resource_dfn_delete("data")
    assert replies[0].is_success() and any(number(r) == number(c.WARN_NOT_CONNECTED) for r in replies[1:]), replies
    ok(lin.resource_dfn_create("data"))
    left = lin.resource_list_raise(filter_by_resources=["data"]).resources
    assert [(r.node_name, r.flags) for r in left] == [("bravo", ["DELETE"])], [(r.node_name, r.flags) for r in left]


def back(lin, machines):
    section("bravo is back")
    machines[1].wait_online(lin)
    until("nothing is left", lambda: not lin.resource_list_raise().resources)
    ok(lin.resource_dfn_delete("data"))
    for m in machines:
        ok(lin.storage_pool_delete(m.name, "swpool"))
        ok(lin.node_delete(m.name))


def main(phase, uri, *nodes):
    with linstor.Linstor(uri) as lin:
        {"setup": setup, "away": away, "back": back}[phase](lin, [Machine(n) for n in nodes])
    print("done")


main(*sys.argv[1:])
