"""Builds what stands around packets in tunnels, and cuts packets into fragments.

Source: RFC 2784, 2890, 2637, 7348, 8926, 4380, 2661, 3931, 3378, 3032; 3GPP TS 29.281; draft-
foschiano-erspan-03.
"""

import struct
from collections.abc import Sequence
from ipaddress import ip_address

from .packets import FRAGMENT, fragment, ip, ipv4, ipv6, udp

OUTER, FAR = "10.0.0.2", "192.0.2.1"
"""Ends of the tunnels that are built here."""
GRE, ETHERIP = 47, 97


def gre(payload: bytes, kind: int, *, flags: int = 0, options: bytes = b"") -> bytes:
    """A GRE header with the optional fields that the flags promise."""
    return struct.pack(">HH", flags, kind) + options + payload


def pptp(payload: bytes, *, acknowledged: bool = False) -> bytes:
    """GRE of version 1 with a sequence number (RFC 2637 §4.1)."""
    flags = 0x3001 | (0x0080 if acknowledged else 0)
    head = struct.pack(">HHHHI", flags, 0x880B, len(payload), 7, 1)
    return head + (bytes(4) if acknowledged else b"") + payload


def vxlan(frame: bytes) -> bytes:
    """VXLAN network 5 (RFC 7348 §5)."""
    return bytes([8, 0, 0, 0, 0, 0, 5, 0]) + frame


def geneve(payload: bytes, kind: int, options: bytes = b"") -> bytes:
    """Geneve network 5; options in words of four bytes (RFC 8926 §3.4)."""
    return struct.pack(">BBHI", len(options) // 4, 0, kind, 5 << 8) + options + payload


def gtp(payload: bytes, kind: int = 255, extensions: Sequence[bytes] = ()) -> bytes:
    """GTP-U version 1; each extension holds its content, without length and next type."""
    optional = b""
    if extensions:
        optional = b"\0\0\0\x85"
        for left, content in reversed(list(enumerate(reversed(extensions)))):
            optional += bytes([(len(content) + 2) // 4]) + content + (b"\x85" if left else b"\0")
    flags = 0x34 if extensions else 0x30
    return struct.pack(">BBHI", flags, kind, len(optional + payload), 9) + optional + payload


def ppp(packet: bytes) -> bytes:
    """A PPP frame with address and control bytes."""
    return b"\xff\x03" + (b"\0\x21" if packet[0] >> 4 == 4 else b"\0\x57") + packet


def l2tp(frame: bytes) -> bytes:
    """L2TP version 2, data, with a length (RFC 2661 §3.1)."""
    return struct.pack(">HHHH", 0x4002, 8 + len(frame), 1, 2) + frame


def over_udp(port: int, payload: bytes, sport: int = 40000) -> bytes:
    """A datagram of the tunnel's ends."""
    return ip(OUTER, FAR, udp(sport, port, payload), 17)


def over_ip(proto: int, payload: bytes) -> bytes:
    """A packet of the tunnel's ends."""
    return ip(OUTER, FAR, payload, proto)


def in_fragments(packet: bytes, size: int, identification: int = 1) -> list[bytes]:
    """An IPv4 or IPv6 packet without options, cut into fragments of `size` bytes of data."""
    v4 = packet[0] >> 4 == 4
    data = packet[20:] if v4 else packet[40:]
    return [
        fragment_of(packet, data[at : at + size], at, identification, more=at + size < len(data))
        for at in range(0, len(data), size)
    ]


def fragment_of(
    packet: bytes, data: bytes, offset: int, identification: int = 1, *, more: bool
) -> bytes:
    """One fragment with the ends of a packet."""
    if packet[0] >> 4 == 4:
        ends = (str(ip_address(packet[12:16])), str(ip_address(packet[16:20])))
        return ipv4(
            *ends,
            data,
            packet[9],
            fragment_offset=offset,
            more_fragments=more,
            identification=identification,
        )
    ends = (str(ip_address(packet[8:24])), str(ip_address(packet[24:40])))
    header = fragment(offset, more=more, identification=identification)
    return ipv6(*ends, data, packet[6], [(FRAGMENT, header)])
