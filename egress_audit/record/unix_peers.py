"""Who a unix socket was really connected to: asked of the kernel when the connect is over.

A path can be changed between our look and the kernel's, and can lead somewhere else by then; the
socket itself remembers whose listener took it (unix(7), SO_PEERCRED).
"""

import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from egress_audit.record.processes import parent_of
from egress_audit.record.syscalls import EXHAUSTED, pidfd_getfd

CREDENTIALS = struct.Struct("=iII")
MOST_GENERATIONS = 256
NOBODY_KNOWS = -1
"""Instead of a peer: whether there will be one was not waited for."""
MOST_WAITING = 4096
"""Each holds a descriptor."""


@dataclass(slots=True)
class Waiting:
    """A connect that was let go."""

    socket: socket.socket
    tid: int
    attempt: int | None


class UnixPeers:
    """Connects over unix sockets whose other end is not known yet."""

    def __init__(
        self,
        init: int,
        was_inside: Callable[[int], bool],
        on_reached: Callable[[int | None], None],
    ) -> None:
        """init: pid of the first process of the tree; was_inside: whether a process that has ended
        by now was one of it; on_reached: called with an attempt that came to another's."""
        self._init = init
        self._was_inside = was_inside
        self._on_reached = on_reached
        self._waiting: list[Waiting] = []

    def watch(self, pidfd: int, descriptor: int, tid: int, attempt: int | None) -> None:
        """Takes a duplicate of a socket that is about to be connected.

        Not of one for datagrams, which remembers nobody. Where too many wait, the first of them is
        held to have come to another's. Raises OSError where we have no room for it.
        """
        try:
            duplicate = pidfd_getfd(pidfd, descriptor)
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            return
        try:
            own = socket.socket(fileno=duplicate)
        except OSError:  # No socket, as the kernel will say.
            os.close(duplicate)
            return
        if own.type == socket.SOCK_DGRAM:
            own.close()
            return
        if len(self._waiting) >= MOST_WAITING:
            self._settle(self._waiting[0], _peer(self._waiting[0].socket) or NOBODY_KNOWS)
        self._waiting.append(Waiting(own, tid, attempt))

    def done(self, tid: int) -> None:
        """A thread that calls again has finished its connect."""
        for waiting in [w for w in self._waiting if w.tid == tid]:
            self._settle(waiting, _peer(waiting.socket))

    def sweep(self) -> None:
        """Looks at all that wait, and lets those go whose thread is gone.

        A full backlog can make a connect wait for as long as it likes.
        """
        for waiting in list(self._waiting):
            gone = not Path(f"/proc/{waiting.tid}").exists()
            peer = _peer(waiting.socket)
            if peer or gone:
                self._settle(waiting, peer)

    def finish(self) -> None:
        """Settles all that wait: nobody will call any more."""
        for waiting in list(self._waiting):
            self._settle(waiting, _peer(waiting.socket))

    def _settle(self, waiting: Waiting, peer: int) -> None:
        self._waiting.remove(waiting)
        waiting.socket.close()
        if peer == NOBODY_KNOWS or (peer and not self._is_inside(peer)):
            self._on_reached(waiting.attempt)

    def _is_inside(self, pid: int) -> bool:
        """True for the first process and all that descend from it."""
        asked = pid
        for _ in range(MOST_GENERATIONS):
            if pid == self._init:
                return True
            try:
                pid = parent_of(pid)
            except OSError:
                return self._was_inside(asked)
            if pid <= 1:
                return False
        return False

    def close(self) -> None:
        """Lets every socket go."""
        for waiting in self._waiting:
            waiting.socket.close()
        self._waiting.clear()


def _peer(own: socket.socket) -> int:
    """Pid of the process that listens at the other end, as ours numbers it; 0 if there is none."""
    try:
        raw = own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    except OSError:
        return 0
    pid: int = CREDENTIALS.unpack(raw)[0]
    return max(pid, 0)
