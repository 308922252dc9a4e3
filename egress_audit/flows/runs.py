"""A batch sorted by key and cut into runs, each of which belongs to one flow. HOT PATH."""

from dataclasses import dataclass, field

import numpy as np

from egress_audit.columns import I64, U8, Bool
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.tcp_state import FIN, RST


@dataclass(slots=True)
class Runs:
    """Columns over the packets of a batch, sorted by key and then by arrival."""

    order: I64
    """Row of the packet in the batch."""
    number: I64
    """Number of its key."""
    swapped: Bool
    first: Bool
    """First packet of its key in the batch."""
    fresh: Bool
    """First packet of its key in the evidence."""
    idle: Bool
    """Comes so long after its predecessor that a new flow begins."""
    reuse: Bool = field(init=False)
    """A SYN on the 5-tuple of a connection that had ended."""
    ended_inside: I64 = field(init=False)
    """Sorted rows at which a flow begins whose predecessor has packets in this batch."""

    def __post_init__(self) -> None:
        self.reuse = np.zeros(len(self.order), np.bool_)
        self.ended_inside = np.empty(0, np.int64)

    @property
    def begins_flow(self) -> Bool:
        """A flow begins with this packet."""
        return self.fresh | self.idle | self.reuse

    @property
    def starts(self) -> I64:
        """Sorted rows at which runs begin."""
        return np.flatnonzero(self.first | self.begins_flow)

    def unsorted_swapped(self, rows: I64) -> Bool:
        """`swapped` of packets given by their row in the batch."""
        unsorted = np.empty(len(self.order), np.bool_)
        unsorted[self.order] = self.swapped
        return unsorted[rows]


def reused(runs: Runs, flags: U8, tcp: Bool, is_syn: Bool, flow: I64, rows: FlowRows) -> Bool:
    """(n,) True for each SYN that finds its connection closed by both sides or reset.

    Looks only at keys that have such a SYN, and there only at packets with SYN, FIN or RST.
    """
    wanted = np.isin(runs.number, runs.number[is_syn])
    begins = runs.begins_flow
    closes = flags & (FIN | RST) != 0
    events = np.flatnonzero(wanted & tcp & (is_syn | closes | runs.first | begins))
    reuse = np.zeros(len(flags), np.bool_)
    closing, key = 0, -1
    for at in events.tolist():
        if runs.number[at] != key:
            key = runs.number[at]
            closing = 0 if begins[at] else int(rows.closing[flow[at]])
        elif begins[at]:
            closing = 0
        if is_syn[at] and is_closed(closing):
            reuse[at] = True
            closing = 0
        closing |= closing_bits(int(flags[at]), bool(runs.swapped[at]))
    return reuse


RESET, LOW_FIN, HIGH_FIN = 1, 2, 4


def closing_column(flags: U8, swapped: Bool, tcp: Bool) -> U8:
    """(n,) `closing_bits` of every packet; 0 for what is not TCP."""
    fin = np.where(flags & FIN != 0, np.where(swapped, HIGH_FIN, LOW_FIN), 0)
    bits: U8 = np.where(tcp, fin | np.where(flags & RST != 0, RESET, 0), 0).astype(np.uint8)
    return bits


def closing_bits(flags: int, swapped: bool) -> int:
    """What a packet contributes to the end of its connection."""
    fin = (HIGH_FIN if swapped else LOW_FIN) if flags & FIN else 0
    return fin | (RESET if flags & RST else 0)


def is_closed(bits: int) -> bool:
    """A RST from either side, or a FIN from both."""
    return bool(bits & RESET) or bits & (LOW_FIN | HIGH_FIN) == LOW_FIN | HIGH_FIN
