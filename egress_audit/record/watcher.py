"""Who looks at what the program does beside its packets: on each rung somebody else."""

import time
from collections.abc import Callable
from typing import Protocol

from egress_audit.model.run import Network, Process, Rung
from egress_audit.record.attempts import Attempts
from egress_audit.record.calls import Calls
from egress_audit.record.loopback_calls import LoopbackCalls
from egress_audit.record.notifications import Listener
from egress_audit.record.open_calls import OpenCalls
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.packet_ends import Ends
from egress_audit.record.plan import RunPlan
from egress_audit.record.polling import Polling
from egress_audit.record.processes import Processes
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.senders import Senders
from egress_audit.record.surroundings import Surroundings
from egress_audit.record.unix_peers import UnixPeers


class Watcher(Protocol):
    """Answers system calls, or looks at what came of them."""

    handled: int
    """How many calls were answered."""
    probed: set[str]
    """Addresses that a probe was seen to call for, as text with port."""

    def handle(self) -> None:
        """Deals with what waits on the sandbox's listener."""
        ...

    def sweep(self) -> None:
        """Called ten times a second: settles what needs no call to be known."""
        ...

    def finish(self) -> None:
        """Settles what still waits, when the run has ended."""
        ...

    def mismatch(self, process: Process, ends: Ends) -> None:
        """Takes in a packet that went elsewhere than its call had said."""
        ...


def watcher_of(
    sandbox: Sandbox,
    plan: RunPlan,
    processes: Processes,
    senders: Senders,
    attempts: Attempts,
    files: OpenedFiles,
    drain: Callable[[], None],
) -> Watcher:
    """The watcher that the sandbox's rung has, and the network that was asked for needs."""
    if sandbox.rung is Rung.POLLING:
        return Polling(sandbox.init, processes, attempts)
    around = Surroundings(
        Listener(sandbox.listener),
        sandbox.init,
        sandbox.inside,
        processes,
        senders,
        attempts,
        files,
        drain,
        now=time.time_ns,
    )
    if sandbox.rung.sees_all:
        return Calls(
            around,
            keep=plan.keep_capabilities,
            peers=UnixPeers(
                sandbox.init,
                processes.knows,
                lambda number: attempts.came_to(number, "reached"),
            ),
        )
    return OpenCalls(around) if plan.network is Network.OPEN else LoopbackCalls(around)
