"""The two ends of one IP packet, as much as is needed to find who sent it.

Not the decoder of the audit, which looks again at every frame: this one runs beside the program,
once a packet, and only has to know ports. Source: RFC 791, RFC 8200 §4, RFC 9293, RFC 768.
"""

import struct
from typing import NamedTuple

from egress_audit.model.protocols import ICMP, ICMPV6, TCP, WITH_PORTS

SYN = 0x02
EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})
FRAGMENT = 44
MOST_EXTENSIONS = 16
ECHOES = {ICMP: (8, 0), ICMPV6: (128, 129)}
"""Types whose identifier is the port of a ping socket (icmp(7))."""

_PORTS = struct.Struct("!HH")


class Ends(NamedTuple):
    """Who a packet says it is from and to."""

    proto: int
    source: bytes
    source_port: int
    """Port; identifier of an ICMP echo; else 0."""
    target: bytes
    target_port: int
    opens: bool
    """A TCP SYN without ACK."""


def ends_of(packet: bytes) -> Ends | None:
    """The ends of an IP packet; None for what is none."""
    if len(packet) < 20:
        return None
    version = packet[0] >> 4
    if version == 4:
        header = (packet[0] & 15) * 4
        later_fragment = (packet[6] & 0x1F) << 8 | packet[7]
        return _ends(
            packet, packet[9], packet[12:16], packet[16:20], 0 if later_fragment else header
        )
    if version == 6 and len(packet) >= 40:
        return _ends(packet, *_behind_extensions(packet))
    return None


def _behind_extensions(packet: bytes) -> tuple[int, bytes, bytes, int]:
    proto, place = packet[6], 40
    source, target = packet[8:24], packet[24:40]
    for _ in range(MOST_EXTENSIONS):
        if len(packet) < place + 8:
            return proto, source, target, 0
        if proto in EXTENSIONS:
            proto, place = packet[place], place + 8 + packet[place + 1] * 8
        elif proto == FRAGMENT:
            offset = packet[place + 2] << 8 | packet[place + 3] & 0xF8
            proto, place = packet[place], place + 8
            if offset:
                return proto, source, target, 0
        else:
            break
    return proto, source, target, place


def _ends(packet: bytes, proto: int, source: bytes, target: bytes, place: int) -> Ends:
    """place: where the transport begins; 0 if it is in another fragment."""
    if not place or len(packet) < place + 8:
        return Ends(proto, source, 0, target, 0, False)
    if proto in WITH_PORTS:
        source_port, target_port = _PORTS.unpack_from(packet, place)
        opens = proto == TCP and len(packet) > place + 13 and packet[place + 13] & 0x12 == SYN
        return Ends(proto, source, source_port, target, target_port, opens)
    if proto in ECHOES and packet[place] in ECHOES[proto]:
        identifier = packet[place + 4] << 8 | packet[place + 5]
        return Ends(proto, source, identifier, target, 0, False)
    return Ends(proto, source, 0, target, 0, False)
