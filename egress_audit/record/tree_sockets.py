"""Unix sockets where the host's own are in sight: only those of the program's own tree are let."""

import errno
import socket
import stat
from contextlib import closing

from egress_audit.model.run import Process
from egress_audit.record.calls import ANSWERED, Calls
from egress_audit.record.file_calls import AT_FDCWD, path_of
from egress_audit.record.filter import AF_UNIX
from egress_audit.record.inside import Inside
from egress_audit.record.notifications import (
    Notification,
    SocketAddress,
    addresses_of,
    type_name,
)

MOST_NAMES = 1000


class TreeSocketCalls(Calls):
    """Refuses a unix socket that somebody else has bound, who could send for the program."""

    _bound_names: frozenset[str] = frozenset()
    """Abstract sockets of the tree."""

    def _local(self, note: Notification, process: Process, own: socket.socket) -> int:
        targets = tuple(target for target in addresses_of(note) if target is not None)
        if not self._listener.still_waits(note):
            return ANSWERED
        for target in targets:
            if target.family != AF_UNIX:
                return errno.EINVAL
            if target.address:
                refusal = self._local_refusal(note, target)
                number = self._attempts.add(
                    process.id, note.name, kind=type_name(own.type), target=target, denied=refusal
                )
                if refusal == errno.ENOENT:
                    self._attempts.came_to(number, "absent")
                if refusal:
                    return refusal
        return 0

    def _bind_name(self, name: str) -> None:
        if len(self._bound_names) < MOST_NAMES:
            self._bound_names |= {name}

    def _local_refusal(self, note: Notification, target: SocketAddress) -> int:
        """0 for binding, and for a socket that a process of the tree has bound."""
        abstract = target.address.startswith("@")
        if note.name == "bind":
            if abstract:
                self._bind_name(target.address)
            else:
                self._unix(note, target, None)
            return 0
        if abstract:
            return 0 if target.address in self._bound_names else errno.ECONNREFUSED
        path = path_of(note.tid, AT_FDCWD, target.address)
        try:
            with closing(Inside.of(note.tid)) as inside:
                here = inside.stat(path)
                ours = stat.S_ISSOCK(here.st_mode) and self._paths.is_ours(inside, here)
        except OSError as error:
            return error.errno or errno.ENOENT
        return 0 if ours else errno.ECONNREFUSED
