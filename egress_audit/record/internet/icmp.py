"""What ICMP and ICMPv6 say back: echo replies, and that something cannot be reached.

Source: RFC 792, RFC 4443, RFC 1122 §3.2.2 and RFC 1812 §4.3.2 (what an error may be about, and how
much of it is quoted).
"""

from enum import Enum
from struct import Struct

from egress_audit.model.protocols import ICMP, ICMPV6
from egress_audit.record.internet.checksum import checksum, pseudo_checksum
from egress_audit.record.internet.packets import Packet, ip_packet

ECHO_REQUEST, ECHO_REQUEST_6 = 8, 128
_ECHO_REPLY, _ECHO_REPLY_6 = 0, 129
_QUERIES = frozenset({0, 8, 9, 10, 13, 14, 15, 16, 17, 18})
"""ICMP types that are no errors (RFC 1122 §3.2.2); of ICMPv6 all from 128 (RFC 4443 §2.1)."""
_FIRST_INFORMATIONAL_6 = 128
_QUOTED = 576 - 28
_QUOTED_6 = 1280 - 48

_HEADER = Struct(">BBHI")
_HALF = Struct(">H")


class Unreachable(Enum):
    """Why something was refused: type and code in ICMP, then in ICMPv6.

    A Linux client gets ECONNREFUSED for PORT, also on UDP; ENETUNREACH for NETWORK, but only TCP
    fails at once by it; EHOSTUNREACH or EACCES for HOST; ENOPROTOOPT or EPROTO for PROTOCOL.
    """

    NETWORK = (3, 0, 1, 0)
    PORT = (3, 3, 1, 4)
    PROTOCOL = (3, 2, 4, 1)
    HOST = (3, 10, 1, 1)


def echo_reply(packet: Packet) -> bytes:
    """The answer to an echo request: the same bytes from the other end."""
    body = packet.body
    if packet.proto == ICMP:
        blank = bytes((_ECHO_REPLY, 0, 0, 0)) + body[4:]
        value = checksum(blank)
    else:
        blank = bytes((_ECHO_REPLY_6, 0, 0, 0)) + body[4:]
        value = pseudo_checksum(packet.src + packet.dst, ICMPV6, blank)
    reply = blank[:2] + _HALF.pack(value) + blank[4:]
    return ip_packet(packet.dst, packet.src, packet.proto, reply)


def is_echo_request(packet: Packet) -> bool:
    """True for a whole ping, of either version in packets of that version."""
    body = packet.body
    wanted = (ICMP, ECHO_REQUEST) if len(packet.src) == 4 else (ICMPV6, ECHO_REQUEST_6)
    return len(body) >= 8 and (packet.proto, body[0]) == wanted and body[1] == 0


def is_error(packet: Packet) -> bool:
    """True for an ICMP error, or what may be one: nothing is ever answered to those."""
    if packet.proto == ICMP:
        return not packet.body or packet.body[0] not in _QUERIES
    if packet.proto == ICMPV6:
        return not packet.body or packet.body[0] < _FIRST_INFORMATIONAL_6
    return False


def unreachable(raw: bytes, packet: Packet, why: Unreachable) -> bytes:
    """The error that tells the sender of `raw` why it got nowhere, from where it wanted to go."""
    kind4, code4, kind6, code6 = why.value
    if len(packet.src) == 4:
        message = _HEADER.pack(kind4, code4, 0, 0) + raw[:_QUOTED]
        value, proto = checksum(message), ICMP
    else:
        # Of the four only "unrecognized next header" uses the word: it points at the number.
        pointer = packet.proto_at if why is Unreachable.PROTOCOL else 0
        message = _HEADER.pack(kind6, code6, 0, pointer) + raw[:_QUOTED_6]
        value, proto = pseudo_checksum(packet.src + packet.dst, ICMPV6, message), ICMPV6
    message = message[:2] + _HALF.pack(value) + message[4:]
    return ip_packet(packet.dst, packet.src, proto, message)
