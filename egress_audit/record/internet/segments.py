"""TCP segments taken apart and put together, and arithmetic on sequence numbers.

Source: RFC 9293 §3.1 (header), §3.2 (options), §3.4 (sequence numbers), §3.7.1 (MSS).
"""

from struct import Struct
from typing import NamedTuple

from egress_audit.model.protocols import TCP
from egress_audit.record.internet.checksum import pseudo_checksum
from egress_audit.record.internet.packets import ip_packet

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MODULUS_MASK = 0xFFFF_FFFF
_HALF_CIRCLE = 0x8000_0000

DEFAULT_MSS = {4: 536, 16: 1220}
"""Of a client that names none, by the size of its address (RFC 9293 §3.7.1)."""
SMALLEST_MSS = 64
"""A client that asks for less gets this: a segment for each byte serves nobody."""
_END, _NO_OPERATION, _MSS_OPTION = 0, 1, 2

_HEADER = Struct(">HHIIBBH4x")
_PARTS = Struct(">HHIIBBHHH")
_MSS = Struct(">BBH")
_CHECKSUM_AT = 16


class Segment(NamedTuple):
    """One TCP segment from the sandbox, without its ports."""

    seq: int
    ack: int
    flags: int
    window: int
    data: bytes
    options: bytes


def read_segment(body: bytes) -> Segment | None:
    """The segment; None if its header is not all there. Its checksum is not looked at."""
    if len(body) < 20:
        return None
    _, _, seq, ack, offset, flags, window = _HEADER.unpack_from(body)
    start = (offset >> 4) * 4
    if not 20 <= start <= len(body):
        return None
    return Segment(seq, ack, flags, window, body[start:], body[20:start])


def segment_packet(
    ends: "Ends", seq: int, ack: int, flags: int, window: int, data: bytes = b"", mss: int = 0
) -> bytes:
    """A whole IP packet with a segment of ours; `mss` is announced unless it is 0."""
    options = _MSS.pack(_MSS_OPTION, 4, mss) if mss else b""
    offset = (20 + len(options)) << 2
    blank = _PARTS.pack(ends.sport, ends.dport, seq, ack, offset, flags, window, 0, 0) + options
    if data:
        blank += data
    value = pseudo_checksum(ends.src + ends.dst, TCP, blank)
    return ip_packet(
        ends.src, ends.dst, TCP, blank[:_CHECKSUM_AT] + value.to_bytes(2, "big") + blank[18:]
    )


class Ends(NamedTuple):
    """Both ends of a connection, as our segments name them: `src` and `sport` are ours."""

    src: bytes
    dst: bytes
    sport: int
    dport: int


def announced_mss(segment: Segment, address_size: int) -> int:
    """The longest segment the client wants, from its SYN; within reason."""
    options, at = segment.options, 0
    while at + 1 < len(options) and options[at] != _END:
        if options[at] == _NO_OPERATION:
            at += 1
            continue
        if options[at] == _MSS_OPTION and options[at + 1] == 4 and at + 4 <= len(options):
            return max(SMALLEST_MSS, options[at + 2] << 8 | options[at + 3])
        at += max(2, options[at + 1])
    return DEFAULT_MSS[address_size]


def ahead(number: int, of: int) -> int:
    """How far a sequence number is ahead of another; negative if it lies behind."""
    distance = (number - of) & MODULUS_MASK
    return distance - (MODULUS_MASK + 1) if distance >= _HALF_CIRCLE else distance


def refusal(ends: Ends, segment: Segment) -> bytes | None:
    """The RST for a segment of no connection; None for one that is a RST itself.

    Source: RFC 9293 §3.10.7.1.
    """
    if segment.flags & RST:
        return None
    if segment.flags & ACK:
        return segment_packet(ends, segment.ack, 0, RST, 0)
    length = len(segment.data) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
    return segment_packet(ends, 0, (segment.seq + length) & MODULUS_MASK, RST | ACK, 0)
