"""Local ports and what was begun from them: whose they are, as system calls showed it.

A port may serve several connections at once, each of another process; so a connection is known by
both its ends from its SYN on, and only what is not known so belongs to who called last at the port.
A datagram is known by where its call wanted to: it may come long after a connect.
"""

import socket
from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TypeVar

from egress_audit.model.protocols import TCP, WITH_PORTS
from egress_audit.model.run import Process
from egress_audit.record.notifications import SocketAddress
from egress_audit.record.packet_ends import Ends

MOST_PORTS = 200_000
"""More than there are ports of one address and protocol; the oldest go first."""
IPV6_V6ONLY = 26
ANY4, ANY6 = bytes(4), bytes(16)
MAPPED = bytes(10) + b"\xff\xff"
ON_THE_WIRE = {256: TCP, 262: TCP}
"""IPPROTO_SMC and IPPROTO_MPTCP, which never stand in a packet (linux/in.h): both send TCP."""

Port = tuple[int, bytes, int]
"""Protocol, local address (all zero: any), local port."""
Conversation = tuple[int, bytes, int, bytes, int]
"""Protocol, local address (empty where it is not TCP), local port, far address, far port."""

Key = TypeVar("Key")


def protocol_of(own: socket.socket) -> int:
    """The protocol of the packets that a socket sends."""
    return ON_THE_WIRE.get(own.proto, own.proto)


def address_of(told: SocketAddress) -> bytes:
    """Where packets for a socket address go: IPv4 for an address of IPv6 that is a mapped one."""
    target = ip_address(told.address.partition("%")[0]).packed
    return target[12:] if len(target) == 16 and target[:12] == MAPPED else target


def back(ends: Ends) -> Ends:
    """The ends of a packet that answers one with these."""
    there, port = ends.target, ends.target_port
    return Ends(ends.proto, there, port, ends.source, ends.source_port, False)


class LocalPorts:
    """Ports, and conversations from them, with the process behind each."""

    def __init__(self) -> None:
        self._ports: OrderedDict[Port, Process] = OrderedDict()
        self._conversations: OrderedDict[Conversation, Process] = OrderedDict()

    def note(self, own: socket.socket, process: Process) -> int:
        """Notes the local end of a socket, whose port it returns; 0 if it has none yet.

        Raises OSError.
        """
        address, port = own.getsockname()[:2]
        if not port:
            return 0
        proto = protocol_of(own)
        six = own.family == socket.AF_INET6
        here = ip_address(address.partition("%")[0]).packed
        _put(self._ports, (proto, here, port), process)
        if six and here[:12] == MAPPED:
            _put(self._ports, (proto, here[12:], port), process)
        elif six and here == ANY6 and not own.getsockopt(socket.IPPROTO_IPV6, IPV6_V6ONLY):
            _put(self._ports, (proto, ANY4, port), process)
        return int(port)

    def told(
        self, proto: int, port: int, targets: Iterable[SocketAddress], process: Process
    ) -> None:
        """Notes where a call from a port wanted to; of TCP only a SYN says that it got there."""
        for target in targets:
            if target.is_internet and proto != TCP:
                far_port = (target.port or 0) if proto in WITH_PORTS else 0
                key = (proto, b"", port, address_of(target), far_port)
                _put(self._conversations, key, process)

    def begin(self, ends: Ends, process: Process) -> None:
        """Notes whose the conversation is that a packet begins."""
        _put(self._conversations, _conversation(ends), process)

    def forget(self, ends: Ends) -> None:
        """Forgets a conversation: its other side begins a new one."""
        self._conversations.pop(_conversation(ends), None)

    def conversing(self, ends: Ends) -> Process | None:
        """The process whose conversation a packet belongs to, if that is known."""
        return self._conversations.get(_conversation(ends))

    def owner(self, ends: Ends) -> Process | None:
        """The process whose packet this is: by its conversation, or else by its port."""
        anywhere = ANY4 if len(ends.source) == 4 else ANY6
        return (
            self.conversing(ends)
            or self._ports.get((ends.proto, ends.source, ends.source_port))
            or self._ports.get((ends.proto, anywhere, ends.source_port))
        )


def _conversation(ends: Ends) -> Conversation:
    source = ends.source if ends.proto == TCP else b""
    return ends.proto, source, ends.source_port, ends.target, ends.target_port


def _put(table: OrderedDict[Key, Process], key: Key, process: Process) -> None:
    table[key] = process
    table.move_to_end(key)
    if len(table) > MOST_PORTS:
        table.popitem(last=False)
