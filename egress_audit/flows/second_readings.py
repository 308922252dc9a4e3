"""Sides of TCP flows that say two things at one place of their stream. HOT PATH.

A receiver takes one of the readings, and it may be the one that no reader of names saw.
"""

import numpy as np

from egress_audit.columns import I32, I64, U32, Bool, PacketBatch
from egress_audit.compiled import library, segments
from egress_audit.flows.assembly import MAX_PRINT, Prints
from egress_audit.flows.growing import grow_together, let_go
from egress_audit.flows.segments import beginnings_of, sequences_of

COLUMNS = ("_print_origin", "_printed", "_contradicted")
"""What is kept of every side."""


class SecondReadings:
    """How streams began, and which sides contradicted that."""

    def __init__(self) -> None:
        self._print_origin: U32 = np.zeros(1 << 11, np.uint32)
        """Sequence number of the first byte that is remembered."""
        self._printed: Bool = np.zeros(1 << 11, np.bool_)
        self._contradicted: Bool = np.zeros(1 << 11, np.bool_)
        self._prints = Prints()
        self.conflicting = 0
        """Sides that sent a segment twice with different bytes, or began their stream twice."""

    @property
    def unremembered(self) -> int:
        """Sides of which a second reading would not be noticed: too many."""
        return self._prints.refused

    @property
    def origin(self) -> U32:
        """Of each side that was read to its end, the number of its first byte."""
        return self._print_origin

    def grow(self, needed: int) -> None:
        """Makes room for so many sides."""
        grow_together(self, COLUMNS, needed)

    def keep(self, side: int, origin: int, stream: bytes) -> None:
        """Remembers how the stream of a side begins, from the sequence number `origin` on."""
        self._print_origin[side] = origin
        self._printed[side] = self._prints.keep(side, stream)

    def keep_all(self, packets: PacketBatch, rows: I64, sides: I64, origins: U32) -> None:
        """The same of several sides, (n,) each, of which the payload of these rows is known."""
        self._print_origin[sides] = origins
        self._printed[sides] = False
        kept = self._prints.keep_all(sides, *beginnings_of(packets, rows, MAX_PRINT))
        self._printed[sides[:kept]] = True

    def release(self) -> None:
        """Lets go of everything but the counts, once all has been read."""
        let_go(self, COLUMNS)
        self._prints.release()

    def contradict(self, side: int) -> None:
        """Counts a side that said two things, once."""
        self.conflicting += not self._contradicted[side]
        self._contradicted[side] = True

    def compare(
        self, packets: PacketBatch, side: I64, rows: I64, remembered: I64 | None = None
    ) -> None:
        """Looks for second readings of what was read to its end; `rows`: those with payload.

        Only segments that begin before the first MAX_PRINT bytes end are looked at one by one.
        remembered: rows of this batch whose payload, and nothing else, is what is remembered.
        """
        rows, offset = self._near(packets, side, rows)
        if remembered is not None:
            other = np.ones(len(side), np.bool_)
            other[remembered] = False
            others = other[rows]
            rows, offset = rows[others], offset[others]
        if not len(rows):
            return
        end = offset + packets.payload_len[rows]
        upper = rows[end <= 0]
        if len(upper):
            for number, size in zip(*_sums(side[upper], packets.payload_len[upper]), strict=True):
                self._prints.note_upper(number, size)
        near = np.flatnonzero(end > 0)
        at = rows[near]
        columns = (side[at], offset[near], packets.payload[at], packets.payload_cap[at])
        for number, place, start, size in zip(*(c.tolist() for c in columns), strict=True):
            data = packets.buffer[start : start + min(size, MAX_PRINT - place)].tobytes()
            if self._prints.contradicted(number, place, data):
                self.contradict(number)

    def _near(self, packets: PacketBatch, side: I64, rows: I64) -> tuple[I64, I32]:
        """Of rows with payload those that begin before what is remembered of their side ends, and
        how far behind its first byte, (m,)."""
        if library.is_in_use():
            begun = self._printed, self._contradicted, self._print_origin
            return segments.near_beginnings(packets, side, rows, begun, MAX_PRINT)
        rows = rows[self._printed[side[rows]] & ~self._contradicted[side[rows]]]
        offset = sequences_of(packets, rows) - self._print_origin[side[rows]]
        behind = offset.view(np.int32)
        near = behind < MAX_PRINT
        return rows[near], behind[near]


def _sums(keys: I64, values: I64) -> tuple[list[int], list[int]]:
    """Each key once, and the sum of its values."""
    distinct, where = np.unique(keys, return_inverse=True)
    sums = np.bincount(where, weights=values).astype(np.int64)
    return distinct.tolist(), sums.tolist()
