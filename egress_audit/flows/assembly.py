"""The first bytes of one direction of a TCP flow, put together from segments in any order.

Overlapping segments that differ keep both readings: an observer and the receiver may disagree on
which one counts (RFC 9293 §3.10.7.4 leaves it open), so neither may be thrown away.
"""

from collections import Counter
from dataclasses import field

import numpy as np

from egress_audit.columns import I64
from egress_audit.flows.growing import grown
from egress_audit.values import dataclass

LIMIT = 64 << 10
"""Bytes from the beginning of the stream that are kept at most."""

MAX_PRINT = 256
"""Bytes that are remembered of the beginning of a stream whose reader is done."""
END_UNIT = 2 * MAX_PRINT
MAX_PRINTS = 200_000
"""Streams of which that is remembered."""
GONE_ROUND = 1 << 30
"""Bytes in the upper half of the numbers, of 2^31, after which a return to the origin is plain
progress and no second reading."""


@dataclass(slots=True)
class Assembly:
    """Segments of one direction, and the bytes that are contiguous from its beginning."""

    origin: int
    """Sequence number of the first byte, modulo 2^32."""
    origin_known: bool
    """True if a SYN said so; else the lowest number seen counts as the beginning."""
    stream: bytes = b""
    """Contiguous bytes; of bytes sent twice the first reading."""
    other: bytes = b""
    """The last reading, where it differs from `stream`; else empty."""
    contradicted: bool = False
    """Some byte was sent twice with different values, even if the last reading is the first."""
    _first: bytearray = field(default_factory=bytearray)
    _last: bytearray = field(default_factory=bytearray)
    """Both readings of everything held, holes included. Empty while segments come in order."""
    _covered: bytearray = field(default_factory=bytearray)
    """One for each byte that is there, zero for one in a hole."""

    @property
    def size(self) -> int:
        """Bytes held, both readings and their map; never more than four times LIMIT."""
        return len(self.stream) + 3 * len(self._covered)

    @property
    def has_hole(self) -> bool:
        """Bytes are held that nothing connects to the beginning yet."""
        return len(self._covered) > len(self.stream)

    def behind_hole(self) -> tuple[int, bytes]:
        """Where the first hole ends, and the four bytes there; of a stream that has one."""
        end = self._covered.find(1, len(self.stream))
        return end, bytes(self._first[end : end + 4])

    def add(self, sequence: int, data: bytes) -> bool:
        """Takes a segment; True if the contiguous bytes grew, or a second reading appeared."""
        offset = ((sequence - self.origin + (1 << 31)) % (1 << 32)) - (1 << 31)
        if offset < 0 and not self.origin_known and offset > -LIMIT:
            self._rebase(-offset)
            offset = 0
        if offset < 0:
            data, offset = data[-offset:], 0
        data = data[: max(LIMIT - offset, 0)]
        if not data:
            return False
        if not self._covered and offset == len(self.stream):
            self.stream += data
            return True
        self._spread()
        self._write(offset, data)
        return self._joined()

    def advance(self, size: int) -> None:
        """Lets go of the first bytes, `size` of them, though they may not all have come yet."""
        self.origin, self.origin_known = (self.origin + size) % (1 << 32), True
        self.stream, self.other = self.stream[size:], b""
        if self._covered:
            for part in (self._first, self._last, self._covered):
                del part[:size]
            self._joined()

    def _rebase(self, distance: int) -> None:
        """Moves the beginning back by some bytes, which are a hole until they come."""
        self._spread()
        self.origin = (self.origin - distance) % (1 << 32)
        for part in (self._first, self._last, self._covered):
            part[:0] = bytes(distance)
            del part[LIMIT:]
        self.stream = self.other = b""

    def _spread(self) -> None:
        """Gives up the short way for segments in order."""
        if not self._covered:
            self._first += self.stream
            self._last += self.stream
            self._covered += b"\x01" * len(self.stream)

    def _write(self, offset: int, data: bytes) -> None:
        """Puts a segment into both readings: into the first one only where nothing is yet."""
        end = offset + len(data)
        for part in (self._first, self._last, self._covered):
            part.extend(bytes(max(end - len(part), 0)))
        old, had = self._first[offset:end], self._covered[offset:end]
        if 1 in had:
            # Byte by byte, in Python, whoever sends the same over and over would hold us up.
            there = np.frombuffer(had, np.bool_)
            octets = np.frombuffer(old, np.uint8), np.frombuffer(data, np.uint8)
            merged = np.where(there, *octets).tobytes()
            self.contradicted |= merged != data
        else:
            merged = data
        self._first[offset:end] = merged
        self._last[offset:end] = data
        self._covered[offset:end] = b"\x01" * len(data)

    def _joined(self) -> bool:
        """Both readings as far as they are contiguous; True if either changed."""
        length = self._covered.find(0)
        length = len(self._covered) if length < 0 else length
        before = self.stream, self.other
        self.stream, last = bytes(self._first[:length]), bytes(self._last[:length])
        self.other = last if last != self.stream else b""
        return (self.stream, self.other) != before


