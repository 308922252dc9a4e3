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
    segments: list[tuple[int, bytes]] = field(default_factory=list)
    """(offset from the origin, bytes), in order of arrival."""
    ordered: bool = True
    """So far each segment began where the one before it ended."""

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(len(data) for _, data in self.segments)

    @property
    def has_hole(self) -> bool:
        """Bytes are held that nothing connects to the beginning yet."""
        return any(start > len(self.stream) for start, _ in self.segments)

    def add(self, sequence: int, data: bytes) -> bool:
        """Takes a segment; True if the contiguous bytes grew, or a second reading appeared."""
        offset = ((sequence - self.origin + (1 << 31)) % (1 << 32)) - (1 << 31)
        if offset < 0 and not self.origin_known and offset > -LIMIT:
            self._rebase(offset)
            offset = 0
        if offset < 0:
            data, offset = data[-offset:], 0
        data = data[: max(LIMIT - offset, 0)]
        if not data:
            return False
        self.segments.append((offset, data))
        if self.ordered and offset == len(self.stream):
            self.stream += data
            return True
        self.ordered = False
        return self._rebuild()

    def _rebase(self, offset: int) -> None:
        self.origin = (self.origin + offset) % (1 << 32)
        self.segments = [(start - offset, data) for start, data in self.segments]
        self.ordered = False

    def _rebuild(self) -> bool:
        """Both readings anew from all segments; True if either changed."""
        size = max(start + len(data) for start, data in self.segments)
        covered, first, last = bytearray(size), bytearray(size), bytearray(size)
        for start, data in self.segments:
            covered[start : start + len(data)] = b"\x01" * len(data)
            last[start : start + len(data)] = data
        for start, data in reversed(self.segments):
            first[start : start + len(data)] = data
        length = covered.find(0)
        length = size if length < 0 else length
        before = self.stream, self.other
        self.stream = bytes(first[:length])
        self.other = bytes(last[:length]) if last[:length] != first[:length] else b""
        return (self.stream, self.other) != before
