"""What the packets of a batch add to their flows, by sums.c. HOT PATH."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from egress_audit.columns import I64, U64, Bool, PacketBatch
from egress_audit.compiled.bounds import edges_of, refuse_strange_indexes
from egress_audit.compiled.library import address, addresses, function

Column = tuple[npt.NDArray[Any], npt.DTypeLike]

COUNTED: dict[str, type[np.generic]] = {
    "ip_len": np.int64,
    "ts_ns": np.int64,
    "frame": np.int64,
    "proto": np.uint8,
    "tcp_flags": np.uint8,
}
"""Columns of PacketBatch, in the order of C's struct counted_columns."""
COUNTERS = ("orig_pkts", "resp_pkts", "orig_ip_bytes", "resp_ip_bytes", "last_frame")
KEPT: dict[str, type[np.generic]] = {
    "ts_ns": np.int64,
    "last_ts_ns": np.int64,
    "previous_ts_ns": np.int64,
    "direction_known": np.bool_,
    "closing": np.uint8,
    "orig_swapped": np.bool_,
}
"""Columns of flows behind the counters, in the order of C's struct flow_columns."""


class Whose(NamedTuple):
    """Which flow each packet of a batch is of, and whether its originator sent it."""

    flow: I64
    """(n,) in the order of the batch."""
    by_orig: Bool
    sorted_flow: I64
    """(n,) in the order of the runs."""
    sorted_by_orig: Bool


def add_runs(
    packets: PacketBatch,
    swapped: Bool,
    order: I64,
    starts: I64,
    target: I64,
    rows: Mapping[str, npt.NDArray[Any]],
) -> Whose:
    """Adds runs of packets, each of one flow, to the rows of their flows.

    swapped: (n,) as `keys_of` has it; order: (n,) row of each packet, sorted by run; starts:
    (runs,) where in `order` each begins; target: (runs,) flow; rows: the columns COUNTERS, all of
    them of 32 or all of 64 bits, and KEPT; written, but for the last.
    """
    count, runs = len(order), len(starts)
    columns: list[Column] = [
        (np.ascontiguousarray(getattr(packets, name)), dtype) for name, dtype in COUNTED.items()
    ]
    given = addresses([*columns, (swapped, np.bool_)], count)
    refuse_strange_indexes(order, count)
    edges = edges_of(starts, count)
    where = np.array(
        [
            address(order, np.int64, count),
            address(edges, np.int64, runs + 1),
            address(target, np.int64, runs),
        ],
        np.uint64,
    )
    into, wide = _flow_columns(rows, target)
    flow, sorted_flow = np.empty(count, np.int64), np.empty(count, np.int64)
    by_orig, sorted_by_orig = np.empty(count, np.bool_), np.empty(count, np.bool_)
    whose = Whose(flow, by_orig, sorted_flow, sorted_by_orig)
    assigned = addresses([(column, column.dtype) for column in whose], count)
    function("add_runs", "ppnpnp")(
        address(given, np.uint64, len(given)),
        address(where, np.uint64, len(where)),
        runs,
        address(into, np.uint64, len(into)),
        wide,
        address(assigned, np.uint64, len(assigned)),
    )
    return whose


def _flow_columns(rows: Mapping[str, npt.NDArray[Any]], target: I64) -> tuple[U64, bool]:
    """The addresses of the columns of flows, and whether counters have 64 bits."""
    flows, wide = len(rows["closing"]), rows[COUNTERS[0]].dtype == np.int64
    refuse_strange_indexes(target, flows)
    columns: list[Column] = [(rows[name], np.int64 if wide else np.int32) for name in COUNTERS]
    columns += [(rows[name], dtype) for name, dtype in KEPT.items()]
    return addresses(columns, flows), wide
