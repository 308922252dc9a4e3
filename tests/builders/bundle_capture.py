"""Reads the capture of a bundle one block at a time: frames, the process beside each, losses.

Shares nothing with writer or engine. Source: draft-ietf-opsawg-pcapng §3.5, §4.2, §4.3, §4.6.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

IDB, ISB, EPB = 1, 5, 6
COMMENT, IF_NAME, EPB_FLAGS, ISB_RECEIVED, ISB_DROPPED = 1, 2, 2, 4, 5
INBOUND = 1
ETHERNET = 1
TCP, UDP, ICMP, ICMPV6, IGMP = 6, 17, 1, 58, 2
SYN, RST, ACK = 0x02, 0x04, 0x10


@dataclass(frozen=True, slots=True)
class Losses:
    """What an interface statistics block says."""

    received: int
    dropped: int | None
    """None where it does not say."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of the capture, and what its IP header says. Extension headers are not followed."""

    number: int
    interface: str
    ts_ns: int
    outbound: bool
    packet: bytes
    """From the IP header on; empty if there is none."""
    comment: str

    @property
    def pid(self) -> int:
        """The process that the comment names; 0 if it names none."""
        found = re.match(r"pid (\d+)", self.comment)
        return int(found[1]) if found else 0

    @property
    def version(self) -> int:
        return self.packet[0] >> 4 if self.packet else 0

    @property
    def proto(self) -> int:
        """Protocol or next header."""
        return self.packet[9 if self.version == 4 else 6] if self.packet else 0

    @property
    def target(self) -> str:
        """Where to."""
        return str(ip_address(self.packet[16:20] if self.version == 4 else self.packet[24:40]))

    @property
    def source(self) -> str:
        """Where from."""
        return str(ip_address(self.packet[12:16] if self.version == 4 else self.packet[8:24]))

    @property
    def transport(self) -> bytes:
        """What follows the IP header."""
        return self.packet[(self.packet[0] & 15) * 4 if self.version == 4 else 40 :]

    @property
    def ports(self) -> tuple[int, int]:
        """Source and destination of TCP and UDP; zeros for others."""
        if self.proto not in (TCP, UDP):
            return 0, 0
        source, target = struct.unpack_from("!HH", self.transport)
        return source, target

    @property
    def payload(self) -> bytes:
        """What a UDP datagram or a TCP segment carries."""
        if self.proto == UDP:
            return self.transport[8:]
        return self.transport[(self.transport[12] >> 4) * 4 :] if self.proto == TCP else b""

    @property
    def opens(self) -> bool:
        """True for the first segment of a TCP connection."""
        return self.proto == TCP and self.transport[13] & (SYN | ACK) == SYN

    @property
    def resets(self) -> bool:
        """True for a TCP segment that ends a connection at once."""
        return self.proto == TCP and bool(self.transport[13] & RST)


def frames_of(capture: bytes) -> list[Frame]:
    """Every frame, in order."""
    links: list[tuple[str, int]] = []
    frames: list[Frame] = []
    for kind, body in _blocks(capture):
        if kind == IDB:
            options = dict(_options(body[8:]))
            links.append((options[IF_NAME].decode(), int.from_bytes(body[:2], "little")))
        elif kind == EPB:
            interface, high, low, caplen, _ = struct.unpack_from("<5I", body)
            name, linktype = links[interface]
            data = body[20 : 20 + caplen]
            options = dict(_options(body[20 + caplen + (-caplen & 3) :]))
            flags = int.from_bytes(options.get(EPB_FLAGS, b""), "little")
            comment = options.get(COMMENT, b"").decode()
            outbound = flags & 3 != INBOUND
            packet = _packet_in(data, linktype)
            ts_ns = high << 32 | low
            frames.append(Frame(len(frames) + 1, name, ts_ns, outbound, packet, comment))
    return frames


def losses_of(capture: bytes) -> dict[str, Losses]:
    """Statistics by name of the interface."""
    names: list[str] = []
    found = {}
    for kind, body in _blocks(capture):
        if kind == IDB:
            names.append(dict(_options(body[8:]))[IF_NAME].decode())
        elif kind == ISB:
            options = dict(_options(body[12:]))
            received, dropped = (
                int.from_bytes(options[code], "little") if code in options else None
                for code in (ISB_RECEIVED, ISB_DROPPED)
            )
            assert received is not None
            found[names[int.from_bytes(body[:4], "little")]] = Losses(received, dropped)
    return found


def _packet_in(data: bytes, linktype: int) -> bytes:
    if linktype != ETHERNET:
        return data
    return data[14:] if data[12:14] in (b"\x08\x00", b"\x86\xdd") else b""


def _blocks(capture: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 12 <= len(capture):
        kind, length = struct.unpack_from("<II", capture, at)
        yield kind, capture[at + 8 : at + length - 4]
        at += length


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if not code:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + length + (-length & 3)
