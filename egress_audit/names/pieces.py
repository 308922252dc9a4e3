"""A message that comes in pieces, each with its offset: in any order, twice, or contradicting."""

from bisect import bisect_left

MAX_GAPS = 256
"""Separate ranges held of one message. Browsers cut a hello into some ten pieces."""


class Pieces:
    """The bytes of one message up to a limit; both readings where pieces contradict each other.

    Adding costs no more than the piece and the ranges it touches, of which there are MAX_GAPS.
    """

    __slots__ = ("_data", "_limit", "_other", "_ranges", "overflowed")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self._other: bytearray | None = None
        self._ranges: list[tuple[int, int]] = []
        """Start and end of what is there, in order; none touches the next."""
        self.overflowed = False
        """A piece lay beyond the limit, or there were more ranges than are held."""

    @property
    def contradicted(self) -> bool:
        """True once two pieces said different things about the same bytes."""
        return self._other is not None

    @property
    def held(self) -> int:
        """Bytes held."""
        return len(self._data) + len(self._other or b"")

    @property
    def has_hole(self) -> bool:
        """True while something is held that does not join the beginning."""
        return bool(self._ranges) and (len(self._ranges) > 1 or self._ranges[0][0] > 0)

    @property
    def length(self) -> int:
        """How many bytes are there without a gap, from the first on."""
        return self._ranges[0][1] if self._ranges and self._ranges[0][0] == 0 else 0

    @property
    def readings(self) -> tuple[bytes, ...]:
        """The bytes from the first on that are there without a gap; twice if contradicted.

        The first reading keeps of each byte what came first, the second what came last.
        """
        end = self.length
        first = bytes(self._data[:end])
        return (first,) if self._other is None else (first, bytes(self._other[:end]))

    def add(self, offset: int, piece: bytes) -> None:
        """Takes a piece in; what does not fit is left out and sets `overflowed`."""
        end = offset + len(piece)
        if end > self._limit or not piece:
            self.overflowed |= end > self._limit
            return
        if not self._ranges and not offset:  # so most messages come, in one piece
            self._data += piece
            self._ranges.append((0, end))
            return
        at = bisect_left(self._ranges, offset, key=_end)
        upto = at
        while upto < len(self._ranges) and self._ranges[upto][0] <= end:
            upto += 1
        if at == upto and len(self._ranges) >= MAX_GAPS:
            self.overflowed = True
            return
        touched = self._ranges[at:upto]
        self._write(offset, piece, touched)
        start = min(offset, touched[0][0]) if touched else offset
        self._ranges[at:upto] = [(start, max(end, touched[-1][1]) if touched else end)]

    def _write(self, offset: int, piece: bytes, touched: list[tuple[int, int]]) -> None:
        end = offset + len(piece)
        missing = end - len(self._data)
        if missing > 0:
            self._data += bytes(missing)
            if self._other is not None:
                self._other += bytes(missing)
        kept = bytearray(piece)
        for have, until in touched:
            low, high = max(have, offset), min(until, end)
            if low < high:
                kept[low - offset : high - offset] = self._data[low:high]
        if kept != piece and self._other is None:
            self._other = self._data.copy()
        if self._other is not None:
            self._other[offset:end] = piece
        self._data[offset:end] = kept


def _end(held: tuple[int, int]) -> int:
    return held[1]
