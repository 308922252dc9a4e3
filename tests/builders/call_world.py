"""The recorder's part that answers calls, asked by this process itself; what it wrote down.

world = World()
assert world.call("connect", made.fileno(), placed(address), 16) == LET_GO
"""

import io
import os
import socket
import struct
import time

from egress_audit.evidence.events import EventsWriter, Value
from egress_audit.model.run import Role
from egress_audit.record.attempts import Attempts
from egress_audit.record.calls import Calls
from egress_audit.record.inside import Inside
from egress_audit.record.notifications import Listener, Notification
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.packet_ends import Ends
from egress_audit.record.private_place import ALL_PRIVATE, Private
from egress_audit.record.processes import Processes
from egress_audit.record.senders import Senders
from egress_audit.record.surroundings import Surroundings
from tests.builders.memory import placed

PID = os.getpid()
INSIDE = Inside.of(PID)
UNIX = 1
LET_GO = 0
"""Instead of an errno: the kernel was let to carry the call out."""
DONE = -1
"""Instead of an errno: the call was carried out by us."""


class QueueListener(Listener):
    """Calls that wait in a list, and the answers they got."""

    def __init__(self) -> None:
        self.descriptor = -1
        self.waiting: list[Notification] = []
        self.answers: list[int] = []
        self.killed = False

    def receive(self) -> Notification | None:
        return self.waiting.pop(0) if self.waiting else None

    def still_waits(self, notification: Notification) -> bool:
        return not self.killed

    def let_go(self, notification: Notification) -> bool:
        self.answers.append(LET_GO)
        return True

    def refuse(self, notification: Notification, code: int) -> bool:
        self.answers.append(code)
        return True

    def done(self, notification: Notification, value: int) -> bool:
        self.answers.append(-value if value < 0 else DONE)
        return True


class World:
    """The recorder's part that answers calls, and what it wrote down."""

    def __init__(
        self,
        keep: int = 0,
        role: Role = Role.TARGET,
        began_ns: int = 0,
        private: Private = ALL_PRIVATE,
    ) -> None:
        self.listener = QueueListener()
        self.attempts: list[dict[str, object]] = []
        self.drained = 0
        self.processes = Processes(lambda process: None, time.time_ns)
        self.processes.declare(PID, role)
        self.mismatches: list[Ends] = []
        self.senders = Senders(lambda process, ends: self.mismatches.append(ends))
        self.files = OpenedFiles(began_ns, private)
        self._kept = Attempts(self._write)
        around = Surroundings(
            self.listener,
            PID,
            INSIDE,
            self.processes,
            self.senders,
            self._kept,
            self.files,
            drain=self._drain,
            now=time.time_ns,
        )
        self.calls = Calls(around, keep=keep)

    def _write(self, event: str, **fields: Value) -> None:
        EventsWriter(io.BytesIO()).write(event, 1, **fields)  # Refuses what no reader takes.
        if event == "attempt":
            self.attempts.append({**fields})

    def close(self) -> None:
        """Gives the descriptors of processes and sockets back."""
        self.senders.close()
        self.processes.close()

    @property
    def outcomes(self) -> list[tuple[object, object]]:
        """Attempts, each with what became of it."""
        return list(self._kept.outcomes.items())

    def _drain(self) -> None:
        self.drained += 1

    def call(self, name: str, *arguments: int, tid: int = PID) -> int:
        """The answer to a call: an errno, or LET_GO."""
        words = [word & (1 << 64) - 1 for word in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
        one, two, three, four, five, six = words
        self.listener.waiting.append(Notification(1, tid, name, (one, two, three, four, five, six)))
        before = len(self.listener.answers)
        self.calls.handle()
        assert len(self.listener.answers) == before + 1
        return self.listener.answers[-1]

    def wanted(self) -> list[tuple[object, ...]]:
        """The attempts in short."""
        return [
            tuple(attempt[name] for name in ("call", "family", "address", "port"))
            for attempt in self.attempts
        ]

    def connects(self, path: str) -> int:
        """A connect to a unix socket."""
        address = struct.pack("=H", UNIX) + os.fsencode(path) + b"\0"
        with socket.socket(socket.AF_UNIX) as made:
            return self.call("connect", made.fileno(), placed(address), len(address))

    def sends(self, path: str) -> int:
        """A datagram to a unix path."""
        address = struct.pack("=H", UNIX) + os.fsencode(path) + b"\0"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
            payload = placed(b"x")
            return self.call("sendto", made.fileno(), payload, 1, 0, placed(address), len(address))

    def binds(self, path: str) -> int:
        """A bind to a unix path that waits, and is not carried out."""
        address = struct.pack("=H", UNIX) + os.fsencode(path) + b"\0"
        with socket.socket(socket.AF_UNIX) as made:
            return self.call("bind", made.fileno(), placed(address), len(address))
