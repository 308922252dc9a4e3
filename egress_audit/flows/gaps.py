"""Payload that the receiver acknowledged and the capture does not have. HOT PATH.

Of each direction of a TCP flow (a *side*: twice the row of the flow, plus one for the originator)
two numbers are kept: the sequence number expected next, and the highest one that the peer
acknowledged. Only sides in which a segment was skipped have a list of holes, which later segments
may fill: O(losses). Numbers are compared as RFC 9293 §3.4 has it, modulo 2^32.
"""

import numpy as np

from egress_audit.columns import I64, U8, U32, Bool, PacketBatch
from egress_audit.compiled.connections import Segments, Sides, skips
from egress_audit.flows.growing import grow_together
from egress_audit.flows.runs import Runs

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
NEXT_KNOWN, ACKED_KNOWN = 1, 2
MAX_HOLES = 64
"""Holes kept of one side; bytes of further ones count as missed whatever fills them."""
MAX_TRACKED = 200_000
"""Sides whose holes are kept; likewise."""
MAX_JUMP = 1 << 30
"""A jump beyond the largest window (RFC 7323 §2.3) is a broken or forged number, not a loss."""

Hole = tuple[int, int]


def signed(difference: U32 | I64) -> I64:
    """Distance modulo 2^32 as a number from -2^31 on."""
    return difference.astype(np.int32).astype(np.int64)


class GapTracker:
    """Follows sequence and acknowledgement numbers of every TCP flow."""

    def __init__(self) -> None:
        self._next: U32 = np.zeros(1 << 11, np.uint32)
        self._acked: U32 = np.zeros(1 << 11, np.uint32)
        self._known: U8 = np.zeros(1 << 11, np.uint8)
        self._holes: dict[int, list[Hole]] = {}
        self._lost: dict[int, int] = {}

    def take(
        self, packets: PacketBatch, runs: Runs, flow: I64, by_orig: Bool, segments: Segments | None
    ) -> None:
        """Follows a sorted batch; `flow` and `by_orig` are sorted as `runs` is; segments: the same
        for the compiled hot path, None where that is not in use."""
        if segments is not None:
            self._compiled(segments, runs, flow)
            return
        usable = (runs.flags & RST == 0) & (runs.flags != 0)
        if packets.fragment.any():
            usable &= ~packets.fragment[runs.order]
        rows = np.flatnonzero(usable)
        if not len(rows):
            return
        rows = rows.take(_by_side(runs, rows, by_orig))
        side = flow.take(rows) << 1 | by_orig.take(rows)
        self._grow(2 * (int(flow.max()) + 1))
        at, flags = runs.order.take(rows), runs.flags.take(rows)
        starts = _starts(side)
        length = packets.payload_len.take(at)
        length += flags & SYN != 0
        length += flags & FIN != 0
        self._follow(side, starts, packets.tcp_seq.take(at), length, flags & SYN != 0)
        self._acknowledge(side, packets.tcp_ack.take(at), flags & ACK != 0)

    def _compiled(self, segments: Segments, runs: Runs, flow: I64) -> None:
        """The same, by the compiled hot path."""
        target = flow.take(runs.starts)
        self._grow(2 * (int(target.max()) + 1))
        sides = Sides(self._next, self._acked, self._known)
        found = skips(segments, runs.starts, target, MAX_JUMP, sides)
        if self._holes or found.skipped.any():
            everything = np.ones(len(found.side), np.bool_)
            side, base, before, relative, length, skipped = found
            self._note_holes(side, base, before, relative, length, skipped, everything)

    def _grow(self, needed: int) -> None:
        grow_together(self, ("_next", "_acked", "_known"), needed)

    def _follow(self, side: I64, starts: I64, seq: U32, length: I64, begins: Bool) -> None:
        """Advances the number expected next; notes what was skipped and what filled a hole.

        begins: where a stream begins, which skips nothing, whatever number it has.
        """
        target = side.take(starts)
        known = self._known.take(target) & NEXT_KNOWN != 0
        base = np.where(known, self._next.take(target), seq.take(starts))
        runs = np.diff(np.append(starts, len(side)))
        relative = signed(seq - np.repeat(base, runs))
        lane = np.repeat(np.arange(len(starts)) << 34, runs)
        believed = np.abs(relative) < MAX_JUMP
        end = relative + length
        end[~believed] = -MAX_JUMP
        reach = np.maximum.accumulate(lane + end)
        before = np.empty_like(reach)
        before[1:] = reach[:-1]
        before[starts] = lane[starts]
        before -= lane
        np.maximum(before, 0, out=before)
        skipped = believed & (relative > before) & ~begins
        if self._holes or skipped.any():
            wide = np.repeat(base.astype(np.int64), runs)
            self._note_holes(side, wide, before, relative, length, skipped, believed)
        last = np.append(starts[1:], len(side)) - 1
        advance = np.maximum(reach[last] - lane[last], 0)
        self._next[target] = base + advance.astype(np.uint32)
        self._known[target] |= NEXT_KNOWN

    def _note_holes(
        self,
        side: I64,
        base: I64,
        before: I64,
        relative: I64,
        length: I64,
        skipped: Bool,
        believed: Bool,
    ) -> None:
        holed = np.array([*self._holes, *set(side[skipped].tolist())], np.int64)
        late = believed & (relative < before) & (length > 0) & np.isin(side, holed)
        for row in np.flatnonzero(skipped | late).tolist():
            start = int(base[row] + relative[row])
            if skipped[row]:
                self._open(int(side[row]), (int(base[row] + before[row]), start))
            else:
                self._fill(int(side[row]), start, start + int(length[row]))

    def _open(self, side: int, hole: Hole) -> None:
        if side not in self._holes and len(self._holes) >= MAX_TRACKED:
            self._lose(side, hole)
            return
        holes = self._holes.setdefault(side, [])
        if len(holes) >= MAX_HOLES:
            self._lose(side, hole)
        else:
            holes.append(hole)

    def _lose(self, side: int, hole: Hole) -> None:
        self._lost[side] = self._lost.get(side, 0) + hole[1] - hole[0]

    def _fill(self, side: int, start: int, end: int) -> None:
        holes = self._holes.get(side, ())
        left = [part for hole in holes for part in without(hole, start, end)]
        # A segment in the middle of a hole makes two of it.
        for hole in left[MAX_HOLES:]:
            self._lose(side, hole)
        if left:
            self._holes[side] = left[:MAX_HOLES]
        else:
            self._holes.pop(side, None)

    def _acknowledge(self, side: I64, ack: U32, has_ack: Bool) -> None:
        """Raises the highest number acknowledged to the other side of each flow."""
        at = np.flatnonzero(has_ack)
        peer, ack = side.take(at) ^ 1, ack.take(at)
        if not len(peer):
            return
        first = _starts(peer)
        target = peer.take(first)
        known = self._known.take(target) & ACKED_KNOWN != 0
        base = np.where(known, self._acked.take(target), ack.take(first))
        relative = ack - np.repeat(base, np.diff(np.append(first, len(peer))))
        highest = np.maximum.reduceat(relative.view(np.int32), first)
        self._acked[target] = base + np.maximum(highest, 0).view(np.uint32)
        self._known[target] |= ACKED_KNOWN

    def missed(self, flows: int) -> I64:
        """(flows,) payload bytes of each flow that were acknowledged and are not in the capture."""
        self._grow(2 * flows)
        known = self._known[: 2 * flows] == NEXT_KNOWN | ACKED_KNOWN
        # Of scans nothing is known: wide columns of all sides would be the peak of memory.
        rows = np.flatnonzero(known)
        acked, expected = self._acked[rows].astype(np.int64), self._next[rows].astype(np.int64)
        tail = signed(acked - expected)
        missed = np.zeros(flows, np.int64)
        np.add.at(missed, rows >> 1, np.where((tail > 0) & (tail < MAX_JUMP), tail, 0))
        for side, lost in self._lost.items():
            missed[side >> 1] += lost
        for side, holes in self._holes.items():
            if known[side]:
                missed[side >> 1] += sum(
                    acknowledged(hole, int(self._acked[side])) for hole in holes
                )
        return missed


