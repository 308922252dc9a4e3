"""The real network behind a sandbox: what the program sends goes on, and what comes back goes in.

    eg0 ──▶ recorder: written down, joined to its process ──▶ passt ──▶ sockets of this host

No packet has a way around the recorder: it carries each one itself, so that nothing leaves which is
not in the capture, a recorder that is slow makes the program wait and loses nothing, and one that
dies ends the network with it. passt (of the package that brings pasta) turns packets into ordinary
sockets of the user, and needs no rights. Measured with Debian 12's: 1 GB at 500 MB/s.

Source: passt(1); the framing of qemu's stream socket: four bytes of length, then Ethernet.
"""

import select
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from egress_audit.record.internet.internet import Internet
from egress_audit.record.probe import (
    SENTINEL4,
    SENTINEL6,
    SENTINEL_RESOLVER4,
    SENTINEL_RESOLVER6,
)
from egress_audit.record.setup import RESOLVER4
from egress_audit.record.wire import (
    ETHERNET,
    ETHERTYPES,
    INSIDE_MAC,
    IP_TYPES,
    OUTSIDE_MAC,
    Read,
    Wire,
)

RESOLV_CONF = Path("/etc/resolv.conf")
NAMESERVER = "nameserver"
ROUTES = {4: Path("/proc/self/net/route"), 6: Path("/proc/self/net/ipv6_route")}
SWALLOWED = frozenset(
    ip_address(text).packed
    for text in (SENTINEL4, SENTINEL6, SENTINEL_RESOLVER4, SENTINEL_RESOLVER6)
)
"""Where our probes go: nothing that is sent there ever leaves us."""
STALLED_S = 10.0
"""As long we wait for the way on to take a packet; then it has ended."""
BUFFER_LEN = 1 << 20
"""Of one read; far more than the longest frame."""
UP = 0x0001
REJECT = 0x0200
"""Flags of a route (linux/route.h)."""
_LENGTH = struct.Struct("!I")


class Passage(Protocol):
    """A way on to the real network."""

    def fileno(self) -> int:
        """The descriptor that can be read when something has come back."""
        ...

    def send(self, packet: bytes) -> None:
        """Hands an IP packet on. Raises OSError when the way has ended."""
        ...

    def arrived(self) -> list[bytes]:
        """IP packets for the sandbox. Raises OSError when the way has ended."""
        ...

    def close(self) -> None:
        """Ends the way, and removes all that was made for it."""
        ...


class OpenNetwork:
    """What answers the sandbox: the real network, or a refusal where there is no way to it."""

    def __init__(self, passage: Passage, refusal: Internet, versions: frozenset[int]) -> None:
        """refusal: answers packets of IP versions that have no way on; versions: those that do."""
        self.passage = passage
        self.ended = ""
        """Why there is no way any more; '' while there is."""
        self._refusal = refusal
        self._versions = versions

    def answer(self, packet: bytes, now_ns: int) -> list[bytes]:
        """Sends a packet on; what is to be written back at once."""
        six = packet[0] >> 4 == 6
        if (packet[24:40] if six else packet[16:20]) in SWALLOWED:
            return []
        if self.ended or (6 if six else 4) not in self._versions:
            return self._refusal.answer(packet, now_ns)
        try:
            self.passage.send(packet)
        except OSError as error:
            self.ended = error.strerror or type(error).__name__
        return []

    def arrived(self) -> list[bytes]:
        """Packets that came back from the network since the last call."""
        try:
            return [] if self.ended else self.passage.arrived()
        except OSError as error:
            self.ended = error.strerror or type(error).__name__
            return []

    def due(self, now_ns: int) -> list[bytes]:
        """What the refusals still have to send."""
        return self._refusal.due(now_ns)

    def new_names(self) -> list[tuple[str, str]]:
        """None: here names are the real ones."""
        return []

    def limits(self) -> list[str]:
        """In words, from when on there was no way to the real network."""
        if not self.ended:
            return []
        return [f"the way to the real network, which was refused once it failed: {self.ended}"]


