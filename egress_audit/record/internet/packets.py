"""IP packets taken apart, as far as the transport header, and put together.

Checksums of what comes in are not verified: on a veth pair the kernel leaves them to hardware that
is not there, and a wrong one in the sandbox would still be an attempt.

Source: RFC 791 §3.1 (IPv4), RFC 8200 §3 and §4 (IPv6 and its extension headers), RFC 4302 §2.2.
"""

from enum import StrEnum
from struct import Struct
from typing import NamedTuple

from egress_audit.model.protocols import TCP, UDP
from egress_audit.record.internet.checksum import checksum, pseudo_checksum

HOP_LIMIT = 64
MAX_EXTENSIONS = 16
"""Extension headers that one packet may have before we stop walking them."""

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION_OPTIONS = 0, 43, 44, 51, 60
_SKIPPED = frozenset({_HOP_BY_HOP, _ROUTING, _DESTINATION_OPTIONS})
_DONT_FRAGMENT = 0x4000
_FRAGMENTED = 0x3FFF
_VERSION_6 = 0x6000_0000

_IPV4 = Struct(">BBHHHBBH8s")
_IPV6 = Struct(">IHBB32s")
_UDP = Struct(">HHHH")
_LENGTH_AND_FRAGMENT = Struct(">HHH")
_HALF = Struct(">H")


class Malformed(StrEnum):
    """Why a packet could not be taken apart; such packets are counted, never answered."""

    EMPTY = "malformed: neither IPv4 nor IPv6"
    IPV4_HEADER = "malformed: IPv4 header"
    IPV6_HEADER = "malformed: IPv6 header"
    EXTENSIONS = "malformed: IPv6 extension headers"


class Packet(NamedTuple):
    """One IP packet from the sandbox."""

    src: bytes
    """4 or 16 bytes, in network order; the same for `dst`."""
    dst: bytes
    proto: int
    """The transport protocol, extension headers skipped; 44 of an IPv6 fragment."""
    body: bytes
    """From the transport or IPv6 fragment header to the end that the IP header tells."""
    fragment_at: int
    """Where the header of an IPv6 fragment, or the field of an IPv4 one, stands; 0 if whole."""
    proto_at: int
    """Offset of the byte that names `proto`."""


def read_packet(raw: bytes) -> Packet | Malformed:
    """The packet in `raw`, from its IP header; what follows its stated length is left out."""
    version = raw[0] >> 4 if raw else 0
    if version == 4:
        return _read_ipv4(raw)
    return _read_ipv6(raw) if version == 6 else Malformed.EMPTY


def _read_ipv4(raw: bytes) -> Packet | Malformed:
    if len(raw) < 20:
        return Malformed.IPV4_HEADER
    header = (raw[0] & 15) * 4
    total, _, fragment = _LENGTH_AND_FRAGMENT.unpack_from(raw, 2)
    if header < 20 or not header <= total <= len(raw):
        return Malformed.IPV4_HEADER
    fragment_at = 6 if fragment & _FRAGMENTED else 0
    return Packet(raw[12:16], raw[16:20], raw[9], raw[header:total], fragment_at, 9)


def _read_ipv6(raw: bytes) -> Packet | Malformed:
    if len(raw) < 40:
        return Malformed.IPV6_HEADER
    end = 40 + (raw[4] << 8 | raw[5])
    if end > len(raw):
        return Malformed.IPV6_HEADER
    proto, proto_at, at = raw[6], 6, 40
    if proto in (TCP, UDP):
        return Packet(raw[8:24], raw[24:40], proto, raw[40:end], 0, 6)
    for _ in range(MAX_EXTENSIONS):
        if proto in _SKIPPED:
            words = 8
        elif proto == _AUTHENTICATION:
            words = 4
        else:
            fragment_at = at if proto == _FRAGMENT else 0
            if fragment_at and at + 8 > end:
                return Malformed.EXTENSIONS
            return Packet(raw[8:24], raw[24:40], proto, raw[at:end], fragment_at, proto_at)
        if at + 2 > end:
            return Malformed.EXTENSIONS
        # The length of an authentication header counts words of four bytes, minus two.
        length = (raw[at + 1] + (1 if words == 8 else 2)) * words
        proto, proto_at, at = raw[at], at, at + length
        if at > end:
            return Malformed.EXTENSIONS
    return Malformed.EXTENSIONS


def ip_packet(src: bytes, dst: bytes, proto: int, body: bytes) -> bytes:
    """An IPv4 or IPv6 packet, as the length of its addresses has it; the body's checksum is done.

    IPv4 packets may not be fragmented and therefore carry no identification (RFC 6864 §4.1).
    """
    if len(src) == 16:
        return _IPV6.pack(_VERSION_6, len(body), proto, HOP_LIMIT, src + dst) + body
    addresses = src + dst
    header = _IPV4.pack(0x45, 0, 20 + len(body), 0, _DONT_FRAGMENT, HOP_LIMIT, proto, 0, addresses)
    return header[:10] + _HALF.pack(checksum(header)) + addresses + body


def udp_packet(src: bytes, dst: bytes, sport: int, dport: int, data: bytes) -> bytes:
    """A whole packet with one UDP datagram (RFC 768)."""
    length = 8 + len(data)
    blank = _UDP.pack(sport, dport, length, 0) + data
    value = pseudo_checksum(src + dst, UDP, blank) or 0xFFFF
    return ip_packet(src, dst, UDP, _UDP.pack(sport, dport, length, value) + data)
