"""Reads IPv4 and IPv6 headers, outermost only, with options, fragments and extension headers.

Source: RFC 791 (IPv4), 8200 (IPv6), 6564 (extension headers), 6946 (atomic fragments).
"""

from .capture_reader import ReferenceFrame
from .packet import FRAGMENT, NO_NEXT_HEADER, Decoded, Undecoded, cut, u16
from .transport_layer import Datagram, packet_of

AUTHENTICATION = 51
EXTENSION_HEADERS = {0, 43, AUTHENTICATION, 60, 135, 139, 140}
"""Hop-by-hop, routing, destination options, mobility, HIP, shim6, all with RFC 6564's layout; and
authentication, which counts in words of four bytes (RFC 4302 §2.2)."""
MAX_EXTENSION_HEADERS = 16
ROUTING = 43


def ipv4(frame: ReferenceFrame, at: int) -> Decoded:
    """RFC 791 §3.1. A total length of 0 is what segmentation offload leaves: the wire decides."""
    header = frame.data[at:]
    if header and header[0] >> 4 != 4:
        return Undecoded("ip-malformed")
    if len(header) < 20:
        return cut(frame, "ip-malformed")
    header_len = (header[0] & 0x0F) * 4
    if header_len < 20:
        return Undecoded("ip-malformed")
    if len(header) < header_len:
        return cut(frame, "ip-malformed")
    total_len = u16(header, 2)
    if 0 < total_len < header_len:
        return Undecoded("ip-malformed")
    ip_len = total_len or frame.wirelen - at
    flags_and_offset = u16(header, 6)
    later = flags_and_offset & 0x1FFF != 0
    proto, behind, ran_out = header[9], header_len, False
    if not later:
        proto, behind, ran_out = _behind_authentication(header[:ip_len], proto, header_len)
    return packet_of(
        Datagram(
            frame=frame,
            version=4,
            src=int.from_bytes(header[12:16], "big"),
            dst=int.from_bytes(header[16:20], "big"),
            proto=proto,
            ip_len=ip_len,
            start=at + behind,
            length=max(0, ip_len - behind),
            captured=header[behind:ip_len],
            headers_ran_out=ran_out,
            first_fragment=not later and flags_and_offset & 0x2000 != 0,
            later_fragment=later,
            source_routed=_has_source_route(header[20:header_len]),
        )
    )


def _behind_authentication(packet: bytes, proto: int, at: int) -> tuple[int, int, bool]:
    """Protocol and place behind any authentication headers, and whether they ran out. RFC 4302."""
    for _ in range(MAX_EXTENSION_HEADERS):
        if proto != AUTHENTICATION:
            return proto, at, False
        if len(packet) < at + 8:
            return proto, at, True
        proto, at = packet[at], at + (packet[at + 1] + 2) * 4
        if len(packet) < at:
            return proto, at, True
    return proto, at, proto == AUTHENTICATION


def _has_source_route(options: bytes) -> bool:
    """A loose (131) or strict (137) source route whose pointer is not past its end. RFC 791 §3.1.

    Three bytes are the least that a route takes; what is shorter is none.
    """
    position = 0
    while position + 3 <= len(options):
        kind, length, pointer = options[position : position + 3]
        if kind == 0:
            return False
        if kind in (131, 137) and pointer <= length:
            return True
        position += 1 if kind == 1 else max(length, 2)
    return False


def ipv6(frame: ReferenceFrame, at: int) -> Decoded:
    """RFC 8200 §3. A payload length of 0 in front of something: a jumbogram, or offload."""
    header = frame.data[at:]
    if header and header[0] >> 4 != 6:
        return Undecoded("ip-malformed")
    if len(header) < 40:
        return cut(frame, "ip-malformed")
    payload_len, next_header = u16(header, 4), header[6]
    ip_len = 40 + payload_len
    if payload_len == 0 and next_header != NO_NEXT_HEADER:
        ip_len = frame.wirelen - at
    return packet_of(_behind_extensions(frame, at, ip_len, header[:ip_len]))


def _behind_extensions(frame: ReferenceFrame, at: int, ip_len: int, ip: bytes) -> Datagram:
    """The datagram behind IPv6's extension headers; `ip` holds its captured bytes.

    A fragment header with offset 0 and no more fragments is an atomic fragment: a whole datagram
    (RFC 6946). Behind a later fragment's header stand bytes from the middle: the walk ends.
    Source: RFC 8200 §4, RFC 6564 §4 (common layout).
    """
    proto, position = ip[6], 40
    first = later = ran_out = routed = False
    walked = 0
    while (proto in EXTENSION_HEADERS or proto == FRAGMENT) and not later:
        if walked == MAX_EXTENSION_HEADERS or len(ip) < position + 8:
            ran_out = True
            break
        walked += 1
        if proto == FRAGMENT:
            offset_and_more = u16(ip, position + 2)
            later = offset_and_more & 0xFFF8 != 0
            first = first or (not later and offset_and_more & 1 != 0)
            size = 8
        else:
            routed = routed or (proto == ROUTING and ip[position + 3] > 0)
            size = (ip[position + 1] + 1) * 8
            if proto == AUTHENTICATION:
                size = (ip[position + 1] + 2) * 4
        proto = ip[position]
        position += size
        ran_out = len(ip) < position
        if ran_out:
            break
    return Datagram(
        frame=frame,
        version=6,
        src=int.from_bytes(ip[8:24], "big"),
        dst=int.from_bytes(ip[24:40], "big"),
        proto=proto,
        ip_len=ip_len,
        start=at + position,
        length=max(0, ip_len - position),
        captured=ip[position:],
        first_fragment=first and not later,
        later_fragment=later,
        headers_ran_out=ran_out,
        source_routed=routed,
    )