def _by_side(runs: Runs, rows: I64, by_orig: Bool) -> I64:
    """How some sorted rows are put in order by side, and within each as they are."""
    side = np.repeat(np.arange(0, 2 * len(runs.starts), 2), runs.lengths)
    side |= by_orig
    # Sixteen bits numpy sorts by counting.
    narrow = side.astype(np.uint16) if 2 * len(runs.starts) <= 1 << 16 else side
    order: I64 = np.argsort(narrow.take(rows), kind="stable")
    return order


def _starts(side: I64) -> I64:
    """Where a side follows another one, and 0."""
    first: Bool = np.empty(len(side), np.bool_)
    first[0] = True
    np.not_equal(side[1:], side[:-1], out=first[1:])
    return np.flatnonzero(first)


def acknowledged(hole: Hole, limit: int) -> int:
    """Bytes of a hole that lie before the acknowledgement `limit`, modulo 2^32."""
    reach = (limit - hole[0]) % (1 << 32)
    return min(reach, hole[1] - hole[0]) if reach < 1 << 31 else 0


def without(hole: Hole, start: int, end: int) -> list[Hole]:
    """What is left of a hole once [start, end) has arrived; all of them modulo 2^32."""
    length = end - start
    start = hole[0] + (start - hole[0] + (1 << 31)) % (1 << 32) - (1 << 31)
    end = start + length
    left = (hole[0], min(hole[1], start))
    right = (max(hole[0], end), hole[1])
    return [part for part in (left, right) if part[0] < part[1]]
