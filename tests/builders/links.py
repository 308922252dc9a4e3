"""Wraps an IP packet in the header of each link type: `LINKS[9](packet)` is a PPP frame.

Each builder takes the packet and gives the bytes of a frame that leads to it, headers filled as
the specification has them. Source: www.tcpdump.org/linktypes.html and what it refers to; IEEE
802.11-2020 §9.2; RFC 1051, 1201, 1662, 2427, 2516, 2625, 2684, 2734, 3032, 4391, 4448.
"""

import struct
from collections.abc import Callable

from . import packets as p

Wrap = Callable[[bytes], bytes]
MAC = b"\x02\0\0\0\0\x01"


def is_v6(packet: bytes) -> bool:
    """True for an IPv6 packet."""
    return packet[:1] >= b"\x60"


def ethertype(packet: bytes) -> bytes:
    """EtherType of a packet."""
    return b"\x86\xdd" if is_v6(packet) else b"\x08\0"


def snap(packet: bytes) -> bytes:
    """802.2 with SNAP (RFC 1042)."""
    return b"\xaa\xaa\x03\0\0\0" + ethertype(packet) + packet


def snap_bridged(packet: bytes) -> bytes:
    """802.2 with SNAP, a whole Ethernet frame behind it, padded as on ATM (RFC 2684 §5.2)."""
    return b"\xaa\xaa\x03\0\x80\xc2\0\x07\0\0" + p.ethernet(packet)


def wlan(
    body: bytes,
    control: int = 0x08,
    flags: int = 0,
    *,
    quality: int = 0,
    fragment: int = 0,
    padded: bool = False,
) -> bytes:
    """An 802.11 data frame: four addresses if both DS bits are set, QoS if the subtype says so."""
    head = struct.pack("<BBH", control, flags, 0) + MAC * 3 + struct.pack("<H", fragment)
    head += MAC if flags & 3 == 3 else b""
    if control & 0x80:
        head += struct.pack("<H", quality) + (bytes(4) if flags & 0x80 else b"")
    return head + bytes(-len(head) % 4 if padded else 0) + body


def subframe(body: bytes, length: int | None = None) -> bytes:
    """One unit of an A-MSDU, padded; `length`: what it states, if that is not true."""
    stated = len(body) if length is None else length
    return MAC * 2 + stated.to_bytes(2, "big") + body + bytes(-(14 + len(body)) % 4)


def aggregate(*units: bytes, rest: bytes = b"") -> bytes:
    """An 802.11 frame that is an A-MSDU; `rest`: what stands behind the last unit."""
    return wlan(b"".join(units) + rest, 0x88, 1, quality=0x80)


def radiotap(frame: bytes, fields: bytes = b"", *present: int) -> bytes:
    """A radiotap header with these fields; `present`: the words that announce them."""
    words = b"".join(struct.pack("<I", word) for word in present or (0,))
    return struct.pack("<BBH", 0, 0, 4 + len(words) + len(fields)) + words + fields + frame


def avs(frame: bytes) -> bytes:
    """An AVS header, 64 bytes."""
    return struct.pack(">II", 0x80211001, 64) + bytes(56) + frame


def prism(frame: bytes) -> bytes:
    """A Prism header, 144 bytes."""
    return struct.pack("<II", 0x44, 144) + bytes(136) + frame


def ppi(frame: bytes, linktype: int = 105) -> bytes:
    """A PPI header with one field."""
    return struct.pack("<BBHI", 0, 0, 20, linktype) + bytes(12) + frame


def pktap(frame: bytes, linktype: int = 1, length: int = 108, record: int = 1) -> bytes:
    """A PKTAP header."""
    return struct.pack("<III", length, record, linktype) + bytes(length - 12) + frame


def attribute(sort: int, value: bytes, order: str = "<") -> bytes:
    """An attribute of NFLOG, padded to four bytes."""
    head = struct.pack(order + "HH", 4 + len(value), sort)
    return head + value + bytes(-len(value) % 4)


def nflog(packet: bytes, order: str = "<") -> bytes:
    """NFLOG: a packet header attribute, a prefix of odd length, then the packet."""
    head = bytes([10 if is_v6(packet) else 2, 0, 0, 5])
    earlier = attribute(1, b"\x08\0\3\0", order) + attribute(10, b"drop:\0", order)
    return head + earlier + attribute(9, packet, order)


def ppp_field(packet: bytes) -> bytes:
    """A PPP protocol field, two bytes."""
    return (b"\0\x57" if is_v6(packet) else b"\0\x21") + packet


def pppoe(packet: bytes, code: int = 0) -> bytes:
    """A PPPoE header (RFC 2516 §4)."""
    body = ppp_field(packet)
    return struct.pack(">BBHH", 0x11, code, 5, len(body)) + body


def nlpid(packet: bytes) -> bytes:
    """ISO/IEC TR 9577."""
    return (b"\x8e" if is_v6(packet) else b"\xcc") + packet


