"""Groups of flows, and what those of each group come to: in columns, not group by group. HOT PATH.

Summing ten thousand small groups one at a time costs 40 µs each, all of it in calls.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from egress_audit.attribute.directions import Far
from egress_audit.columns import CONN_STATES, I64, FlowColumns
from egress_audit.values import dataclass

Value = TypeVar("Value")

MAX_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Groups:
    """Flows sorted so that those of one observation lie side by side."""

    order: I64
    starts: I64

    @property
    def ends(self) -> I64:
        """Where each group ends in `order`."""
        return np.append(self.starts, len(self.order))[1:]

    def chosen(self, groups: I64) -> "Groups":
        """Some of the groups, in the order in which they are given."""
        first, sizes = self.starts[groups], (self.ends - self.starts)[groups]
        starts = np.append(0, np.cumsum(sizes))[:-1].astype(np.int64)
        places = np.arange(int(sizes.sum())) + np.repeat(first - starts, sizes)
        return Groups(self.order[places], starts)


Sums = dict[str, Iterable[Any]]
"""Columns by the names of the fields of an Observation, which see; one value a group."""


def sums_of(flows: FlowColumns, far: Far, tls: I64, groups: Groups) -> Sums:
    """What the flows of each group come to, in the order of the groups; none of them is empty.

    tls: (n,) 1 or 0. `direction`, one of all its flows, is as in `Far`; `frames` are of its flows
    the first ones, ascending, at most MAX_FRAMES.
    """
    order, starts = groups.order, groups.starts
    leaders, sizes = order[starts], groups.ends - starts
    added = {
        "tls_flows": tls,
        "pkts_out": far.pkts_out,
        "pkts_in": far.pkts_in,
        "ip_bytes_out": far.ip_bytes_out,
        "ip_bytes_in": far.ip_bytes_in,
    }
    columns = {
        "direction": far.direction[leaders],
        "proto": flows.proto[leaders],
        "flows": sizes,
        **{name: np.add.reduceat(column[order], starts) for name, column in added.items()},
        "first_ts_ns": np.minimum.reduceat(flows.ts_ns[order], starts),
        "last_ts_ns": np.maximum.reduceat(flows.last_ts_ns[order], starts),
    }
    sums: Sums = {name: column.tolist() for name, column in columns.items()}
    states = _states(flows, groups, sizes)
    return sums | {"frames": _frames(flows, groups, sizes), "conn_states": states}


def _frames(flows: FlowColumns, groups: Groups, sizes: I64) -> Iterator[Sequence[int]]:
    number = np.repeat(np.arange(len(sizes)), sizes)
    first = flows.first_frame[groups.order]
    before = number * (int(first.max(initial=0)) + 1)
    ascending = np.sort(before + first) - before  # by group, then by frame: no capture has 2**40
    rank = np.arange(len(first)) - np.repeat(groups.starts, sizes)
    kept = tuple(ascending[rank < MAX_FRAMES].tolist())
    return _cut(kept, np.minimum(sizes, MAX_FRAMES))


def _states(flows: FlowColumns, groups: Groups, sizes: I64) -> Iterator[dict[str, int]]:
    """Flows of each group by state, in the order of CONN_STATES."""
    kinds = len(CONN_STATES)
    number = np.repeat(np.arange(len(sizes)) * kinds, sizes)
    counted = np.bincount(number + flows.conn_state[groups.order], minlength=len(sizes) * kinds)
    group, state = np.nonzero(counted.reshape(-1, kinds))
    words = [CONN_STATES[place] for place in state.tolist()]
    some = list(zip(words, counted[counted > 0].tolist(), strict=True))
    return map(dict, _cut(some, np.bincount(group, minlength=len(sizes))))


def _cut(values: Sequence[Value], sizes: I64) -> Iterator[Sequence[Value]]:
    """One part after the other, of these sizes."""
    ends = np.cumsum(sizes).tolist()
    return map(values.__getitem__, map(slice, (0, *ends), ends))
