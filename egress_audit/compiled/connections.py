"""Numbers of TCP followed, and the segments found that change its state, by tcp.c. HOT PATH.

Packets are given in the order of a batch, and `order` sorts them into runs of one flow each.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from egress_audit.columns import I32, I64, U8, U32, U64, Bool, PacketBatch
from egress_audit.compiled.bounds import edges_of, refuse_strange_indexes
from egress_audit.compiled.library import address, addresses, function

SEGMENTS: dict[str, type[np.generic]] = {
    "proto": np.uint8,
    "fragment": np.bool_,
    "tcp_flags": np.uint8,
    "tcp_seq": np.uint32,
    "tcp_ack": np.uint32,
    "payload_len": np.int64,
}
"""Columns of PacketBatch, in the order of C's struct segment_columns."""


class Skips(NamedTuple):
    """Segments that skip bytes, or bring some that lie before what came already."""

    side: I64
    base: I64
    """Sequence number at which the other columns begin to count."""
    before: I64
    """Where the next byte was expected."""
    relative: I64
    """Where the segment begins."""
    length: I64
    skipped: Bool


class Sides(NamedTuple):
    """What is known of each side, twice the row of its flow, plus one for the originator."""

    next: U32
    acked: U32
    known: U8


class Segments:
    """The packets of a batch, as C has them."""

    def __init__(self, packets: PacketBatch, order: I64, by_orig: Bool) -> None:
        """order: (n,) rows, sorted by run; by_orig: (n,) sorted likewise."""
        # The columns are kept, because C knows their addresses alone.
        self._columns = [
            (np.ascontiguousarray(getattr(packets, name)), dtype)
            for name, dtype in SEGMENTS.items()
        ]
        self._columns += [(order, np.int64), (by_orig, np.bool_)]
        self.count = len(order)
        refuse_strange_indexes(order, self.count)
        self._given: U64 = addresses(self._columns, self.count)

    @property
    def address(self) -> int:
        """Of C's struct segment_columns."""
        return address(self._given, np.uint64, len(self._given))


def skips(segments: Segments, starts: I64, target: I64, max_jump: int, sides: Sides) -> Skips:
    """Follows the numbers of both sides of every flow, and says where they are not in order.

    starts: (runs,) sorted row with which each begins; target: (runs,) flow, no two alike; max_jump:
    distance from which on a number is not believed; sides: written, with room for all flows.
    """
    count, runs = segments.count, len(starts)
    flows = len(sides.known) // 2
    refuse_strange_indexes(target, flows)
    edges = edges_of(starts, count)
    known = addresses(
        [(sides.next, np.uint32), (sides.acked, np.uint32), (sides.known, np.uint8)], 2 * flows
    )
    numbers, skipped = [np.empty(count, np.int64) for _ in range(5)], np.empty(count, np.bool_)
    out = addresses([*((one, np.int64) for one in numbers), (skipped, np.bool_)], count)
    events = function("follow_numbers", "pppnnpp")(
        segments.address,
        address(edges, np.int64, runs + 1),
        address(target, np.int64, runs),
        runs,
        max_jump,
        address(known, np.uint64, len(known)),
        address(out, np.uint64, len(out)),
    )
    side, base, before, relative, length = (one[:events] for one in numbers)
    return Skips(side, base, before, relative, length, skipped[:events])


def changing(segments: Segments, flow: I64, seen: U8) -> tuple[I64, I64]:
    """Sorted rows of the segments that may change the state or history of a flow, ascending; and of
    each its flags, payload at bit 8, all twice, and one if the originator sent.

    flow: (n,) of each sorted row; seen: (flows,) bits of the kinds of plain segments that came
    before; written.
    """
    count = segments.count
    refuse_strange_indexes(flow, len(seen))
    found, what = np.empty(count, np.int64), np.empty(count, np.int64)
    events = function("changing_segments", "ppnppp")(
        segments.address,
        address(flow, np.int64, count),
        count,
        address(seen, np.uint8, 0),
        address(found, np.int64, count),
        address(what, np.int64, count),
    )
    return found[:events].copy(), what[:events].copy()


SLOTS = 1 << 14
"""Cases that are remembered; ordinary captures have some hundreds."""
EVENT_BITS = 10
"""Bits of an event in a case; the state stands above them."""


class Transitions:
    """What follows from the states of flows and events, as far as it was asked before."""

    def __init__(self) -> None:
        self._cases: I64 = np.full(SLOTS, -1, np.int64)
        self._after: I64 = np.zeros(SLOTS, np.int64)

    def apply(
        self,
        after: Callable[[int, int], int],
        flow: I64,
        what: I64,
        orig: U8,
        resp: U8,
        history: I32,
    ) -> None:
        """Applies events to the states of their flows.

        after: (state, event) → state, asked once for each case that is remembered, and not kept:
        its owner has this, and of a cycle Python would not let go; flow: (n,) of each event; what:
        (n,) as `changing` has it; orig, resp, history: (flows,) the parts of a state, of 3 and 3
        bits and what is above; written.
        """
        count, flows = len(flow), len(history)
        refuse_strange_indexes(flow, flows)
        parts = [address(column, np.uint8, flows) for column in (orig, resp)]
        parts.append(address(history, np.int32, flows))
        parts += [address(kept, np.int64, SLOTS) for kept in (self._cases, self._after)]
        states, missing = np.array(parts, np.uint64), np.zeros(1, np.uint64)
        events = address(flow, np.int64, count), address(what, np.int64, count)
        places = address(states, np.uint64, len(states)), address(missing, np.uint64, 1)
        reached = 0
        while True:
            reached = function("apply_events", "ppnnpp")(*events, reached, count, *places)
            if reached == count:
                return
            case = int(missing[0])
            slot = function("slot_of_case", "n")(case)
            self._cases[slot] = case
            self._after[slot] = after(case >> EVENT_BITS, case % (1 << EVENT_BITS))