def c_hdlc(packet: bytes) -> bytes:
    """Cisco's HDLC."""
    return b"\x0f\0" + ethertype(packet) + packet


def frame_relay(packet: bytes) -> bytes:
    """Q.922 address of two bytes, control, NLPID."""
    return b"\x18\x41\x03" + nlpid(packet)


def family(packet: bytes, v6: int = 24) -> int:
    """AF_INET, or the number given for AF_INET6."""
    return v6 if is_v6(packet) else 2


def enc(packet: bytes) -> bytes:
    """ENC, little-endian."""
    return struct.pack("<III", family(packet), 7, 0) + packet


def pflog(packet: bytes) -> bytes:
    """PFLOG: 61 bytes, padded to 64."""
    return bytes([61, family(packet)]) + bytes(62) + packet


def ipnet(packet: bytes) -> bytes:
    """IPNET of Solaris."""
    head = struct.pack(">BBHIIIII", 1, family(packet, 26), 0, len(packet), 2, 0, 0, 0)
    return head + packet


def slip(packet: bytes) -> bytes:
    """SLIP: direction, then how the packet began."""
    return b"\0" + packet[:15].ljust(15, b"\0") + packet


def token_ring(packet: bytes) -> bytes:
    """Token ring, with a route of two hops."""
    return b"\x10\x40" + MAC + b"\x82\0\0\0\0\1" + b"\x06\x30\0\x11\0\x20" + snap(packet)


def arcnet(packet: bytes) -> bytes:
    """ARCNET_LINUX with the header of RFC 1201."""
    return bytes([1, 2, 0, 0, 0xC4 if is_v6(packet) else 0xD4, 0, 0, 1]) + packet


def label(value: int, *, bottom: bool) -> bytes:
    """An MPLS label stack entry (RFC 3032 §2.1)."""
    return struct.pack(">I", value << 12 | bottom << 8 | 64)


def mpls(body: bytes, depth: int = 2) -> bytes:
    """A stack of labels on top of `body`."""
    return b"".join(label(16 + n, bottom=n == depth - 1) for n in range(depth)) + body


def tagged(prefix: int, packet: bytes) -> bytes:
    """Two addresses, `prefix - 12` bytes of a switch's tag, EtherType."""
    return MAC * 2 + bytes(prefix - 12) + ethertype(packet) + packet


def little_family(packet: bytes) -> bytes:
    """NULL, little-endian."""
    return p.null(packet)


def docsis(packet: bytes) -> bytes:
    """DOCSIS: frame control 0, no extended header."""
    return struct.pack(">BBHH", 0, 0, len(packet) + 14, 0) + p.ethernet(packet)


LINKS: dict[int, Wrap] = {
    0: little_family,
    1: p.ethernet,
    6: token_ring,
    8: slip,
    9: lambda packet: b"\xff\x03" + ppp_field(packet),
    10: lambda packet: b"\x50" + MAC * 2 + snap(packet),
    12: bytes,
    14: bytes,
    50: lambda packet: b"\xff\x03" + ppp_field(packet),
    51: pppoe,
    100: snap_bridged,
    101: bytes,
    104: c_hdlc,
    105: lambda packet: wlan(snap(packet), 0x88, 1),
    106: snap,
    107: frame_relay,
    108: lambda packet: p.null(packet, big_endian=True),
    109: enc,
    113: p.sll,
    117: pflog,
    119: lambda packet: prism(wlan(snap(packet))),
    122: lambda packet: bytes(16) + snap(packet),
    123: lambda packet: b"\x02\0\0\x20" + snap(packet),
    127: lambda packet: radiotap(wlan(snap(packet), 0x88, 2)),
    129: arcnet,
    138: lambda packet: bytes(16) + ethertype(packet) + packet,
    143: docsis,
    149: lambda packet: pktap(p.ethernet(packet)),
    163: lambda packet: avs(wlan(snap(packet))),
    166: lambda packet: b"\x01\x03" + ppp_field(packet),
    192: lambda packet: ppi(wlan(snap(packet))),
    204: lambda packet: b"\x01\xff\x03" + ppp_field(packet),
    205: lambda packet: b"\x01" + c_hdlc(packet),
    206: lambda packet: b"\x01" + frame_relay(packet),
    226: ipnet,
    239: nflog,
    240: lambda packet: bytes(4) + p.ethernet(packet),
    241: lambda packet: bytes(4) + b"\x55" * 7 + b"\xd5" + p.ethernet(packet),
    242: lambda packet: bytes(40) + ethertype(packet) + bytes(2) + packet,
    258: lambda packet: pktap(p.ethernet(packet)),
    276: p.sll2,
    281: lambda packet: tagged(16, packet),
    282: lambda packet: bytes(4) + p.ethernet(packet),
    284: lambda packet: tagged(16, packet),
    285: lambda packet: tagged(20, packet),
}
"""LINKTYPE_ → the frame of that type around a packet; 228 and 229 take one version only."""