class OpenWire:
    """The sandbox's wire, which also wakes us when something comes back from the network."""

    def __init__(self, wire: Wire, network: OpenNetwork) -> None:
        self.linktype = wire.linktype
        self._wire = wire
        self._network = network
        self._both = select.epoll()
        self._both.register(wire.fileno(), select.EPOLLIN)
        self._both.register(network.passage.fileno(), select.EPOLLIN)
        self._is_joined = True

    def fileno(self) -> int:
        """An epoll descriptor, itself readable when one of the two is."""
        return self._both.fileno()

    def frames(self) -> Iterator[Read]:
        """Frames of the sandbox."""
        if self._network.ended and self._is_joined:
            self._is_joined = False
            self._both.unregister(self._network.passage.fileno())
        return self._wire.frames()

    def packet_in(self, frame: bytes) -> bytes:
        """The IP packet of a frame."""
        return self._wire.packet_in(frame)

    def frame_for(self, packet: bytes) -> bytes:
        """A frame that brings a packet into the sandbox."""
        return self._wire.frame_for(packet)

    def write(self, frame: bytes) -> bool:
        """Sends a frame into the sandbox."""
        return self._wire.write(frame)

    def dropped(self, pid: int) -> int:
        """Frames of the sandbox that never reached us, and so went nowhere."""
        return self._wire.dropped(pid)

    def close(self) -> None:
        """Closes the device, then the way on."""
        self._both.close()
        self._wire.close()
        self._network.passage.close()


class FramedStream:
    """Packets over a stream socket to something that speaks as qemu's network does."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        stream.setblocking(False)
        self._heads = {
            kind >> 4: OUTSIDE_MAC + INSIDE_MAC + ETHERTYPES[kind >> 4] for kind in (0x40, 0x60)
        }
        # Made once: a new buffer for each read would cost more than the read.
        self._view = memoryview(bytearray(BUFFER_LEN))
        self._kept = 0
        """Bytes at its beginning of a frame that is not whole yet."""
        self._arrived: list[bytes] = []

    def fileno(self) -> int:
        """The socket."""
        return self._stream.fileno()

    def send(self, packet: bytes) -> None:
        """Hands a packet on; waits for room, and reads meanwhile, so that neither side waits for
        the other."""
        head = self._heads.get(packet[0] >> 4)
        if head is None:
            return
        frame = memoryview(_LENGTH.pack(ETHERNET + len(packet)) + head + packet)
        while frame:
            try:
                frame = frame[self._stream.send(frame) :]
            except BlockingIOError:
                wanted = [self._stream]
                if not any(select.select(wanted, wanted, [], STALLED_S)):
                    raise TimeoutError(0, "it takes no packets any more") from None
                self._read()

    def arrived(self) -> list[bytes]:
        """Packets read so far, and those that wait."""
        self._read()
        packets, self._arrived = self._arrived, []
        return packets

    def close(self) -> None:
        """Closes the socket; the other side ends by it."""
        self._stream.close()

    def _read(self) -> None:
        """Takes what waits, at most one buffer of it."""
        try:
            got = self._stream.recv_into(self._view[self._kept :])
        except BlockingIOError:
            return
        if not got:
            raise ConnectionResetError(0, "it has ended")
        self._take_frames(self._kept + got)

    def _take_frames(self, filled: int) -> None:
        """Takes the IP packets of all whole frames, and keeps the beginning of the next."""
        view, place = self._view, 0
        while filled - place >= _LENGTH.size:
            start = place + _LENGTH.size
            end = start + _LENGTH.unpack_from(view, place)[0]
            if end > filled:
                if end - place > BUFFER_LEN:
                    raise ConnectionResetError(0, "it sends what are no frames")
                break
            if bytes(view[start + 12 : start + ETHERNET]) in IP_TYPES:
                self._arrived.append(bytes(view[start + ETHERNET : end]))
            place = end
        self._kept = filled - place
        view[: self._kept] = bytes(view[place:filled])


def versions_with_a_route() -> frozenset[int]:
    """The versions of IP in which this host has a default route."""
    return frozenset(version for version in ROUTES if default_link(version))


def default_link(version: int) -> str:
    """The link of this host's default route; '' if it has none."""
    try:
        lines = ROUTES[version].read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        words = line.split()
        if version == 4:
            if words[1] == words[7] == "00000000" and int(words[3], 16) & UP:
                return words[0]
        elif words[1] == "00" and set(words[0]) == {"0"} and words[9] != "lo":
            flags = int(words[8], 16)
            if flags & UP and not flags & REJECT:
                return words[9]
    return ""


def host_resolvers(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    """Addresses of a resolv.conf that can be asked from elsewhere than this host, or () if the
    first cannot: then it is a stub on the host's own loopback, which somebody must ask for us."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    named = [
        words[1] for line in lines if len(words := line.split()) > 1 and words[0] == NAMESERVER
    ]
    if not named or not _is_elsewhere(named[0]):
        return ()
    return tuple(address for address in named if _is_elsewhere(address))


def _is_elsewhere(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local)


def open_resolvers(*, ipv6: bool) -> tuple[str, ...]:
    """Whom the program asks: this host's resolvers, or an address of ours for its stub."""
    versions = versions_with_a_route()
    found = [
        address
        for address in host_resolvers()
        if (6 in versions and ipv6 if ":" in address else 4 in versions)
    ]
    return tuple(found) or (RESOLVER4,)
