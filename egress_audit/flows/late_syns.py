"""Where streams begin by handshakes recorded behind their data, or by the answer alone.

A stream of which no SYN came in time is read from its first payload that was seen. Its own SYN, if
that comes later, and the acknowledgement in a SYN of the far side (RFC 9293 §3.5) say whether it
begins there. If not, bytes in front of it were not read, whether the capture has them or not; or
bytes were read that the receiver does not take for a part of the stream, and hide what is.
"""

from collections.abc import Iterator

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
        self.refused = 0
        """Times that nothing was kept because MAX_LATE sides were."""

    def note(self, packets: PacketBatch, side: I64, rows: I64, told: U8, by_syn: int) -> None:
        """Keeps what SYNs say of sides whose beginning was not told by a SYN of theirs.

        rows: those of SYNs; told: how the beginning of each side is known, `by_syn` if so.
        """
        answers = rows[packets.tcp_flags[rows] & ACK != 0]
        self._note(side[answers] ^ 1, packets.tcp_ack[answers], told, by_syn)
        self._note(side[rows], packets.tcp_seq[rows] + np.uint32(1), told, by_syn)

    def _note(self, sides: I64, begins: U32, told: U8, by_syn: int) -> None:
        late = np.flatnonzero(told[sides] != by_syn)
        for number, begin in zip(sides[late].tolist(), begins[late].tolist(), strict=True):
            if number not in self._said and len(self._said) >= MAX_LATE:
                self.refused += 1
            elif self._said.setdefault(number, begin) != begin:
                self._said[number] = TWO_PLACES

    def unread(self, stage: U8, origin: U32, told: U8, by_syn: int) -> Iterator[int]:
        """Sides that were not read from their beginning. stage: NEW of those that were not read at
        all; origin: the number of the first byte that was read, of each."""
        for number, begin in self._said.items():
            read_blindly = told.item(number) != by_syn and stage.item(number) != NEW
            if read_blindly and origin.item(number) != begin:
                yield number

    def release(self) -> None:
        """Forgets what was said."""
        self._said.clear()
