"""Streams that are read on, message by message, from where the next one begins. HOT PATH.

What lies between messages, the bodies, is counted by sequence number and never held. Where the
place of the next message is not known, signs.py looks for it at the beginning of segments.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from egress_audit.columns import I64, U32, Bool, PacketBatch
from egress_audit.flows.growing import grow_together
from egress_audit.flows.segments import signed
from egress_audit.flows.signs import places_of_signs

MAX_FOLLOWED = 400_000
"""Streams that are followed at a time, 150 bytes each."""
MAX_AHEAD = 1 << 30
"""A message that lies further ahead is looked for at the beginning of segments, too."""


class Following:
    """The sides of flows that are read on: where, and by whom."""

    def __init__(self) -> None:
        self._followed: Bool = np.zeros(1 << 11, np.bool_)
        self._place: U32 = np.zeros(1 << 11, np.uint32)
        """Sequence number at which the next message begins."""
        self._named: Bool = np.zeros(1 << 11, np.bool_)
        """For `rows_of`; false but there."""
        self._readers: dict[int, Any] = {}

    def __contains__(self, side: int) -> bool:
        return side in self._readers

    def grow(self, needed: int) -> None:
        """Makes room for so many sides."""
        grow_together(self, ("_followed", "_place", "_named"), needed)

    def keep(self, side: int, place: int, reader: object) -> bool:
        """Follows a side from `place` on; False if there is no room."""
        if side not in self._readers and len(self._readers) >= MAX_FOLLOWED:
            return False
        self._readers[side] = reader
        self._followed[side] = True
        self._place[side] = place % (1 << 32)
        return True

    def taken(self, side: int) -> object:
        """What reads a side on, which is followed no more until it is kept again."""
        self._followed[side] = False
        return self._readers.pop(side)

    def candidates(self, packets: PacketBatch, side: I64, rows: I64) -> I64:
        """Those of the rows with payload in which the next message of their side may begin.

        A side may be kept again before its later rows are looked at, but never further back.
        """
        rows = rows[self._followed[side[rows]]]
        if not len(rows):
            return rows
        ahead = (self._place[side[rows]] - packets.tcp_seq[rows]).view(np.int32)
        found: I64 = rows[ahead < packets.payload_len[rows]]
        return found

    def rows_of(self, sides: Collection[int], side: I64, rows: I64) -> I64:
        """Those of the rows that are of these sides."""
        named = [*sides]
        self._named[named] = True
        found: I64 = rows[self._named[side[rows]]]
        self._named[named] = False
        return found

    def origin(self, packets: PacketBatch, row: int, side: int) -> int | None:
        """Sequence number of the message that begins in a packet; None if none does."""
        if not self._followed[side]:
            return None
        ahead = signed(int(self._place[side]) - int(packets.tcp_seq[row]))
        if ahead >= int(packets.payload_len[row]):
            return None  # a body goes on, or an old segment comes again
        if ahead > -MAX_AHEAD:
            return int(self._place[side])
        sign = int(places_of_signs(packets, np.array([row]))[0])
        return int(packets.tcp_seq[row]) + sign if sign >= 0 else None


def is_keep_alive(packets: PacketBatch, row: int) -> bool:
    """True for a single zero, as probes of an idle connection carry (RFC 1122 §4.2.3.6)."""
    size, zero = int(packets.payload_len[row]), packets.buffer[packets.payload[row]] == 0
    return size == 1 and bool(zero)
