"""Who sent a packet: the join of system calls with what came out of the wire.

At a connect, send, bind or listen the socket is duplicated and its local port read. A port that is
chosen only while the call is carried out is read when the packet comes: then the duplicate says
whose it is, whatever the call's arguments had said. Before a call is let go every packet that is
already on the wire is read, so that a port which changes hands is never joined to the wrong hand.
"""

import os
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from egress_audit.model.protocols import EITHER_ICMP, ICMP, ICMPV6, IGMP, TCP
from egress_audit.model.run import Process, Role
from egress_audit.record.local_ports import LocalPorts, address_of, back, protocol_of
from egress_audit.record.notifications import SocketAddress
from egress_audit.record.packet_ends import Ends
from egress_audit.record.syscalls import pidfd_getfd

PENDING_NS = 500_000_000
"""A call of which no packet came by then sent none; one without a port did not get one."""
MOST_PENDING = 4096
"""Each may hold a descriptor."""
MOST_FRAGMENTS = 4096
SO_NETNS_COOKIE = 71
"""Which network namespace a socket lies in (asm-generic/socket.h, since Linux 5.14)."""
RST = 0x04

SECCOMP = "seccomp"
KERNEL = "kernel, on behalf of"


@dataclass(slots=True)
class Pending:
    """A call whose packet, or local port, is not known yet."""

    socket: socket.socket
    """Closed once its port is known: the program may want to close it, and have the port again."""
    proto: int
    port: int
    """0 if it is not known yet."""
    tid: int
    process: Process
    targets: tuple[SocketAddress, ...]
    since_ns: int


class Heard(NamedTuple):
    """What a call showed of the socket that it was made on."""

    kind: int
    """SOCK_STREAM …; 0 where there is no socket."""
    elsewhere: bool = False
    """True if it lies in another network namespace than the probes, so that none of its packets
    comes our way."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The process behind a packet, and how that is known."""

    process: Process
    how: str


