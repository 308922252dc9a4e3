"""The few segments that are looked at one by one, taken out of their columns together. HOT PATH.

A field at a time out of numpy's columns costs 0.1 µs, and a segment has nine of them: so those of a
batch become Python's own numbers all at once.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from egress_audit.columns import I64, U8, U32, Bool, PacketBatch
from egress_audit.compiled import library, segments
from egress_audit.compiled.payloads import joined_beginnings
from egress_audit.flows.table import Assigned
from egress_audit.flows.tcp_state import RST, SYN
from egress_audit.model.protocols import DNS_PORT, TCP

NEW, BEGUN, SATED = 0, 1, 2
"""Whether a side has a head: not yet, one that is not finished, or no more."""


class Segment(NamedTuple):
    """One TCP segment with payload."""

    row: int
    """In its batch."""
    side: int
    """Twice the flow, plus one for the originator."""
    sequence: int
    """Number of its first byte of payload, behind a SYN if it has one."""
    length: int
    """Payload bytes on the wire."""
    start: int
    """First byte of the payload, into the buffer of its batch."""
    captured: int
    """Captured bytes of the payload."""
    frame: int
    ts_ns: int
    dns: bool
    """Either port is the DNS's."""

    @property
    def end(self) -> int:
        """Sequence number behind its last byte; maybe past 2^32."""
        return self.sequence + self.length


class Rows(NamedTuple):
    """Where the segments of a batch are that matter, and of which side each packet is."""

    side: I64
    """(n,) Twice the flow, plus one for the originator; negative for none."""
    payload: I64
    """Rows with payload, without what comes with a reset."""
    hungry: I64
    """Those of them whose side is not sated."""
    first: I64
    """Those with which sides begin that are new, one of each."""
    syn: I64
    """Rows with SYN."""


def signed(distance: int) -> int:
    """A distance modulo 2^32 as a number from -2^31 on."""
    return (distance + (1 << 31)) % (1 << 32) - (1 << 31)


def rows_of_segments(packets: PacketBatch, assigned: Assigned, stage: U8) -> Rows:
    """The rows of segments of flows. stage: of each side, NEW and its siblings."""
    flow, by_orig = assigned.flow, assigned.by_orig
    if library.is_in_use():
        return Rows(*segments.rows_of_segments(packets, flow, by_orig, stage))
    side = flow * 2 + by_orig
    tcp = (packets.proto == TCP) & (flow >= 0)
    syn = np.flatnonzero(tcp & (packets.tcp_flags & SYN != 0))
    payload = np.flatnonzero(tcp & (packets.payload_len > 0) & (packets.tcp_flags & RST == 0))
    hungry = payload[stage[side[payload]] != SATED]
    new = hungry[stage[side[hungry]] == NEW]
    return Rows(side, payload, hungry, new[first_of_each(side[new])], syn)


def segments_of(
    packets: PacketBatch, side: I64, rows: I64, wanted: Callable[[int], bool]
) -> Iterator[Segment]:
    """The segments at these rows, in their order; `side`: (n,) of every packet of the batch.

    wanted: asked of the side of each segment when its turn comes, as the one before may have been
    enough: of four only one is handed back.
    """
    if not len(rows):
        return
    columns = (
        rows,
        side[rows],
        sequences_of(packets, rows),
        packets.payload_len[rows],
        packets.payload[rows],
        packets.payload_cap[rows],
        packets.frame[rows],
        packets.ts_ns[rows],
        is_dns(packets, rows),
    )
    for values in zip(*(column.tolist() for column in columns), strict=True):
        if wanted(values[1]):
            yield Segment._make(values)


def sequences_of(packets: PacketBatch, rows: I64) -> U32:
    """(n,) sequence number of the first byte of payload of each of some rows."""
    found: U32 = packets.tcp_seq[rows] + (packets.tcp_flags[rows] & SYN != 0)
    return found


def rank_within(side: I64) -> I64:
    """(n,) how many rows of the same side come before each row."""
    if not len(side):
        return side
    order, first = _by_side(side)
    place = np.arange(len(side))
    rank = np.empty(len(side), np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return rank


def first_of_each(side: I64) -> I64:
    """(m,) where each side stands for the first time, ascending."""
    order, first = _by_side(side)
    found = order[first]
    found.sort()
    return found


def _by_side(side: I64) -> tuple[I64, Bool]:
    """(n,) how rows are put in order by side, and within each as they are; and where, in that
    order, another side begins."""
    low = side.min(initial=1 << 62)
    # Sixteen bits numpy sorts by counting, and most sides of a batch lie side by side.
    narrow = side - low
    near = narrow.max(initial=0) < 1 << 16
    order = np.argsort(narrow.astype(np.uint16) if near else narrow, kind="stable")
    of = side[order]
    first = np.ones(len(of), np.bool_)
    first[1:] = of[1:] != of[:-1]
    return order, first


def united(rows: I64, others: I64, count: int) -> I64:
    """The rows, of `count`, of both, ascending, each once. rows: such already, as the others mostly
    are none."""
    if not len(others):
        return rows
    both = np.zeros(count, np.bool_)
    both[rows] = both[others] = True
    return np.flatnonzero(both)


def without(rows: I64, others: I64, count: int) -> I64:
    """The rows, of `count`, that are not among the others; ascending, each once."""
    if not len(rows):
        return rows
    left = np.zeros(count, np.bool_)
    left[rows] = True
    left[others] = False
    return np.flatnonzero(left)


def is_dns(packets: PacketBatch, rows: I64) -> Bool:
    """(n,) True where either port is the DNS's."""
    to_or_from: Bool = (packets.sport[rows] == DNS_PORT) | (packets.dport[rows] == DNS_PORT)
    return to_or_from


def payload_of(packets: PacketBatch, segment: Segment) -> bytes:
    """The captured payload of a segment."""
    return packets.buffer[segment.start : segment.start + segment.captured].tobytes()


def payloads_of(packets: PacketBatch, rows: I64) -> list[bytes]:
    """The captured payload of each of some rows."""
    starts = packets.payload[rows]
    ends = starts + packets.payload_cap[rows]
    octets = packets.buffer.data
    return [bytes(octets[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def beginnings_of(packets: PacketBatch, rows: I64, size: int) -> tuple[bytes | memoryview, I64]:
    """The first captured bytes of the payload of some rows, at most `size` of each, one behind the
    other; and how many they are, (n,)."""
    if library.is_in_use():
        return joined_beginnings(packets, rows, size)
    starts, sizes = packets.payload[rows], np.minimum(packets.payload_cap[rows], size)
    octets, ends = packets.buffer.data, starts + sizes
    parts = [octets[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    return b"".join(parts), sizes
