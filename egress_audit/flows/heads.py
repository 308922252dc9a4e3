"""The beginnings of flows, for the readers of names: few packets out of many. HOT PATH.

Every direction of a TCP flow is hungry until its reader says that it has enough, or until a bound
is reached. Only the first segments of hungry directions leave the columns; how many of them a
batch may add is counted by rank inside the batch. datagrams.py has the same for UDP.
"""

from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np

from egress_audit.columns import I64, U8, U32, Bool, PacketBatch
from egress_audit.flows.assembly import LIMIT, Assembly
from egress_audit.flows.following import Following, is_keep_alive
from egress_audit.flows.growing import grown
from egress_audit.flows.head import MAX_DNS_SEGMENTS, MAX_SEGMENTS, Head
from egress_audit.flows.second_readings import SecondReadings
from egress_audit.flows.segments import SYN, Segment, is_dns, payload_of, segments_of
from egress_audit.flows.table import Assigned

TCP = 6
RST = 0x04
MAX_HELD = 64 << 20
"""Bytes held for all unfinished heads together."""

UNKNOWN, FROM_DATA, FROM_SYN = 0, 1, 2
"""How it is known where a stream begins."""
COLUMNS = ("_sated", "_origin", "_origin_from")
"""What `Heads` keeps of every side."""


