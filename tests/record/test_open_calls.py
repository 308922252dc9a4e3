"""On the real network, without packets, every call is noted and let go; probes never leave."""

import socket

import pytest

from egress_audit.model.run import Network, Rung
from egress_audit.record.probe import SENTINEL4, SENTINEL6
from tests.builders.programs import python
from tests.builders.recorded_runs import Way, needs_namespaces
from tests.builders.uplink import A_CALLS_WAY, run_behind_uplink

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]


@pytest.mark.parametrize("rung", [Rung.CALLS, Rung.POLLING])
def test_probes_never_leave_on_the_real_network(rung: Rung) -> None:
    _, left = run_behind_uplink(("true",), Way(A_CALLS_WAY.by_root, rung), network=Network.OPEN)
    sentinels = [socket.inet_aton(SENTINEL4), socket.inet_pton(socket.AF_INET6, SENTINEL6)]
    assert not [ends for ends in left if ends.target in sentinels or ends.target_port == 53]


def test_an_open_network_without_packets_still_has_every_call() -> None:
    program = 'udp("203.0.113.5", 5000)'
    seen, left = run_behind_uplink(python(program), A_CALLS_WAY, network=Network.OPEN)
    assert [ends.target_port for ends in left] == [5000]
    (attempt,) = seen.attempts("sendto")
    assert (attempt.address, attempt.port) == ("203.0.113.5", 5000)
    assert seen.run.network is Network.OPEN