class Senders:
    """Ports and their processes, as they are now."""

    def __init__(self, on_mismatch: Callable[[Process, Ends], None]) -> None:
        self._on_mismatch = on_mismatch
        self._ports = LocalPorts()
        self._pending: list[Pending] = []
        self._raw: dict[int, Process] = {}
        """IP protocol of raw sockets, 255 for those that write the header themselves."""
        self._network: int | None = None
        """Cookie of the network namespace whose packets we read, as a probe showed it."""
        self._joined: Process | None = None
        self._packet_socket: Process | None = None
        self._fragments: OrderedDict[tuple[int, bytes, bytes], Process] = OrderedDict()

    def heard(
        self,
        pidfd: int,
        descriptor: int,
        tid: int,
        process: Process,
        targets: tuple[SocketAddress, ...],
        now_ns: int,
    ) -> Heard:
        """Takes in a call on a socket.

        Raises OSError if the descriptor is no socket or cannot be had.
        """
        self._done(tid)
        own = _socket_of(pidfd_getfd(pidfd, descriptor))
        kind = own.type
        if own.family not in (socket.AF_INET, socket.AF_INET6):
            if own.family == socket.AF_PACKET:
                self._packet_socket = process
            own.close()
            return Heard(kind)
        if self._is_elsewhere(own, process):
            own.close()  # Its ports are not ours: a packet of ours with the same is another's.
            return Heard(kind, elsewhere=True)
        if kind == socket.SOCK_RAW:
            self._raw[own.proto] = process
            own.close()
            return Heard(kind)
        self._wait(Pending(own, protocol_of(own), 0, tid, process, targets, now_ns))
        return Heard(kind)

    def _wait(self, call: Pending) -> None:
        """Waits for the packet of a call, or for its port; for neither where it has no target."""
        if self._has_port(call) and not call.targets:
            return
        if len(self._pending) >= MOST_PENDING:
            self._settle(self._pending[0])
        self._pending.append(call)

    def _is_elsewhere(self, own: socket.socket, process: Process) -> bool:
        """A probe calls first, and under the program's filter has no network of its own."""
        network = int.from_bytes(own.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8), "little")
        if self._network is None and process.role is Role.PROBE:
            self._network = network
        return self._network not in (None, network)

    def joined_group(self, process: Process) -> None:
        """Takes in that a process joined a multicast group: the kernel reports it."""
        self._joined = process

    def _has_port(self, call: Pending) -> bool:
        """Notes the local end of a call as soon as it has a port. Raises OSError."""
        if not call.port:
            call.port = self._ports.note(call.socket, call.process)
            if call.port:
                call.socket.close()
                self._ports.told(call.proto, call.port, call.targets, call.process)
        return call.port != 0

    def _done(self, tid: int) -> None:
        """A thread that calls again has finished its call before."""
        for waiting in [w for w in self._pending if w.tid == tid]:
            self._settle(waiting)

    def _settle(self, waiting: Pending) -> None:
        self._pending.remove(waiting)
        with suppress(OSError), waiting.socket:
            self._has_port(waiting)

    def sweep(self, now_ns: int) -> None:
        """Reads ports that are known by now, and lets calls go that waited too long."""
        for waiting in list(self._pending):
            known = False
            with suppress(OSError):
                known = self._has_port(waiting)
            if (known and not waiting.targets) or now_ns - waiting.since_ns > PENDING_NS:
                self._settle(waiting)

    def sender(self, ends: Ends, packet: bytes) -> Sender | None:
        """Who sent a packet that came out of the sandbox, or went over its loopback."""
        if ends.opens:
            self._ports.forget(back(ends))
        if ends.source_port and (ends.opens or ends.proto != TCP):
            self._match(ends)
        process = self._known(ends)
        if process is not None:
            return Sender(process, SECCOMP)
        return self._for_the_kernel(ends, packet)

    def _match(self, ends: Ends) -> None:
        """Joins a first packet to the call that it belongs to, and notes if it was another
        target's.

        Connections to different places may share a port (ip_local_port_range), so of two calls it
        is the one that had named the place. What another call had named before, as the connect of
        a datagram socket may have, or a SYN once more, contradicts no call.
        """
        strays: list[Pending] = []
        for waiting in self._pending:
            with suppress(OSError):
                self._has_port(waiting)
            at_port = (waiting.port, waiting.proto) == (ends.source_port, ends.proto)
            if not at_port or not waiting.targets:
                continue  # What names no place, as bind and listen, sends nothing by itself.
            if any(_is(ends, told) for told in waiting.targets):
                self._ports.begin(ends, waiting.process)
                if len(waiting.targets) == 1:
                    self._settle(waiting)
                return
            strays.append(waiting)
        owner = self._ports.conversing(ends)
        if strays and owner is None:
            owner = strays[0].process
            self._on_mismatch(owner, ends)
            self._settle(strays[0])
        if ends.opens and (owner := owner or self._ports.owner(ends)):
            self._ports.begin(ends, owner)

    def _known(self, ends: Ends) -> Process | None:
        if ends.source_port:
            found = self._ports.owner(ends)
            if found is not None:
                if ends.proto != TCP:
                    self._remember(ends, found)
                return found
        else:
            fragment = self._fragments.get((ends.proto, ends.source, ends.target))
            if fragment is not None:
                return fragment
        return self._raw.get(ends.proto) or self._raw.get(255) or self._packet_socket

    def _remember(self, ends: Ends, process: Process) -> None:
        """Later fragments have no port; they follow their first."""
        key = (ends.proto, ends.source, ends.target)
        self._fragments[key] = process
        if len(self._fragments) > MOST_FRAGMENTS:
            self._fragments.popitem(last=False)

    def _for_the_kernel(self, ends: Ends, packet: bytes) -> Sender | None:
        """Packets that no process asked for: group reports, and errors about what came in."""
        reports = ends.proto == IGMP or (ends.proto == ICMPV6 and not ends.source_port)
        if reports and self._joined is not None:
            return Sender(self._joined, KERNEL)
        process = None
        if ends.proto in EITHER_ICMP:
            process = self._quoted(ends, packet)
        elif ends.proto == TCP and _resets(packet):
            # A closed port of the loopback answers one of ours.
            process = self._ports.owner(back(ends))
        return Sender(process, KERNEL) if process else None

    def _quoted(self, ends: Ends, packet: bytes) -> Process | None:
        """The process whose port an ICMP error speaks of (RFC 792, RFC 4443 §3).

        What came in was meant for the quoted target; over loopback it also came from one of ours.
        """
        four = ends.proto == ICMP
        place = (packet[0] & 15) * 4 + 8 if four else 48
        transport = place + (20 if four else 40)
        if len(packet) < transport + 4:
            return None
        proto = packet[place + 9] if four else packet[place + 6]
        came_from, meant_for = struct.unpack_from("!HH", packet, transport)
        answer = Ends(proto, ends.source, meant_for, ends.target, came_from, False)
        return self._ports.owner(answer) or self._ports.owner(back(answer))

    def close(self) -> None:
        """Lets every socket go."""
        for waiting in self._pending:
            waiting.socket.close()
        self._pending.clear()


def _socket_of(descriptor: int) -> socket.socket:
    """The socket behind a descriptor, which is closed if it is none. Raises OSError."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _resets(packet: bytes) -> bool:
    """True for a TCP segment with RST, without IPv6 extension headers: the kernel sends none."""
    flags = 13 + ((packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40)
    return len(packet) > flags and bool(packet[flags] & RST)


def _is(ends: Ends, told: SocketAddress) -> bool:
    """True if a packet went where the call had said."""
    if not told.is_internet:
        return True
    target = address_of(told)
    if not any(target):
        return True  # The unspecified address means this machine (ip(7)).
    port = told.port if ends.target_port else 0
    return ends.target == target and ends.target_port == port
