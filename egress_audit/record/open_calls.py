"""What the recorder does with calls where the program is on the real network, without packets.

Attempts are exact as far as a call says the truth; nothing is held back but our own probes, which
never leave the machine.
"""

import errno

from egress_audit.model.run import Role
from egress_audit.record.calls import Calls
from egress_audit.record.notifications import Notification, SocketAddress, addresses_of
from egress_audit.record.processes import Task

SERVING = ("bind", "listen")


class OpenCalls(Calls):
    """Notes every call, and lets it go."""

    def _calls(self, note: Notification, task: Task) -> int:
        if task.process.role is not Role.PROBE or note.name in SERVING:
            return super()._calls(note, task)
        for target in addresses_of(note):
            if target is not None:
                self._attempts.add(
                    task.process.id,
                    note.name,
                    kind="dgram",
                    target=target,
                    denied=errno.ENETUNREACH,
                )
                self.probed.add(f"{target.address} {target.port}")
        return errno.ENETUNREACH

    def _unix(self, note: Notification, target: SocketAddress, number: int | None) -> None:
        """An abstract name is the host's here, whoever has bound it."""
        if target.address.startswith("@") and note.name != "bind":
            self._attempts.came_to(number, "reached")
            return
        super()._unix(note, target, number)
