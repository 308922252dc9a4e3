"""Fragments put together again, within bounds of number, size and time.

Fragments that overlap or contradict each other spoil their datagram, as RFC 5722 asks for IPv6; the
same is done for IPv4, where what a receiver would make of them cannot be known.

Source: RFC 791 §3.2, RFC 8200 §4.5, RFC 815 (holes), RFC 5722.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from struct import Struct

from egress_audit.record.internet.checksum import checksum
from egress_audit.record.internet.packets import Packet

MAX_DATAGRAMS = 64
MAX_PIECES = 64
"""Fragments of one datagram: 45 of 1 480 bytes carry the longest there is."""
MAX_AGE_NS = 30_000_000_000
_LONGEST = 65_535
_HALF = Struct(">H")
_OFFSET_6 = 2


class Incomplete(StrEnum):
    """Why a fragment brought no packet forth."""

    WAITING = "fragment: waits for others"
    MALFORMED = "fragment: malformed"
    OVERLAPPING = "fragment: overlaps another"
    TOO_MANY = "fragment: more than are kept"


@dataclass(slots=True)
class _Datagram:
    since_ns: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    head: bytes = b""
    """Everything before the content, as the first fragment has it, made whole again."""
    size: int | None = None
    """Of the whole content, once the last fragment has come."""
    spoiled: bool = False


class Fragments:
    """The datagrams that are not complete. The oldest gives way when there are too many."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[bytes, bytes, int, bytes], _Datagram] = OrderedDict()
        self.displaced = 0
        """Datagrams that were given up for newer ones."""

    def packet_of(self, raw: bytes, packet: Packet, now_ns: int) -> bytes | Incomplete:
        """The whole packet that this fragment completes, without a trace of fragmentation."""
        word_at, more_bit, head_end, ident = _layout(raw, packet)
        word = _HALF.unpack_from(raw, word_at)[0]
        more = bool(word & more_bit)
        offset = (word & 0x1FFF) * 8 if more_bit != 1 else word & 0xFFF8
        content = packet.body if more_bit != 1 else packet.body[8:]
        if not content or (more and len(content) % 8) or offset + len(content) > _LONGEST:
            return Incomplete.MALFORMED
        proto = packet.proto if more_bit != 1 else 0
        key = (packet.src, packet.dst, proto, ident)
        datagram = self._datagram(key, now_ns)
        if offset == 0:
            datagram.head = _whole_head(raw, packet, head_end)
        problem = _put(datagram, offset, content, last=not more)
        if problem is not None:
            return problem
        whole = _assembled(datagram)
        if whole is None:
            return Incomplete.WAITING
        del self._waiting[key]
        packet_bytes = _with_length(datagram.head, whole)
        return Incomplete.MALFORMED if packet_bytes is None else packet_bytes

    def _datagram(self, key: tuple[bytes, bytes, int, bytes], now_ns: int) -> _Datagram:
        known = self._waiting.get(key)
        if known is not None and now_ns - known.since_ns <= MAX_AGE_NS:
            return known
        self._waiting.pop(key, None)
        if len(self._waiting) >= MAX_DATAGRAMS:
            self._waiting.popitem(last=False)
            self.displaced += 1
        datagram = self._waiting[key] = _Datagram(now_ns)
        return datagram


def _layout(raw: bytes, packet: Packet) -> tuple[int, int, int, bytes]:
    """Where the offset stands, the bit for more, where the head ends, and the identification."""
    at = packet.fragment_at
    if len(packet.src) == 4:
        return at, 0x2000, (raw[0] & 15) * 4, raw[4:6]
    return at + _OFFSET_6, 1, at, raw[at + 4 : at + 8]


def _whole_head(raw: bytes, packet: Packet, head_end: int) -> bytes:
    head = bytearray(raw[:head_end])
    if len(packet.src) == 4:
        head[6:8] = b"\0\0"
    else:
        head[packet.proto_at] = raw[packet.fragment_at]
    return bytes(head)


def _put(datagram: _Datagram, offset: int, content: bytes, *, last: bool) -> Incomplete | None:
    """Keeps one fragment, or says why not; one that was there before changes nothing."""
    pieces = datagram.pieces
    if datagram.spoiled:
        return Incomplete.OVERLAPPING
    if pieces.get(offset) == content:
        return None
    end = offset + len(content)
    size = end if last and datagram.size is None else datagram.size
    beyond = size is not None and (end > size or (last and end != size))
    overlaps = any((at < end or last) and offset < at + len(piece) for at, piece in pieces.items())
    if overlaps or beyond or len(pieces) >= MAX_PIECES:
        datagram.spoiled = True
        pieces.clear()
        return Incomplete.TOO_MANY if not (overlaps or beyond) else Incomplete.OVERLAPPING
    pieces[offset], datagram.size = content, size
    return None


def _assembled(datagram: _Datagram) -> bytes | None:
    """The whole content, if no hole is left."""
    if datagram.size is None or sum(map(len, datagram.pieces.values())) != datagram.size:
        return None
    return b"".join(content for _, content in sorted(datagram.pieces.items()))


def _with_length(head: bytes, content: bytes) -> bytes | None:
    """Head and content with length and IPv4 checksum of the whole; None if it is too long."""
    whole = bytearray(head)
    version6 = head[0] >> 4 == 6
    length = len(head) + len(content) - (40 if version6 else 0)
    if length > _LONGEST:
        return None
    at = 4 if version6 else 2
    whole[at : at + 2] = _HALF.pack(length)
    if not version6:
        whole[10:12] = b"\0\0"
        whole[10:12] = _HALF.pack(checksum(bytes(whole)))
    return bytes(whole) + content
