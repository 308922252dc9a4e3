"""The streams that begin in a batch, looked at together before any head begins. HOT PATH.

One look is enough for most: nothing is said in them, or all of it in the first segment.
"""

import numpy as np

from egress_audit.columns import I64, PacketBatch
from egress_audit.flows.assembly import MAX_PRINT
from egress_audit.flows.glance import Done, Glance, Look
from egress_audit.flows.pairs import joined, pairs_of
from egress_audit.flows.segments import is_dns, payloads_of, sequences_of


class FirstLooks:
    """What one look finds in the streams that begin in the batch at hand."""

    def __init__(self, glance: Glance) -> None:
        self._glance = glance
        self._unheard: list[Done] = []
        self.found: dict[int, Look] = {}
        """By row, of streams that are not done."""
        self.going_on: list[tuple[int, int, Look]] = []
        """Sides whose streams are done for now and go on, and where these begin."""
        self.seconds: I64 = np.zeros(0, np.int64)
        """Rows that were looked at with the ones before them."""

    def take(self, packets: PacketBatch, side: I64, rows: I64, payload: I64) -> I64:
        """Those of some rows whose streams are done with them, or with the next ones as well.

        rows: ascending; with each begins the stream of its side; payload: all rows with payload of
        their sides, ascending, and others. Whoever calls this calls `hear_all` before the next
        batch.
        """
        rows = rows[~is_dns(packets, rows)]
        ended, needs = self._glance.take(packets, side, rows)
        left = ~ended & (packets.payload_cap[rows] >= packets.payload_len[rows])
        at, awaiting = rows[left & (needs == 0)], left & (needs > 0)
        looks = [self._glance.look(stream) for stream in payloads_of(packets, at)]
        columns = (at, side[at], sequences_of(packets, at), packets.frame[at], packets.ts_ns[at])
        self.found.clear()
        self.going_on.clear()
        for row, number, begin, frame, ts_ns, look in zip(
            *(column.tolist() for column in columns), looks, strict=True
        ):
            if look.done:
                self.note(number >> 1, frame, ts_ns, look)
                if look.reader is not None:
                    self.going_on.append((number, begin, look))
            else:
                self.found[row] = look
        done = at[np.array([look.done for look in looks], np.bool_)]
        in_two = self._in_two(packets, side, rows[awaiting], needs[awaiting], payload)
        return np.concatenate((rows[ended], done, in_two))

    def _in_two(self, packets: PacketBatch, side: I64, rows: I64, needs: I64, payload: I64) -> I64:
        """Those of some rows, whose streams await more, that are done with the next ones."""
        self.seconds = rows[:0]
        if not len(rows):
            return rows
        # Of streams that are done the first bytes are remembered, out of their first rows.
        long = rows[packets.payload_cap[rows] >= MAX_PRINT]
        first, second = pairs_of(packets, side, long, payload)
        both, pairs = joined(packets, first, second), np.arange(len(first))
        ended = self._glance.take(both, side[second], pairs)[0]
        done, self.seconds = first[ended], second[ended]
        awaiting = dict(zip(rows.tolist(), needs.tolist(), strict=True))
        for row in done.tolist():
            del awaiting[row]
        self.found |= {row: Look(needs=size) for row, size in awaiting.items()}
        return done

    def note(self, flow: int, frame: int, ts_ns: int, look: Look) -> None:
        """Keeps a look that is done until all are heard."""
        self._unheard.append((flow, frame, ts_ns, look))

    def hear_all(self) -> None:
        """Hears what is done."""
        if self._unheard:
            self._glance.hear(self._unheard)
            self._unheard = []
