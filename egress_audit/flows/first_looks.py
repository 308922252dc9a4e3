"""The streams that begin in a batch, looked at together before any head begins. HOT PATH.

One look is enough for most: nothing is said in them, or all of it in the first segment. What was
said is heard in the order of the rows, between the heads of other streams.
"""

import numpy as np

from egress_audit.columns import I64, PacketBatch
from egress_audit.flows.glance import Glance, Look
from egress_audit.flows.segments import is_dns, payloads_of


class FirstLooks:
    """What one look finds in the streams that begin in the batch at hand."""

    def __init__(self, glance: Glance) -> None:
        self._glance = glance
        self._unheard: list[tuple[int, int, int, int, Look]] = []
        """Row, flow, frame, time and look of each that is done, the last row first."""
        self.found: dict[int, Look] = {}
        """By row, of streams that are not done, or go on."""

    def take(self, packets: PacketBatch, side: I64, rows: I64) -> I64:
        """Those of some rows whose streams are done with them, and never go on.

        rows: ascending; with each begins the stream of its side. Whoever calls this calls
        `hear_all` before the next batch.
        """
        rows = rows[~is_dns(packets, rows)]
        silent = self._glance.passed_over(packets, rows)
        at = rows[~silent & (packets.payload_cap[rows] >= packets.payload_len[rows])]
        looks = [self._glance.look(stream) for stream in payloads_of(packets, at)]
        ends = np.array([look.done and look.reader is None for look in looks], np.bool_)
        columns = (at, side[at] >> 1, packets.frame[at], packets.ts_ns[at], ends)
        self.found.clear()
        for row, flow, frame, ts_ns, end, look in zip(
            *(column.tolist() for column in columns), looks, strict=True
        ):
            if end:
                self._unheard.append((row, flow, frame, ts_ns, look))
            else:
                self.found[row] = look
        self._unheard.reverse()
        return np.concatenate((rows[silent], at[ends]))

    def hear_before(self, row: int) -> None:
        """Hears what is done with rows that stand before this one."""
        while self._unheard and self._unheard[-1][0] < row:
            self._glance.hear(*self._unheard.pop()[1:])

    def hear_all(self) -> None:
        """Hears the rest of what is done."""
        while self._unheard:
            self._glance.hear(*self._unheard.pop()[1:])
