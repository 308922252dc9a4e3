"""Where the headers of a single frame end: what a cut recording keeps, what a payload hash covers.

This is no decoder: what it does not understand it says so of, and the caller keeps less, never
more. Source: RFC 791, RFC 8200 §4 (extension headers), RFC 9293 §3.1, RFC 768, RFC 792, RFC 4443;
RFC 9000 §17.2.2 (QUIC Initial), RFC 8446 §4.1.2 (ClientHello).
"""

from typing import NamedTuple

from egress_audit.model.protocols import DNS_PORT, ICMP, ICMP_QUOTES, ICMPV6, TCP, UDP

ETHERNET, RAW = 1, 101
"""LINKTYPE_ values that our recorders write."""
ETHERNET_HEADER = 14
IPV4, IPV6, ARP, VLAN = 0x0800, 0x86DD, 0x0806, 0x8100
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS = 0, 43, 44, 60
MAX_EXTENSIONS = 16

NAME_PORTS = frozenset({DNS_PORT, 5353, 5355})
"""DNS, mDNS, LLMNR."""
UDP_NAME_PORTS = NAME_PORTS | {137, 1900}
"""Over UDP alone also NetBIOS names and SSDP."""
QUOTED = 8
"""Bytes of the transport header that an ICMP error quotes at least (RFC 792)."""
QUIC_INITIAL_PADDED = 1200
QUIC_V2 = b"\x6b\x33\x43\xcf"
"""The version whose Initials are of another type (RFC 9369 §3.1 and §3.2)."""
DTLS_KIND_AT = 13
"""Of the handshake message behind the header of a record (RFC 6347 §4.1)."""
UNKNOWN = -1


class Layout(NamedTuple):
    """Offsets into a frame; UNKNOWN where there is no such header, or it is not all there."""

    network: int
    transport: int
    """Behind the IP header and the extension headers that are there."""
    proto: int
    """IANA number of the transport; UNKNOWN in all fragments but the first."""
    payload: int
    """Behind the transport header."""


NOT_IP = Layout(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)


def layout_of(frame: bytes, linktype: int) -> Layout:
    """The layout of a frame of LINKTYPE_RAW or LINKTYPE_ETHERNET; NOT_IP for all others."""
    network = _network_at(frame, linktype)
    if network == UNKNOWN or network >= len(frame):
        return NOT_IP
    version = frame[network] >> 4
    if version == 4:
        return _of_ipv4(frame, network)
    return _of_ipv6(frame, network) if version == 6 else NOT_IP


def kept_length(frame: bytes, linktype: int) -> int:
    """Bytes of a frame that a recording of headers keeps.

    Link, IP and transport headers; the quoted headers of an ICMP error; and whole packets that
    carry a name: DNS and its kin by port, a ClientHello of TLS or DTLS and a QUIC Initial by their
    first bytes. A ClientHello that goes on in a second segment loses that part. What is no IP keeps
    its link header, ARP all of it.
    """
    layout = layout_of(frame, linktype)
    if layout.network == UNKNOWN:
        return _kept_of_others(frame, linktype)
    if layout.payload == UNKNOWN:
        return min(layout.transport, len(frame))
    if layout.proto in (TCP, UDP):
        return len(frame) if _carries_name(frame, layout) else layout.payload
    if frame[layout.transport] in ICMP_QUOTES.get(layout.proto, ()):
        quoted = layout_of(frame[layout.payload :], RAW)
        if quoted.transport != UNKNOWN:
            return min(layout.payload + quoted.transport + QUOTED, len(frame))
    return layout.payload


def _network_at(frame: bytes, linktype: int) -> int:
    if linktype == RAW:
        return 0
    if linktype != ETHERNET:
        return UNKNOWN
    at = ETHERNET_HEADER
    while (kind := _u16(frame, at - 2)) == VLAN:
        at += 4
    return at if kind in (IPV4, IPV6) else UNKNOWN


def _of_ipv4(frame: bytes, network: int) -> Layout:
    transport = network + (frame[network] & 0x0F) * 4
    if transport < network + 20 or transport > len(frame):
        return NOT_IP._replace(network=network, transport=len(frame))
    later = _u16(frame, network + 6) & 0x1FFF
    proto = UNKNOWN if later else frame[network + 9]
    return Layout(network, transport, proto, _payload_at(frame, transport, proto))


def _of_ipv6(frame: bytes, network: int) -> Layout:
    at = network + 40
    if at > len(frame):
        return NOT_IP._replace(network=network, transport=len(frame))
    proto = frame[network + 6]
    for _ in range(MAX_EXTENSIONS):
        if proto not in (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS):
            return Layout(network, at, proto, _payload_at(frame, at, proto))
        if at + 8 > len(frame):
            break
        if proto == FRAGMENT and _u16(frame, at + 2) & 0xFFF8:
            return Layout(network, at + 8, UNKNOWN, UNKNOWN)
        size = 8 if proto == FRAGMENT else frame[at + 1] * 8 + 8
        proto, at = frame[at], at + size
    return Layout(network, min(at, len(frame)), UNKNOWN, UNKNOWN)


def _payload_at(frame: bytes, transport: int, proto: int) -> int:
    if proto == TCP:
        if transport + 20 > len(frame):
            return UNKNOWN
        size = (frame[transport + 12] >> 4) * 4
    elif proto in (UDP, ICMP, ICMPV6):
        size = 8
    else:
        return UNKNOWN
    payload = transport + size
    return payload if payload <= len(frame) and (proto != TCP or size >= 20) else UNKNOWN


def _kept_of_others(frame: bytes, linktype: int) -> int:
    if linktype != ETHERNET:
        return min(1, len(frame))
    return len(frame) if _u16(frame, 12) == ARP else min(ETHERNET_HEADER, len(frame))


def _carries_name(frame: bytes, layout: Layout) -> bool:
    ports = UDP_NAME_PORTS if layout.proto == UDP else NAME_PORTS
    if {_u16(frame, layout.transport), _u16(frame, layout.transport + 2)} & ports:
        return True
    head = frame[layout.payload : layout.payload + 6]
    if layout.proto == TCP:
        return len(head) == 6 and head[:2] == b"\x16\x03" and head[5] == 1
    if head[:2] in (b"\x16\xfe", b"\x16\x01"):
        return frame[layout.payload + DTLS_KIND_AT : layout.payload + DTLS_KIND_AT + 1] == b"\x01"
    initial = len(head) == 6 and head[0] & 0xF0 == (0xD0 if head[1:5] == QUIC_V2 else 0xC0)
    return initial and any(head[1:5]) and len(frame) - layout.payload >= QUIC_INITIAL_PADDED


def _u16(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 2], "big")
