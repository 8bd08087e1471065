"""What the scripts share: checks of answers, waiting, machines."""
import time

from linstor import sharedconsts as c


def ok(replies, *codes):
    """Every entry is a success (or information), and those codes are among them."""
    assert replies, "an empty answer"
    for r in replies:
        assert r.ret_code > 0, "%x %s %s" % (r.ret_code & (2**64 - 1), r, r.cause)
    for code in codes:
        assert any(r.ret_code & 0xFFFFFFFFFFFFFFF == code for r in replies), "no %x in %s" % (code, replies)
    return replies


def number(reply):
    """The code without class, operation and object."""
    return (reply.ret_code if hasattr(reply, "ret_code") else reply) & 0x7FFF


def refused(replies, code):
    """The first entry is that error, and says why and what to do."""
    r = replies[0]
    assert r.is_error(code) if code is not None else r.is_error(), str(replies)
    assert r.cause and r.correction, "no cause or no correction: %s" % r
    return r


def until(what, test, seconds=60):
    """Polls until test() is true."""
    end = time.monotonic() + seconds
    while True:
        got = test()
        if got:
            return got
        assert time.monotonic() < end, "%s: not within %d s" % (what, seconds)
        time.sleep(0.05)


class Machine:
    """A satellite's name and where it listens: alpha=127.77.0.1:4711."""

    def __init__(self, arg):
        self.name, where = arg.split("=")
        self.ip, port = where.rsplit(":", 1)
        self.port = int(port)

    def create(self, lin, node_type):
        ok(lin.node_create(self.name, node_type, self.ip, port=self.port), c.CREATED | c.MASK_CRT | c.MASK_NODE)

    def wait_online(self, lin):
        return until(self.name + " online", lambda: [n for n in lin.node_list_raise([self.name]).nodes if n.connection_status == "ONLINE"])[0]


def pool_create(lin, node):
    ok(lin.storage_pool_create(node, "swpool", "LVM", "sw_ssd"), c.CREATED | c.MASK_CRT | c.MASK_STOR_POOL)
    return until("pool of " + node, lambda: [p for p in lin.storage_pool_list_raise([node], ["swpool"]).storage_pools
                                             if p.free_space and not p.reports])[0]


def section(title):
    print("--", title)
