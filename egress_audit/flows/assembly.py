"""The first bytes of one direction of a TCP flow, put together from segments in any order.

Overlapping segments that differ keep both readings: an observer and the receiver may disagree on
which one counts (RFC 9293 §3.10.7.4 leaves it open), so neither may be thrown away.
"""

from dataclasses import dataclass, field

LIMIT = 64 << 10
"""Bytes from the beginning of the stream that are kept at most."""


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
        if any(had):
            merged = bytes(a if there else b for a, b, there in zip(old, data, had, strict=True))
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