class Heads:
    """The unfinished heads of all flows, and which directions want no more."""

    def __init__(self) -> None:
        self._open: dict[int, Head] = {}
        self._held = 0
        self._sated: Bool = np.zeros(1 << 11, np.bool_)
        self._origin: U32 = np.zeros(1 << 11, np.uint32)
        """Sequence number of the first byte of the stream, or of the first payload seen."""
        self._origin_from: U8 = np.zeros(1 << 11, np.uint8)
        self._second = SecondReadings()
        self._following = Following()
        self._moved: set[int] = set()
        """Sides that are read on behind a message of the batch at hand."""
        self.unread_in: dict[str, array[int]] = {}
        """Flows of the heads that were given up, one for each head, by reason."""

    @property
    def unread(self) -> Counter[str]:
        """Heads given up, by reason."""
        return Counter({reason: len(flows) for reason, flows in self.unread_in.items()})

    @property
    def unremembered(self) -> int:
        """Sides of which a second reading after the head would not be noticed: too many."""
        return self._second.unremembered

    @property
    def conflicting(self) -> int:
        """Sides that sent a segment twice with different bytes, or began their stream twice."""
        return self._second.conflicting

    def take(self, packets: PacketBatch, assigned: Assigned) -> Iterator[Head]:
        """Heads that grew, one at a time; `settle` must be called on each before the next."""
        side = assigned.flow * 2 + assigned.by_orig
        self._grow(int(side.max(initial=0)) + 2)
        payload = (packets.proto == TCP) & (packets.payload_len > 0) & (side >= 0)
        rows = np.flatnonzero(payload & (packets.tcp_flags & RST == 0))
        self._note_origins(packets, side, rows)
        self._moved.clear()
        going_on = self._following.candidates(packets, side, rows)
        wanted = np.union1d(self._wanted(packets, side, rows), going_on)
        yield from self._heads(packets, side, wanted)
        # Sides that were read beyond a message in this batch may have more in it than was wanted.
        late = rows[np.isin(side[rows], list(self._moved))] if self._moved else rows[:0]
        yield from self._heads(packets, side, np.setdiff1d(late, wanted))
        self._second.compare(packets, side, rows)

    def _heads(self, packets: PacketBatch, side: I64, rows: I64) -> Iterator[Head]:
        """The heads that grow by these rows, and those that begin in them."""
        for segment in segments_of(packets, side, rows, self._listened_to):
            if self._sated[segment.side] and not self._reopened(packets, segment):
                continue
            head = self._fed(packets, segment)
            while head is not None:
                head.again = False
                yield head
                head = head if head.again else None

    def settle(
        self,
        head: Head,
        *,
        hungry: bool,
        unread: str = "",
        read: int = 0,
        reader: object = None,
    ) -> None:
        """Says what the reader made of a head: wants more, is done, or could not read it.

        read: how much of the stream needs no more reading, maybe more than is there yet; reader:
        what goes on behind that, or None. With a reader and nothing read, the place where it would
        go on is not known.
        """
        if unread:
            self._give_up(head, unread)
        if reader is not None:
            self._moved.add(head.side)
        going_on = reader is not None and read > 0
        if going_on and (hungry or head.assembly.has_hole):
            self._advance(head, read, reader)
            read, head.again = 0, bool(head.assembly.stream) and not hungry
            hungry |= head.again or head.assembly.has_hole
        if hungry and (going_on or not unread):
            if head.again or not self._is_given_up(head):
                return
            going_on = False
        self._close(head)
        if reader is not None and not head.dns:
            place = head.assembly.origin + read if going_on else None
            if not self._following.keep(head.side, place, reader) and place is not None:
                self._give_up(head, "too many connections to follow")

    def _is_given_up(self, head: Head) -> bool:
        """True if a head that is hungry gets no more; what it lacks is counted."""
        reason = head.reason_to_stop(self._held > MAX_HELD)
        if reason and (not head.optional or head.assembly.has_hole):
            self._give_up(head, reason)
        beyond = head.beyond_hole() if reason else 0
        if beyond:
            self._advance(head, beyond, None)
            head.heard, head.again = 0, True
        return bool(reason) and not beyond

    def _advance(self, head: Head, read: int, reader: object) -> None:
        self._keep_print(head)
        before = head.assembly.size
        head.advance(read, reader)
        self._held += head.assembly.size - before

    def finish(self) -> None:
        """Counts the heads that are still hungry when the capture ends."""
        for head in list(self._open.values()):
            needed = not head.dns and not head.optional
            if needed or head.midway or head.assembly.has_hole:
                hole = head.assembly.has_hole
                self._give_up(head, "a segment is missing" if hole else "never completed")
            self._close(head)
        self._release()

    def _release(self) -> None:
        """Lets go of what is kept of every side: 17 bytes, of sixteen million sides at most."""
        for name in COLUMNS:
            setattr(self, name, getattr(self, name)[:0].copy())
        self._following = Following()
        self._second.release()

    def _give_up(self, head: Head, reason: str) -> None:
        self.unread_in.setdefault(reason, array("q")).append(head.flow)

    def _close(self, head: Head) -> None:
        self._sated[head.side] = True
        self._keep_print(head)
        if head.assembly.contradicted:
            self._second.contradict(head.side)
        if self._open.pop(head.side, None) is not None:
            self._held -= head.assembly.size

    def _keep_print(self, head: Head) -> None:
        """Remembers how a stream begins, before its first bytes are let go of."""
        if not head.print_kept:
            head.print_kept = True
            self._second.keep(head.side, head.assembly.origin, head.assembly.stream)

    def _listened_to(self, side: int) -> bool:
        return not self._sated[side] or side in self._following

    def _reopened(self, packets: PacketBatch, segment: Segment) -> bool:
        """True if a message of a stream that is followed begins in a segment; its head is open."""
        side = segment.side
        origin = self._following.origin(packets, segment.row, side)
        if origin is None:
            return False
        reader = self._following.taken(side)
        assembly = Assembly(origin % (1 << 32), origin_known=True)
        self._open[side] = Head(
            side >> 1, bool(side & 1), False, assembly, reader=reader, print_kept=True
        )
        self._sated[side] = False
        return True

    def _grow(self, needed: int) -> None:
        self._following.grow(needed)
        self._second.grow(needed)
        for name in COLUMNS:
            setattr(self, name, grown(getattr(self, name), needed))

    def _note_origins(self, packets: PacketBatch, side: I64, payload: I64) -> None:
        """Keeps where each stream begins: where its first SYN says, if no payload came before it.

        No later SYN moves that; one that says something else makes two readings of the stream.
        """
        syn = (packets.proto == TCP) & (packets.tcp_flags & SYN != 0) & (side >= 0)
        rows = np.flatnonzero(syn)
        if not len(rows):
            return
        early = payload[self._origin_from[side[payload]] == UNKNOWN]
        sides, at = np.unique(side[rows], return_index=True)
        new = self._origin_from[sides] == UNKNOWN
        sides, first = sides[new], rows[at[new]]
        self._origin[sides] = packets.tcp_seq[first] + np.uint32(1)
        self._origin_from[sides] = FROM_SYN
        early = early[self._origin_from[side[early]] == FROM_SYN]
        said, at = np.unique(side[early], return_index=True)
        before = early[at] < first[np.searchsorted(sides, said)]
        said, at = said[before], early[at[before]]
        self._origin[said] = packets.tcp_seq[at]
        self._origin_from[said] = FROM_DATA
        # A SYN that was recorded after its data begins at these, or not far before.
        apart = self._origin[side[rows]] - (packets.tcp_seq[rows] + np.uint32(1))
        allowed = np.where(self._origin_from[side[rows]] == FROM_DATA, LIMIT, 1)
        for number in np.unique(side[rows[apart >= allowed]]).tolist():
            self._second.contradict(number)

    def _wanted(self, packets: PacketBatch, side: I64, rows: I64) -> I64:
        """Rows of hungry directions, at most so many of each, in order of arrival.

        rows: those with payload.
        """
        rows = rows[~self._sated[side[rows]]]
        if not len(rows):
            return rows
        order = rows[np.argsort(side[rows], kind="stable")]
        first = np.append(True, side[order][1:] != side[order][:-1])
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        rank = np.arange(len(order)) - start
        limit = np.where(is_dns(packets, order), MAX_DNS_SEGMENTS, MAX_SEGMENTS)
        return np.sort(order[rank < limit])

    def _fed(self, packets: PacketBatch, segment: Segment) -> Head | None:
        """The head of a side with the payload of a segment added; None if that adds nothing."""
        head = self._open.get(segment.side) or self._begun(packets, segment)
        if head is None or head.lies_behind(segment.end):
            return None
        head.packets += 1
        head.cut |= segment.captured < segment.length
        head.frame, head.ts_ns = segment.frame, segment.ts_ns
        before, origin = head.assembly.size, head.assembly.origin
        grew = head.assembly.add(segment.sequence, payload_of(packets, segment))
        self._held += head.assembly.size - before
        if head.assembly.origin != origin:  # bytes came in front of what was read
            head.heard = head.read_from = 0
        return head if grew or head.spent or head.cut or self._held > MAX_HELD else None

    def _begun(self, packets: PacketBatch, segment: Segment) -> Head | None:
        """A new head of a side that has none; None if a segment is no beginning of a stream."""
        side, origin = segment.side, segment.sequence
        known = bool(self._origin_from[side] == FROM_SYN)
        if known:
            origin = int(self._origin[side])
        elif segment.length == 1 and is_keep_alive(packets, segment.row):
            return None
        else:
            self._origin[side], self._origin_from[side] = origin, FROM_DATA
        head = Head(side >> 1, bool(side & 1), segment.dns, Assembly(origin, known))
        self._open[side] = head
        return head
