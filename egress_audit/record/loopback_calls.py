"""What the recorder does with calls where nothing else keeps the program in: no network namespace.

Every socket of IPv4 or IPv6 is made by us, bound to the loopback interface for good (an ordinary
user cannot take that back, socket(7)), and only then given to the program: whatever it does with
it, no packet of it reaches another interface. Beyond that, calls are refused that lead anywhere but
to the program's own sockets, and those that do not are carried out by us: see `carried_out`.
"""

import errno
import os
import socket
from collections.abc import Callable

from egress_audit.model.run import Process, Role
from egress_audit.record import carried_out
from egress_audit.record.calls import ANSWERED
from egress_audit.record.fence import end_of, fence, is_here
from egress_audit.record.filter import AF_INET, AF_INET6, AF_UNIX, SOCK_TYPE_MASK
from egress_audit.record.group_joins import joined_group
from egress_audit.record.notifications import (
    MOST_MESSAGES,
    MULTIPLE_MESSAGE_SIZE,
    Notification,
    SocketAddress,
    addresses_of,
    family_name,
    parse_address,
    type_name,
)
from egress_audit.record.processes import Task
from egress_audit.record.surroundings import Surroundings
from egress_audit.record.syscalls import pidfd_getfd
from egress_audit.record.tree_sockets import TreeSocketCalls

ORDINARY = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
ECHO = (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6)
PROTOCOLS = (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP, *ECHO)
"""Others may open connections of their own (MPTCP), from sockets that we do not hold."""
SOCKET_CALLS = (
    *("socket", "connect", "bind", "listen", "sendto", "sendmsg", "sendmmsg", "setsockopt"),
)
UNREAD = (errno.EFAULT, errno.EMSGSIZE)
"""Why a call is refused of which we do not know where it leads; others have no such socket."""
MOST_WANTED = 100_000
MESSAGE_LENGTH = 56
"""Place of msg_len in struct mmsghdr."""