class Prints:
    """How streams began whose readers are done, so that a later second reading is noticed.

    A receiver that gets both readings takes one of them, and it may be the one that no reader saw.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        """Of all streams, one behind the other: as objects of their own they would take twice the
        room."""
        self._kept = 0
        self._end: I64 = np.zeros(1 << 11, np.int64)
        """Of each side, where its bytes end there, times END_UNIT, and how many they are."""
        self._upper: Counter[int] = Counter()
        """Bytes whose sequence numbers lie 2^31 and more past the origin, by side."""
        self.refused = 0
        """Streams not remembered because MAX_PRINTS were."""

    def release(self) -> None:
        """Forgets how streams began."""
        self._bytes = bytearray()
        self._end = self._end[:0].copy()
        self._upper.clear()

    def keep(self, side: int, stream: bytes) -> bool:
        """Remembers how the stream of a side begins; True if that was possible and worth it."""
        if not stream or self._kept >= MAX_PRINTS:
            self.refused += bool(stream)
            return False
        begin = len(self._bytes)
        self._bytes += stream[:MAX_PRINT]
        self._end = grown(self._end, side + 1)
        self._end[side] = len(self._bytes) * END_UNIT + len(self._bytes) - begin
        self._kept += 1
        return True

    def keep_all(self, sides: I64, octets: bytes | memoryview, sizes: I64) -> int:
        """The same of several sides, (n,) each; of how many of them, the first ones.

        octets: of all streams, one behind the other; sizes: of each, from 1 to MAX_PRINT.
        """
        kept = min(len(sides), max(MAX_PRINTS - self._kept, 0))
        self.refused += len(sides) - kept
        if not kept:
            return 0
        ends = np.cumsum(sizes[:kept])
        begin = len(self._bytes)
        self._bytes += octets[: int(ends[-1])]
        self._end = grown(self._end, int(sides.max()) + 1)
        self._end[sides[:kept]] = (begin + ends) * END_UNIT + sizes[:kept]
        self._kept += kept
        return kept

    def _print(self, side: int) -> bytes:
        end, size = divmod(int(self._end[side]), END_UNIT)
        return bytes(self._bytes[end - size : end])

    def note_upper(self, side: int, size: int) -> None:
        """Counts bytes far past the origin: after enough of them the numbers come round."""
        self._upper[side] += size

    def contradicted(self, side: int, offset: int, data: bytes) -> bool:
        """True if a segment differs from what its side said before at the same place.

        offset: of the segment's first byte in the stream, negative if it begins before. A single
        zero on the last byte is a keep-alive that carries garbage (RFC 1122 §4.2.3.6).
        """
        known = self._print(side)
        if self._upper[side] >= GONE_ROUND:
            return False
        if data == b"\0" and offset == len(known) - 1:
            return False
        data, offset = data[max(-offset, 0) :], max(offset, 0)
        size = min(len(data), len(known) - offset)
        return size > 0 and data[:size] != known[offset : offset + size]
