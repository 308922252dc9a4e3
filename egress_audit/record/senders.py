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
from ipaddress import ip_address
from typing import NamedTuple

from egress_audit.model.run import Process, Role
from egress_audit.record.notifications import SocketAddress
from egress_audit.record.packet_ends import ICMP, ICMPV6, IGMP, TCP, Ends
from egress_audit.record.syscalls import pidfd_getfd

PENDING_NS = 500_000_000
"""A call that has no port by then did not get one; its socket is let go."""
MOST_PORTS = 200_000
MOST_PENDING = 4096
"""Each holds a descriptor."""
MOST_FRAGMENTS = 4096
IPV6_V6ONLY = 26
SO_NETNS_COOKIE = 71
"""Which network namespace a socket lies in (asm-generic/socket.h, since Linux 5.14)."""
ANY4, ANY6 = bytes(4), bytes(16)
RST = 0x04
MAPPED = bytes(10) + b"\xff\xff"
ON_THE_WIRE = {256: TCP, 262: TCP}
"""IPPROTO_SMC and IPPROTO_MPTCP, which never stand in a packet (linux/in.h): both send TCP."""

SECCOMP = "seccomp"
KERNEL = "kernel, on behalf of"

Port = tuple[int, bytes, int]
"""Protocol, local address (all zero: any), local port."""


@dataclass(slots=True)
class Pending:
    """A socket whose local port is not known yet."""

    socket: socket.socket
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
        self._ports: OrderedDict[Port, Process] = OrderedDict()
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
        if not self._bound(own, process):
            if len(self._pending) >= MOST_PENDING:
                self._settle(self._pending[0])
            self._pending.append(Pending(own, tid, process, targets, now_ns))
        else:
            own.close()
        return Heard(kind)

    def _is_elsewhere(self, own: socket.socket, process: Process) -> bool:
        """A probe calls first, and under the program's filter has no network of its own."""
        network = int.from_bytes(own.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8), "little")
        if self._network is None and process.role is Role.PROBE:
            self._network = network
        return self._network not in (None, network)

    def joined_group(self, process: Process) -> None:
        """Takes in that a process joined a multicast group: the kernel reports it."""
        self._joined = process

    def _bound(self, own: socket.socket, process: Process) -> bool:
        """Notes the local end of a socket if it has one."""
        address, port = own.getsockname()[:2]
        if not port:
            return False
        proto = _protocol(own)
        six = own.family == socket.AF_INET6
        here = ip_address(address.partition("%")[0]).packed
        self._set((proto, here, port), process)
        if six and here[:12] == MAPPED:
            self._set((proto, here[12:], port), process)
        elif six and here == ANY6 and not own.getsockopt(socket.IPPROTO_IPV6, IPV6_V6ONLY):
            self._set((proto, ANY4, port), process)
        return True

    def _set(self, port: Port, process: Process) -> None:
        self._ports[port] = process
        self._ports.move_to_end(port)
        if len(self._ports) > MOST_PORTS:
            self._ports.popitem(last=False)

    def _done(self, tid: int) -> None:
        """A thread that calls again has finished its call before."""
        for waiting in [w for w in self._pending if w.tid == tid]:
            self._settle(waiting)

    def _settle(self, waiting: Pending) -> None:
        self._pending.remove(waiting)
        with suppress(OSError), waiting.socket:
            self._bound(waiting.socket, waiting.process)

    def sweep(self, now_ns: int) -> None:
        """Reads ports that are known by now, and lets sockets go that waited too long."""
        for waiting in list(self._pending):
            try:
                port = waiting.socket.getsockname()[1]
            except OSError:
                port = 0
            if port or now_ns - waiting.since_ns > PENDING_NS:
                self._settle(waiting)

    def sender(self, ends: Ends, packet: bytes) -> Sender | None:
        """Who sent a packet that came out of the sandbox, or went over its loopback."""
        if self._pending and ends.source_port:
            self._match(ends)
        process = self._known(ends)
        if process is not None:
            return Sender(process, SECCOMP)
        return self._for_the_kernel(ends, packet)

    def _match(self, ends: Ends) -> None:
        """Settles the call that this packet belongs to, and notes if it was another target's.

        Connections to different places may share a port (ip_local_port_range), so of two calls it
        is the one that had named the place, and only a SYN is a connection's first packet.
        """
        if ends.proto == TCP and not ends.opens:
            return
        strays: list[Pending] = []
        for waiting in self._pending:
            with suppress(OSError):
                port = waiting.socket.getsockname()[1]
                if (port, _protocol(waiting.socket)) != (ends.source_port, ends.proto):
                    continue
                if not waiting.targets or any(_is(ends, told) for told in waiting.targets):
                    self._settle(waiting)
                    return
                strays.append(waiting)
        if strays:
            self._on_mismatch(strays[0].process, ends)
            self._settle(strays[0])

    def _known(self, ends: Ends) -> Process | None:
        if ends.source_port:
            found = self._at(ends.proto, ends.source, ends.source_port)
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
        if ends.proto in (ICMP, ICMPV6):
            process = self._quoted(ends, packet)
        elif ends.proto == TCP and _resets(packet):
            # A closed port of the loopback answers one of ours.
            process = self._at(ends.proto, ends.target, ends.target_port)
        return Sender(process, KERNEL) if process else None

    def _at(self, proto: int, address: bytes, port: int) -> Process | None:
        """The process at a local end."""
        anywhere = ANY4 if len(address) == 4 else ANY6
        found = self._ports.get((proto, address, port))
        return found or self._ports.get((proto, anywhere, port))

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
        meant = self._at(proto, ends.source, meant_for)
        return meant or self._at(proto, ends.target, came_from)

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


def _protocol(own: socket.socket) -> int:
    """The protocol of the packets that a socket sends."""
    return ON_THE_WIRE.get(own.proto, own.proto)


def _is(ends: Ends, told: SocketAddress) -> bool:
    """True if a packet went where the call had said."""
    if not told.is_internet:
        return True
    target = ip_address(told.address.partition("%")[0]).packed
    if target[:12] == MAPPED and len(target) == 16:
        target = target[12:]
    if not any(target):
        return True  # The unspecified address means this machine (ip(7)).
    port = told.port if ends.target_port else 0
    return ends.target == target and ends.target_port == port
