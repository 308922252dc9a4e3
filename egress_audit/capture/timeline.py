"""When a capture begins and ends, its longest silence, how its clock behaves. HOT PATH."""

import numpy as np

from egress_audit.columns import I32, I64, FrameBatch
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
        ts_ns, interface = batch.ts_ns, batch.interface
        if self._first is None:
            self._first = self._last = int(ts_ns[0])
        gap = np.empty_like(ts_ns)
        gap[0] = ts_ns[0] - self._last
        np.subtract(ts_ns[1:], ts_ns[:-1], out=gap[1:])
        ascending = bool(gap.min() >= 0)
        if not ascending:
            latest = np.append(self._last, ts_ns[:-1])
            np.maximum.accumulate(latest, out=latest)
            gap = ts_ns - latest
            self._first = min(self._first, int(ts_ns.min()))
        longest = int(gap.argmax())
        length = int(gap[longest])
        if length > (self._silence.length_ns if self._silence else 0):
            self._silence = Silence(int(ts_ns[longest]) - length, length)
        self._last = int(ts_ns[-1]) - min(int(gap[-1]), 0)
        if ascending and not (interface != interface[0]).any():
            self._count_ascending(int(interface[0]), int(ts_ns[0]), int(ts_ns[-1]))
        else:
            self._count_reversals(interface, ts_ns)

    def _count_reversals(self, interface: I32, ts_ns: I64) -> None:
        """Compares each time with the one before it on its interface."""
        order = np.argsort(interface, kind="stable")
        interface, ts_ns = interface[order], ts_ns[order]
        first = np.flatnonzero(np.append(True, interface[1:] != interface[:-1]))
        interfaces = interface[first].tolist()
        before = np.empty_like(ts_ns)
        before[1:] = ts_ns[:-1]
        begun = zip(interfaces, ts_ns[first].tolist(), strict=True)
        before[first] = [self._previous.get(index, time) for index, time in begun]
        self.reversals += int(np.count_nonzero(before - ts_ns > TOLERATED_NS))
        last = np.append(first[1:], len(ts_ns)) - 1
        self._previous.update(zip(interfaces, ts_ns[last].tolist(), strict=True))

    def _count_ascending(self, interface: int, begin: int, end: int) -> None:
        """The same for one interface whose frames ascend in time, as they do in most batches."""
        self.reversals += self._previous.get(interface, begin) - begin > TOLERATED_NS
        self._previous[interface] = end

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
