"""The lowest rung: tables of sockets looked at again and again, while nothing is held back.

What lives for less than a look is missed (measured: of 1000 processes that connected once, 1 was
seen), so what is found here can show that a program called out, and never that it did not.
"""

import socket
import time
from typing import Any

import psutil

from egress_audit.model.run import Process
from egress_audit.record.attempts import Attempts
from egress_audit.record.descendants import children, descendants
from egress_audit.record.notifications import SocketAddress
from egress_audit.record.packet_ends import Ends
from egress_audit.record.processes import Processes

PAUSE_S = 0.002
UNDECLARED_S = 0.1
"""A child of init that has said nothing by then is a daemon, not one of ours."""
MOST_SEEN = 100_000
"""Sockets told apart; then all are forgotten, and those that are still held counted once more."""
KINDS = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "dgram"}

Seen = tuple[int, Any, Any, Any]
"""Process, type, local end, far end."""


class Polling:
    """Stands where the answers to system calls are given, on a host that does not let us ask."""

    def __init__(self, init: int, processes: Processes, attempts: Attempts) -> None:
        """init: pid of the process below which the program runs."""
        self._init = init
        self._processes = processes
        self._attempts = attempts
        self._seen: set[Seen] = set()
        self._served: set[tuple[int, int]] = set()
        """Type and port of sockets that wait for others: what has such a port was called."""
        self._first: dict[int, float] = {}
        self.handled = 0
        self.probed: set[str] = set()

    def sweep(self) -> None:
        """Nothing: everything is known when it is seen."""

    def finish(self) -> None:
        """Nothing waits."""

    def handle(self) -> None:
        """Looks once at every process of the tree, and rests a moment."""
        for pid in descendants(self._init):
            if not self._may_be_known(pid):
                continue
            try:
                task = self._processes.task(pid)
                self._processes.executed(task)
                found = psutil.Process(pid).net_connections(kind="inet")
            except (OSError, psutil.Error):
                continue  # Gone meanwhile, which is what this rung cannot help.
            for connection in sorted(found, key=lambda one: bool(one.raddr)):
                self._take(task.process, connection)
        time.sleep(PAUSE_S)

    def _may_be_known(self, pid: int) -> bool:
        """False for a process that has yet to say on whose behalf it was started."""
        if self._processes.is_declared(pid):
            return True
        since = self._first.setdefault(pid, time.monotonic())
        return pid not in children(self._init) or time.monotonic() - since > UNDECLARED_S

    def mismatch(self, process: Process, ends: Ends) -> None:
        """There are no packets to differ from anything."""

    def _take(self, process: Process, connection: Any) -> None:
        key = (process.id, connection.type, connection.laddr, connection.raddr)
        if key in self._seen:
            return
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(key)
        self.handled += 1
        call, end = self._meaning(connection)
        if call:
            target = SocketAddress(int(connection.family), end.ip, end.port)
            kind = KINDS.get(connection.type, "")
            self._attempts.add(process.id, call, kind=kind, target=target)

    def _meaning(self, connection: Any) -> tuple[str, Any]:
        """The call that must have been made for a socket to be as it is, and the end it names."""
        if not connection.laddr:
            return "", None
        here = int(connection.type), connection.laddr.port
        if not connection.raddr:
            self._served.add(here)
            stream = connection.type == socket.SOCK_STREAM
            listens = connection.status == psutil.CONN_LISTEN
            return ("listen" if stream and listens else "bind"), connection.laddr
        if connection.type == socket.SOCK_STREAM and here in self._served:
            return "accept", connection.raddr
        return "connect", connection.raddr
