"""The columns of the flow table: one array a field, one row a flow. HOT PATH."""

from typing import Any

import numpy as np

from egress_audit.columns import END_REASONS, I64, Bool, PacketBatch
from egress_audit.flows.growing import grow_together, let_go
from egress_audit.model.flow import EndReason

COLUMNS: dict[str, type[np.generic]] = {
    "key": np.int32,
    "orig_swapped": np.bool_,
    "flipped": np.bool_,
    "direction_known": np.bool_,
    "ts_ns": np.int64,
    "last_ts_ns": np.int64,
    "previous_ts_ns": np.int64,
    "first_seq": np.uint32,
    "orig_pkts": np.int32,
    "resp_pkts": np.int32,
    "orig_ip_bytes": np.int32,
    "resp_ip_bytes": np.int32,
    "first_frame": np.int32,
    "last_frame": np.int32,
    "orig_state": np.uint8,
    "resp_state": np.uint8,
    "history": np.int32,
    "seen": np.uint8,
    "closing": np.uint8,
    "end_reason": np.uint8,
    "carrier": np.bool_,
    "sealed": np.uint8,
}
"""Name → dtype of every column; COUNTERS may grow wider. `seen` and `closing` are bits: see
tcp_events, runs; `first_seq`: sequence number of the first packet."""

COUNTERS = (
    *("orig_pkts", "resp_pkts", "orig_ip_bytes", "resp_ip_bytes"),
    *("first_frame", "last_frame"),
)
"""Columns that count: four bytes of each hold what all but the largest captures come to."""
NARROW = np.iinfo(np.int32).max
"""The highest count that a narrow column holds. Signed, so that differences stay what they are."""


class FlowRows:
    """Growing columns. A column is an attribute of its name, valid below `len(self)`."""

    key: Any
    orig_swapped: Any
    flipped: Any
    direction_known: Any
    ts_ns: Any
    last_ts_ns: Any
    previous_ts_ns: Any
    first_seq: Any
    orig_pkts: Any
    resp_pkts: Any
    orig_ip_bytes: Any
    resp_ip_bytes: Any
    first_frame: Any
    last_frame: Any
    orig_state: Any
    resp_state: Any
    history: Any
    seen: Any
    closing: Any
    end_reason: Any
    carrier: Any
    sealed: Any

    def __init__(self) -> None:
        self._count = 0
        for name, dtype in COLUMNS.items():
            setattr(self, name, np.zeros(1 << 10, dtype))

    def __len__(self) -> int:
        return self._count

    def append(
        self,
        packets: PacketBatch,
        leaders: I64,
        keys: I64,
        orig_swapped: Bool,
        flipped: Bool,
        known: Bool,
    ) -> None:
        """Adds one row for each leader, a flow's first packet; its packets are not counted yet."""
        start, end = self._count, self._count + len(leaders)
        self._grow(end)
        rows = slice(start, end)
        self.key[rows] = keys
        self.orig_swapped[rows] = orig_swapped
        self.flipped[rows] = flipped
        self.direction_known[rows] = known
        self.history[rows] = flipped
        self.ts_ns[rows] = self.last_ts_ns[rows] = packets.ts_ns[leaders]
        self.first_frame[rows] = packets.frame[leaders]
        self.first_seq[rows] = packets.tcp_seq[leaders]
        self.end_reason[rows] = END_REASONS.index(EndReason.FORCED_END)
        self._count = end

    def widen(self, highest: int) -> None:
        """Makes the counters wide enough for counts up to `highest`."""
        if highest <= NARROW or self.orig_pkts.dtype == np.int64:
            return
        for name in COUNTERS:
            setattr(self, name, getattr(self, name).astype(np.int64))

    def finish(self) -> None:
        """Lets go of the columns that only further packets would need."""
        let_go(self, ("previous_ts_ns", "closing", "first_seq"))

    def _grow(self, needed: int) -> None:
        if needed <= len(self.key):
            return
        grow_together(self, COLUMNS, needed)
