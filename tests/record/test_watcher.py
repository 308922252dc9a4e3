"""Each rung, and each network, has the watcher that it needs."""

import os
import socket
from contextlib import closing
from typing import cast

import pytest

from egress_audit.model.run import Network, Rung
from egress_audit.record.attempts import Attempts
from egress_audit.record.calls import Calls
from egress_audit.record.inside import Inside
from egress_audit.record.loopback_calls import LoopbackCalls
from egress_audit.record.open_calls import OpenCalls
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.plan import RunPlan
from egress_audit.record.polling import Polling
from egress_audit.record.processes import Processes
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.senders import Senders
from egress_audit.record.watcher import watcher_of


class Standing:
    """As much of a sandbox as a watcher asks for."""

    def __init__(self, rung: Rung, listener: int, inside: Inside) -> None:
        self.rung = rung
        self.listener = listener
        self.init = os.getpid()
        self.inside = inside


@pytest.mark.opens_sockets
@pytest.mark.parametrize(
    ("rung", "network", "kind"),
    [
        (Rung.TUN, Network.SIMULATED, Calls),
        (Rung.VETH, Network.OPEN, Calls),
        (Rung.CALLS, Network.SEALED, LoopbackCalls),
        (Rung.CALLS, Network.SIMULATED, LoopbackCalls),
        (Rung.CALLS, Network.OPEN, OpenCalls),
        (Rung.POLLING, Network.OPEN, Polling),
    ],
)
def test_a_program_that_is_to_stay_in_is_watched_by_who_keeps_it_in(
    rung: Rung, network: Network, kind: type
) -> None:
    with socket.socket() as listener, closing(Inside.of(os.getpid())) as inside:
        watcher = watcher_of(
            cast(Sandbox, Standing(rung, listener.fileno(), inside)),
            RunPlan(("true",), network=network),
            Processes(lambda process: None, lambda: 0),
            Senders(lambda process, ends: None),
            Attempts(lambda *words, **more: None),
            OpenedFiles(0),
            lambda: None,
        )
    assert type(watcher) is kind
