"""When a capture begins and ends, its longest silence, how its clock behaves. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, FrameBatch
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Silence

TOLERATED_NS = 1_000_000_000
"""Frames of several queues or interfaces are written a little out of order; more is a jump."""


class Timeline:
    """Follows the times of all frames."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0
        self._silence: Silence | None = None
        self._previous: dict[int, int] = {}
        self.reversals = 0
        """Frames more than a second earlier than the one before them on their interface."""

    def take(self, batch: FrameBatch) -> None:
        """Adds the frames of one batch, which is not empty."""
        ts_ns = batch.ts_ns
        if self._first is None:
            self._first = self._last = int(ts_ns[0])
        latest = np.maximum.accumulate(np.append(self._last, ts_ns))
        self._first = min(self._first, int(ts_ns.min()))
        self._last = int(latest[-1])
        gap = ts_ns - latest[:-1]
        longest = int(np.argmax(gap))
        if gap[longest] > (self._silence.length_ns if self._silence else 0):
            self._silence = Silence(int(latest[longest]), int(gap[longest]))
        self._count_reversals(batch)

    def _count_reversals(self, batch: FrameBatch) -> None:
        order = np.argsort(batch.interface, kind="stable")
        interface, ts_ns = batch.interface[order], batch.ts_ns[order]
        first = np.flatnonzero(np.append(True, interface[1:] != interface[:-1]))
        before: I64 = np.append(ts_ns[:1], ts_ns[:-1])
        known = [self._previous.get(int(i), int(t)) for i, t in zip(
            interface[first], ts_ns[first], strict=True)]  # fmt: skip
        before[first] = known
        self.reversals += int((before - ts_ns > TOLERATED_NS).sum())
        last = np.append(first[1:], len(order)) - 1
        self._previous.update(zip(interface[last].tolist(), ts_ns[last].tolist(), strict=True))

    @property
    def first_ts_ns(self) -> int | Absent:
        """Earliest time; NOT_APPLICABLE without frames."""
        return Absent.NOT_APPLICABLE if self._first is None else self._first

    @property
    def last_ts_ns(self) -> int | Absent:
        """Latest time; NOT_APPLICABLE without frames."""
        return Absent.NOT_APPLICABLE if self._first is None else self._last

    @property
    def longest_silence(self) -> Silence | Absent:
        """The longest time without a frame; NOT_APPLICABLE with fewer than two times."""
        return self._silence or Absent.NOT_APPLICABLE
