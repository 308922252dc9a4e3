"""A network with a way out that leads nowhere, and everything that leaves by it.

For rungs that keep a program in without a network of its own: what they do not keep in would be
seen here, and reaches nobody.
"""

import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from egress_audit.model.run import Rung
from egress_audit.record.netlink import Links
from egress_audit.record.packet_ends import Ends, ends_of
from egress_audit.record.packet_socket import PacketSocket, open_packet_socket
from egress_audit.record.run import Recorded, record
from egress_audit.record.syscalls import CLONE_NEWNET
from tests.builders.namespaces import in_child
from tests.builders.recorded_runs import Seen, Way, place, seen_at

OWN, OWN6 = "192.0.2.77", "2001:db8:77::2"
NEAR, FAR = "up0", "up1"
SETTLE_S = 0.2
"""For packets that are still on their way."""

Result = TypeVar("Result")

CALLS = tuple(dict.fromkeys(Way(by_root, Rung.CALLS) for by_root in (os.geteuid() == 0, False)))
by_calls = pytest.mark.parametrize("way", CALLS, ids=str)
A_CALLS_WAY = CALLS[0]
POLLING = Way(os.geteuid() == 0, Rung.POLLING)


def make_uplink() -> PacketSocket:
    """A pair of links with routes to everywhere; hears all that leaves. In a namespace of ours."""
    with Links() as links:
        links.up("lo")
        links.veth(NEAR, FAR)
        for name in (NEAR, FAR):
            links.no_link_local(name)
            links.up(name, noarp=True)
        links.address(NEAR, OWN, 32)
        links.address(NEAR, OWN6, 128)
        links.route("0.0.0.0/0", NEAR, source=OWN)
        links.route("::/0", NEAR, source=OWN6)
    heard = open_packet_socket(FAR, cooked=True, ignore_outgoing=True)
    time.sleep(SETTLE_S)
    drained(heard)
    return heard


def drained(heard: PacketSocket) -> list[Ends]:
    """The ends of every IP packet that waits."""
    found: list[Ends] = []
    while frames := heard.read():
        found += [ends for frame in frames if (ends := ends_of(frame.data)) is not None]
    return found


def behind_uplink(
    function: Callable[[], Result], *, by_root: bool = True
) -> tuple[Result, list[Ends]]:
    """What a function returns in such a network, and every packet that left it.

    by_root: whether root calls it there, where root runs the tests.
    """

    def inside() -> tuple[Result, list[Ends]]:
        heard = make_uplink()
        result = function() if by_root else in_child(function, as_nobody=True)
        time.sleep(SETTLE_S)
        return result, drained(heard)

    return in_child(inside, namespaces=CLONE_NEWNET)


def run_behind_uplink(
    command: tuple[str, ...],
    way: Way,
    around: Callable[[Callable[[], Recorded]], Recorded] = lambda run: run(),
    **plan: Any,
) -> tuple[Seen, list[Ends]]:
    """A run in such a network. around: called with what runs it, beside other things to do."""
    made = place(way)
    asked = made.plan(command, **plan)
    recorded, left = behind_uplink(
        lambda: around(lambda: record(asked, made.bundle)), by_root=way.by_root
    )
    return seen_at(made, recorded), left
