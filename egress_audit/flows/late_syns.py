"""Where streams begin by handshakes recorded behind their data, or by the answer alone.

A stream of which no SYN came in time is read from its first payload that was seen. Its own SYN, if
that comes later, and the acknowledgement in a SYN of the far side (RFC 9293 §3.5) say whether it
begins there. If not, bytes in front of it were not read, whether the capture has them or not; or
bytes were read that the receiver does not take for a part of the stream, and hide what is.
"""

import numpy as np

from egress_audit.columns import I64, U8, U32, PacketBatch
from egress_audit.flows.segments import NEW
from egress_audit.flows.tcp_state import ACK

MAX_LATE = 100_000
"""Sides of which that is kept: few have it, unless one direction was not recorded."""
TWO_PLACES = -1
"""Stands where handshakes say two things: one of them may be forged."""


class LateSyns:
    """What such handshakes say of the sides of TCP flows."""

    def __init__(self) -> None:
        self._said: dict[int, int] = {}
        self._refused = 0
        """Times that nothing was kept because MAX_LATE sides were."""
        self.untold = 0
        """Sides at most that were read, and of which nothing was kept; once `unread` was asked."""

    def note(self, packets: PacketBatch, side: I64, rows: I64, told: U8, by_syn: int) -> None:
        """Keeps what SYNs say of sides whose beginning was not told by a SYN of theirs.

        rows: those of SYNs; told: how the beginning of each side is known, `by_syn` if so.
        """
        answers = rows[packets.tcp_flags[rows] & ACK != 0]
        late = told[side[answers] ^ 1] != by_syn
        self._keep(side[answers[late]] ^ 1, packets.tcp_ack[answers[late]])
        late = told[side[rows]] != by_syn
        self._keep(side[rows[late]], packets.tcp_seq[rows[late]] + np.uint32(1))

    def _keep(self, sides: I64, begins: U32) -> None:
        """Keeps that each of some sides begins there."""
        for number, begin in zip(sides.tolist(), begins.tolist(), strict=True):
            if number not in self._said and len(self._said) >= MAX_LATE:
                self._refused += 1
            elif self._said.setdefault(number, begin) != begin:
                self._said[number] = TWO_PLACES

    def unread(self, stage: U8, origin: U32, told: U8, by_syn: int) -> list[int]:
        """Sides that were not read from their beginning; (n,) of each side there is: stage: NEW of
        those that were not read at all; origin: the number of the first byte that was read."""
        sides = np.fromiter(self._said, np.int64, len(self._said))
        begins = np.fromiter(self._said.values(), np.int64, len(self._said))
        blindly = (told[sides] != by_syn) & (stage[sides] != NEW)
        if self._refused:
            others = int(((told != by_syn) & (stage != NEW)).sum() - blindly.sum())
            self.untold = min(self._refused, others)
        elsewhere: list[int] = sides[blindly & (origin[sides] != begins)].tolist()
        return elsewhere

    def release(self) -> None:
        """Forgets what was said."""
        self._said.clear()
