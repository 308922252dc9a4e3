"""Reads TCP, UDP, ICMP and ICMPv6 headers, whole or cut.

Source: RFC 9293 (TCP), 768 (UDP), 792 (ICMP), 4443 (ICMPv6).
"""

import struct
from dataclasses import dataclass

from .capture_reader import ReferenceFrame
from .packet import Packet, u16

ICMP_COUNTERPARTS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
ICMPV6_COUNTERPARTS = {
    **{128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133},
    **{135: 136, 136: 135, 139: 140, 140: 139, 144: 145, 145: 144},
}
"""Type that answers each type. Source: Community ID v1, after Zeek's ICMP analyzer."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """What the network layer hands to the transport layer."""

    frame: ReferenceFrame
    version: int
    src: int
    dst: int
    proto: int
    ip_len: int
    start: int
    """Offset of the transport header in the frame."""
    length: int
    """Bytes behind the IP headers, on the wire; never negative."""
    captured: bytes
    """Those of them that were captured; link-layer padding cut off."""
    first_fragment: bool = False
    later_fragment: bool = False
    headers_ran_out: bool = False
    source_routed: bool = False
    """The IP header's destination is only the next station of a route."""


@dataclass(frozen=True, slots=True)
class _Transport:
    """What a transport header says."""

    sport: int = 0
    dport: int = 0
    one_way: bool = False
    tcp_flags: int = 0
    tcp_seq: int = 0
    tcp_ack: int = 0
    header_len: int = 0
    payload_len: int = 0
    partial: str | None = None


def packet_of(datagram: Datagram) -> Packet:
    """The packet of a datagram. Of a fragment no payload is taken, of a later one no port."""
    found = _Transport()
    if datagram.headers_ran_out:
        found = _Transport(partial=_why_short(datagram))
    elif not datagram.later_fragment:
        found = _transport_header(datagram)
    fragment = datagram.first_fragment or datagram.later_fragment
    routed = "source-routed" if datagram.source_routed else None
    payload_len = 0 if fragment else found.payload_len
    behind_header = max(0, len(datagram.captured) - found.header_len)
    return Packet(
        frame=datagram.frame.number,
        ts_ns=datagram.frame.ts_ns,
        version=datagram.version,
        src=datagram.src,
        dst=datagram.dst,
        proto=datagram.proto,
        ip_len=datagram.ip_len,
        sport=found.sport,
        dport=found.dport,
        one_way=found.one_way,
        tcp_flags=found.tcp_flags,
        tcp_seq=found.tcp_seq,
        tcp_ack=found.tcp_ack,
        payload=datagram.start + found.header_len,
        payload_cap=min(payload_len, behind_header),
        payload_len=payload_len,
        fragment=fragment,
        partial="fragment" if fragment else found.partial or routed,
    )


def _why_short(datagram: Datagram) -> str:
    cut = datagram.frame.caplen < datagram.frame.wirelen
    return "header-cut" if cut else "header-malformed"


def _transport_header(datagram: Datagram) -> _Transport:
    match datagram.version, datagram.proto:
        case _, 6:
            return _tcp(datagram)
        case _, 17:
            return _udp(datagram)
        case 4, 1:
            return _icmp(datagram, ICMP_COUNTERPARTS)
        case 6, 58:
            return _icmp(datagram, ICMPV6_COUNTERPARTS)
        case _, 33 | 132 | 136:
            return _ported(datagram)
    return _Transport(payload_len=datagram.length)


def _ported(datagram: Datagram) -> _Transport:
    """DCCP (RFC 4340), SCTP (RFC 9260), UDP-Lite (RFC 3828): ports first; the rest is not read."""
    if len(datagram.captured) < 4:
        return _Transport(partial=_why_short(datagram))
    sport, dport = _ports(datagram.captured)
    return _Transport(sport=sport, dport=dport, payload_len=datagram.length)


def _ports(data: bytes) -> tuple[int, int]:
    return (u16(data, 0), u16(data, 2)) if len(data) >= 4 else (0, 0)


def _tcp(datagram: Datagram) -> _Transport:
    """RFC 9293 §3.1; of a header that was cut, the fields that are there."""
    data = datagram.captured
    sport, dport = _ports(data)
    seq, ack = struct.unpack_from(">II", data, 4) if len(data) >= 12 else (0, 0)
    flags = data[13] if len(data) >= 14 else 0
    header_len = (data[12] >> 4) * 4 if len(data) >= 20 else 0
    trouble = None
    if len(data) < 20:
        trouble = _why_short(datagram)
    elif header_len < 20:
        trouble = "header-malformed"
    return _Transport(
        sport=sport,
        dport=dport,
        tcp_flags=flags,
        tcp_seq=seq,
        tcp_ack=ack,
        header_len=header_len,
        payload_len=0 if trouble else max(0, datagram.length - header_len),
        partial=trouble,
    )


def _udp(datagram: Datagram) -> _Transport:
    """RFC 768; a length field below 8 (jumbogram, offload) leaves the decision to the IP header."""
    data = datagram.captured
    sport, dport = _ports(data)
    if len(data) < 8:
        return _Transport(sport=sport, dport=dport, partial=_why_short(datagram))
    udp_len = u16(data, 4)
    length = min(udp_len, datagram.length) if udp_len >= 8 else datagram.length
    return _Transport(sport=sport, dport=dport, header_len=8, payload_len=max(0, length - 8))


def _icmp(datagram: Datagram, counterparts: dict[int, int]) -> _Transport:
    """Type and the type that answers it; with no such type: type and code, one way.

    The payload is what stands behind the eight bytes that every message has (RFC 792).
    """
    if len(datagram.captured) < 2:
        return _Transport(partial=_why_short(datagram))
    kind, code = datagram.captured[0], datagram.captured[1]
    return _Transport(
        sport=kind,
        dport=counterparts.get(kind, code),
        one_way=kind not in counterparts,
        header_len=8,
        payload_len=max(0, datagram.length - 8),
    )