class LoopbackCalls(TreeSocketCalls):
    """Answers every notification of a program that must stay on this machine, and among itself."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._ports: set[tuple[int, int]] = set()
        """Type and port of every socket of the tree that could be called."""
        self._wanted: dict[int, bytes] = {}
        """Inode of a socket of datagrams → the address that it believes to be connected to."""
        self._workers = carried_out.Workers()

    def _unread(self, note: Notification, error: OSError) -> int:
        """A call that leads somewhere is never let go unseen, and what we cannot read the kernel
        might have."""
        if note.name not in SOCKET_CALLS:
            return 0
        if error.errno in UNREAD:
            self._attempts.add(self._caller(note.tid), note.name, denied=errno.EFAULT)
        return error.errno or errno.EFAULT

    # Sockets

    def _socket(self, note: Notification, process: Process) -> int:
        family, asked, protocol = (word & 0xFFFF_FFFF for word in note.arguments[:3])
        kind = asked & SOCK_TYPE_MASK
        if family not in (AF_INET, AF_INET6) or kind not in ORDINARY:
            return super()._socket(note, process)
        if protocol not in PROTOCOLS:
            code = errno.EPROTONOSUPPORT
            name = family_name(family)
            self._attempts.add(process.id, "socket", kind=type_name(kind), family=name, denied=code)
            return code
        with socket.socket(family, kind | asked & socket.SOCK_NONBLOCK, protocol) as made:
            fence(made)
            self._listener.give(note, made.fileno(), cloexec=bool(asked & socket.SOCK_CLOEXEC))
        return ANSWERED

    def _joins_group(self, note: Notification, process: Process) -> int:
        """The kernel would report it to the network, from whatever interface is named."""
        group, code = joined_group(note), errno.ENODEV
        self._attempts.add(process.id, note.name, target=group, denied=code)
        return code

    def _calls(self, note: Notification, task: Task) -> int:
        own = socket.socket(fileno=pidfd_getfd(task.pidfd, note.arguments[0] & 0xFFFF_FFFF))
        with own:
            if own.family in (AF_INET, AF_INET6):
                fence(own)  # One that it was started with was not made by us.
                return self._internet(note, task.process, own)
            if own.family == AF_UNIX:
                return self._local(note, task.process, own)
        return super()._calls(note, task)

    # IPv4 and IPv6

    def _internet(self, note: Notification, process: Process, own: socket.socket) -> int:
        if note.name == "listen":
            return self._carry(note, own, lambda: carried_out.listen(own, note.arguments[1]))
        if note.name == "bind":
            return self._bind(note, process, own)
        if note.name == "connect":
            return self._connect(note, process, own)
        if own.type == socket.SOCK_STREAM:
            return self._send_on(note, process)
        if note.name == "sendmmsg":
            return self._send_many(note, process, own)
        return self._send(note, process, own)

    def _carry(self, note: Notification, own: socket.socket, call: Callable[[], int]) -> int:
        """Makes a call, learns the port that it gave the socket, and answers."""
        if self._listener.still_waits(note):
            result = call()
            self._learn(own)
            self._listener.done(note, result)
        return ANSWERED

    def _learn(self, own: socket.socket) -> None:
        port = own.getsockname()[1]
        if port:
            self._ports.add((own.type, port))

    def _bind(self, note: Notification, process: Process, own: socket.socket) -> int:
        address = carried_out.read_address(note.tid, *note.arguments[1:3])
        if len(address) < 2:
            return errno.EINVAL
        self._note(note.name, process, own, address, 0)
        return self._carry(note, own, lambda: carried_out.bind(own, address))

    def _connect(self, note: Notification, process: Process, own: socket.socket) -> int:
        address = carried_out.read_address(note.tid, *note.arguments[1:3])
        if len(address) < 2:
            return errno.EINVAL
        if parse_address(address).family == socket.AF_UNSPEC:
            return self._carry(note, own, lambda: carried_out.connect(own, address))
        refusal = self._refusal(own, address)
        if refusal and own.type == socket.SOCK_DGRAM and len(self._wanted) < MOST_WANTED:
            return self._pretend(note, process, own, address)
        self._note(note.name, process, own, address, refusal)
        if refusal:
            return refusal
        self._wanted.pop(_inode(own), None)
        if own.type == socket.SOCK_STREAM and carried_out.waits(own):
            return self._connect_beside(note, own.dup(), address)
        return self._carry(note, own, lambda: carried_out.connect(own, address))

    def _pretend(
        self, note: Notification, process: Process, own: socket.socket, address: bytes
    ) -> int:
        """Lets datagrams be connected to what they cannot reach, as a call that sends nothing: what
        follows shows whether it only asked for a route."""
        self._note(note.name, process, own, address, 0)
        self._wanted[_inode(own)] = address
        if self._listener.still_waits(note):
            self._listener.done(note, 0)
        return ANSWERED

    def _connect_beside(self, note: Notification, own: socket.socket, address: bytes) -> int:
        """A full backlog lets the program wait, and nobody else."""

        def work() -> None:
            with own:
                if self._listener.still_waits(note):
                    self._listener.done(note, carried_out.connect(own, address))

        if self._workers.take(work):
            return ANSWERED
        own.close()
        return errno.EAGAIN

    def _send_on(self, note: Notification, process: Process) -> int:
        """A send on a stream: an address means nothing there, but for the send that connects."""
        flags = note.arguments[2 if note.name == "sendmsg" else 3]
        if not flags & carried_out.MSG_FASTOPEN:
            return 0
        code = errno.EOPNOTSUPP
        for target in addresses_of(note):
            if target is not None:
                self._attempts.add(process.id, note.name, kind="stream", target=target, denied=code)
        return code

    def _send(self, note: Notification, process: Process, own: socket.socket) -> int:
        if note.name == "sendto":
            _, pointer, length, flags, name, name_len = note.arguments
            message = carried_out.Message(
                carried_out.read_address(note.tid, name, name_len),
                carried_out.read_payload(note.tid, pointer, length),
            )
        else:
            flags = note.arguments[2]
            message = carried_out.read_message(note.tid, note.arguments[1])
        refusal = self._send_refusal(note, process, own, message.address)
        if refusal:
            return refusal
        return self._carry(note, own, lambda: carried_out.send(own, message, int(flags)))

    def _send_many(self, note: Notification, process: Process, own: socket.socket) -> int:
        """As many as can be sent; the first that cannot ends it, as the kernel would."""
        _, pointer, count, flags, _, _ = note.arguments
        sent = code = 0
        for place in range(min(count & 0xFFFF_FFFF, MOST_MESSAGES)):
            at = pointer + place * MULTIPLE_MESSAGE_SIZE
            message = carried_out.read_message(note.tid, at)
            if not self._listener.still_waits(note):
                return ANSWERED
            code = -self._send_refusal(note, process, own, message.address)
            code = code or carried_out.send(own, message, int(flags))
            if code < 0:
                break
            carried_out.write_number(note.tid, at + MESSAGE_LENGTH, code)
            sent += 1
        return self._carry(note, own, lambda: sent or min(code, 0))

    def _send_refusal(
        self, note: Notification, process: Process, own: socket.socket, address: bytes
    ) -> int:
        address = address or self._wanted.get(_inode(own), b"")
        if not address:
            return 0  # To where the socket was connected by us.
        refusal = self._refusal(own, address)
        self._note(note.name, process, own, address, refusal)
        return refusal

    def _refusal(self, own: socket.socket, address: bytes) -> int:
        """The errno with which to refuse a way; 0 for one that leads to the program itself."""
        end = end_of(address)
        if end is None:
            return errno.EINVAL
        place, port = end
        if not is_here(place):
            return errno.ENETUNREACH
        if own.proto in ECHO or (own.type, port) in self._ports:
            return 0
        # A server of this machine that is not the program's could send for it.
        return errno.ECONNREFUSED

    def _note(
        self, call: str, process: Process, own: socket.socket, address: bytes, refusal: int
    ) -> None:
        end, target = end_of(address), parse_address(address)
        if end is not None and target.family == socket.AF_UNSPEC:
            target = SocketAddress(AF_INET, str(end[0]), end[1])
        self._attempts.add(
            process.id, call, kind=type_name(own.type), target=target, denied=refusal
        )
        if process.role is Role.PROBE:
            self.probed.add(f"{target.address} {target.port}")


def _inode(own: socket.socket) -> int:
    return os.fstat(own.fileno()).st_ino
