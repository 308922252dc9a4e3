"""Where the stream of each side of a TCP flow begins, and how that is known. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, U8, U32, Bool, PacketBatch
from egress_audit.compiled import library, segments
from egress_audit.flows.assembly import LIMIT
from egress_audit.flows.growing import grow_together, let_go
from egress_audit.flows.late_syns import LateSyns
from egress_audit.flows.segments import sequences_of

NOT_KNOWN, FROM_DATA, FROM_SYN = 0, 1, 2
"""How it is known where a stream begins."""
COLUMNS = ("_origin", "_from")
"""What is kept of every side."""


class Origins:
    """The sequence number of the first byte of each stream."""

    def __init__(self) -> None:
        self._origin: U32 = np.zeros(1 << 11, np.uint32)
        """Of the first byte of the stream, or of the first payload seen."""
        self._from: U8 = np.zeros(1 << 11, np.uint8)
        self._late = LateSyns()

    @property
    def untold(self) -> int:
        """Sides, read from where nobody knows whether they begin there, of which a handshake may
        have said so: too many. Known once `read_from_elsewhere` was asked."""
        return self._late.untold

    def grow(self, needed: int) -> None:
        """Makes room for so many sides."""
        grow_together(self, COLUMNS, needed)

    def release(self) -> None:
        """Lets go of everything, once all has been read."""
        let_go(self, COLUMNS)
        self._late.release()

    def said(self, side: int) -> int | None:
        """Where the first SYN of a side says that its stream begins; None if no SYN did."""
        return self._origin.item(side) if self._from.item(side) == FROM_SYN else None

    def of(self, sides: I64) -> U32:
        """(n,) where the streams of some sides begin, of which that is known."""
        found: U32 = self._origin[sides]
        return found

    def is_at(self, side: int, sequence: int) -> bool:
        """True for the sequence number with which the stream of a side begins."""
        return self._from.item(side) != NOT_KNOWN and self._origin.item(side) == sequence

    def begin(self, side: int, sequence: int) -> None:
        """The stream of a side begins with its first payload, as no SYN was there."""
        self._origin[side], self._from[side] = sequence, FROM_DATA

    def begins_with(self, packets: PacketBatch, side: I64, rows: I64) -> Bool:
        """(n,) True where a SYN said that the stream begins with the payload of these rows."""
        of = side[rows]
        found: Bool = self._origin[of] == sequences_of(packets, rows)
        found &= self._from[of] == FROM_SYN
        return found

    def begun_with(self, packets: PacketBatch, side: I64, rows: I64) -> Bool:
        """(n,) True where the payload of these rows is that with which their stream began; of one
        of which nothing is known yet, none is."""
        found: Bool = self._origin[side[rows]] == sequences_of(packets, rows)
        at = np.flatnonzero(found)
        found[at] = self._from[side[rows[at]]] != NOT_KNOWN
        return found

    def note(self, packets: PacketBatch, side: I64, rows: I64, payload: I64) -> list[int]:
        """Keeps where streams begin: where the first SYN says, if no payload came before it.

        rows: those of SYNs; payload: rows with payload, which may be without those of sides whose
        stream has begun. No later SYN moves an origin; the sides whose SYN says something
        else, which makes two readings of the stream, are handed back.
        """
        if not len(rows):
            return []
        if library.is_in_use():
            known = self._origin, self._from
            odd = segments.note_syns(packets, side, rows, payload, known, LIMIT)
        else:
            odd = self._noted(packets, side, rows, payload)
        self._late.note(packets, side, rows, self._from, FROM_SYN)
        return sorted({*odd})

    def read_from_elsewhere(self, stage: U8, origin: U32) -> list[int]:
        """Sides that begin elsewhere than they were read from, as a SYN recorded too late says, or
        its answer alone. stage: NEW of sides that were not read; origin: the number of the first
        byte that was, of each."""
        return self._late.unread(stage, origin, self._from, FROM_SYN)

    def _noted(self, packets: PacketBatch, side: I64, rows: I64, payload: I64) -> list[int]:
        """`note`, in numpy."""
        early = payload[self._from[side[payload]] == NOT_KNOWN]
        first = self._first_of_unknown(side, rows)
        sides = side[first]
        self._from[sides] = FROM_SYN
        early = early[self._from[side[early]] == FROM_SYN]
        # For a moment the column has the rows of the first SYNs.
        early = early[early < self._origin[side[early]]]
        self._origin[sides] = packets.tcp_seq[first] + np.uint32(1)
        if len(early):
            said, at = np.unique(side[early], return_index=True)
            self._origin[said] = packets.tcp_seq[early[at]]
            self._from[said] = FROM_DATA
        # A SYN that was recorded after its data begins at these, or not far before.
        apart = self._origin[side[rows]] - (packets.tcp_seq[rows] + np.uint32(1))
        odd = np.flatnonzero(apart)
        of = side[rows[odd]]
        allowed = np.where(self._from[of] == FROM_DATA, LIMIT, 1)
        found: list[int] = of[apart[odd] >= allowed].tolist()
        return found

    def _first_of_unknown(self, side: I64, rows: I64) -> I64:
        """(m,) the first of the rows of each side of which nothing is known yet; the column has
        their numbers then, in the place of origins."""
        rows = rows[self._from[side[rows]] == NOT_KNOWN]
        # Of what is assigned to one place the last counts.
        self._origin[side[rows[::-1]]] = rows[::-1]
        found: I64 = rows[self._origin[side[rows]] == rows]
        return found
