"""The beginnings of flows, for the readers of names: few packets out of many. HOT PATH.

Every direction of a TCP flow is hungry until its reader says that it has enough, or until a bound
is reached. Only the first segments of hungry directions leave the columns; how many of them a
batch may add is counted by rank inside the batch. datagrams.py has the same for UDP.
"""

from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np

from egress_audit.columns import I64, U8, PacketBatch
from egress_audit.flows.assembly import Assembly
from egress_audit.flows.first_looks import FirstLooks
from egress_audit.flows.following import is_keep_alive
from egress_audit.flows.glance import BLIND, UNKNOWN, Glance, Look
from egress_audit.flows.growing import grown
from egress_audit.flows.head import MAX_DNS_SEGMENTS, MAX_SEGMENTS, MISSING, Head
from egress_audit.flows.origins import Origins
from egress_audit.flows.second_readings import SecondReadings
from egress_audit.flows.segments import (
    BEGUN,
    NEW,
    SATED,
    Segment,
    is_dns,
    payload_of,
    rank_within,
    rows_of_segments,
    segments_of,
    united,
    without,
)
from egress_audit.flows.sequels import Sequels
from egress_audit.flows.table import Assigned

MAX_HELD = 64 << 20
"""Bytes held for all unfinished heads together."""


class Heads:
    """The unfinished heads of all flows, and which directions want no more."""

    def __init__(self, glance: Glance = BLIND) -> None:
        self._glance = glance
        self._looks = FirstLooks(glance)
        self._open: dict[int, Head] = {}
        self._held = 0
        self._stage: U8 = np.zeros(1 << 11, np.uint8)
        self._origins = Origins()
        self._second = SecondReadings()
        self._sequels = Sequels(self._origins)
        self._alone: list[I64] = []
        """Rows of that batch with which a stream began and was done."""
        self.unread_in: dict[str, array[int]] = {}
        """Flows of the heads that were given up, by reason; one for each head and reason."""

    @property
    def unread(self) -> Counter[str]:
        """Heads given up, by reason."""
        return Counter({reason: len(flows) for reason, flows in self.unread_in.items()})

    @property
    def unremembered(self) -> int:
        """Sides too many for a second reading, or in the end another beginning, to be noticed."""
        return self._second.unremembered + self._origins.untold

    @property
    def conflicting(self) -> int:
        """Sides that sent a segment twice with different bytes, or began their stream twice."""
        return self._second.conflicting

    def take(self, packets: PacketBatch, assigned: Assigned) -> Iterator[Head]:
        """Heads that grew, one at a time; `settle` must be called on each before the next."""
        needed = 2 * (int(assigned.flow.max(initial=0)) + 1)
        self._stage = grown(self._stage, needed)
        for kept in (self._sequels, self._second, self._origins):
            kept.grow(needed)
        side, rows, hungry, first, syn = rows_of_segments(packets, assigned, self._stage)
        for number in self._origins.note(packets, side, syn, hungry):
            self._second.contradict(number)
        going_on = self._sequels.candidates(packets, side, rows)
        self._alone = [self._looked_at(packets, side, first, hungry)]
        wanted = united(self._wanted(packets, side, hungry), going_on, len(side))
        others = without(rows, self._looks.seconds, len(side))
        signs = self._sequels.by_sign(packets, side, others, wanted)
        yield from self._heads(packets, side, united(wanted, signs, len(side)))
        yield from self._heads(packets, side, self._late(side, rows, hungry, wanted))
        self._looks.hear_all()
        self._second.compare(packets, side, rows, np.concatenate(self._alone))

    def _late(self, side: I64, rows: I64, hungry: I64, wanted: I64) -> I64:
        """Other rows of sides that moved, or whose heads are open and want more than the first."""
        more = hungry[self._stage[side[hungry]] == BEGUN]
        late = np.append(self._sequels.rows_of_moved(side, rows), more)
        return without(late, np.concatenate((wanted, *self._alone)), len(side))

    def _heads(self, packets: PacketBatch, side: I64, rows: I64) -> Iterator[Head]:
        """The heads that grow by these rows, and those that begin in them."""
        for segment in segments_of(packets, side, rows, self._listened_to):
            stage = self._stage.item(segment.side)
            if self._sequels.passes_over(segment, done=stage == SATED):
                continue
            if stage == SATED and not self._reopened(packets, segment):
                continue
            look = self._first_look(packets, segment) if stage == NEW else UNKNOWN
            if look.done:
                continue
            head = self._fed(packets, segment, look.needs)
            if head is not None and head.needs and self._is_done(segment, head):
                continue
            while head is not None:
                head.again = False
                yield head
                head = head if head.again else None

    def _first_look(self, packets: PacketBatch, segment: Segment) -> Look:
        """What one look says of a stream that begins with a segment; if it is done, so is its head.

        Only of a segment that begins where its stream does, and of which no byte is missing.
        """
        side, origin = segment.side, self._origins.said(segment.side)
        begins = origin is None or origin == segment.sequence
        if segment.dns or segment.captured < segment.length or not begins:
            return UNKNOWN
        look = self._looks.found.get(segment.row)
        if look is None:
            look = self._glance.look(payload_of(packets, segment))
        if look.done:
            self._looks.note(side >> 1, segment.frame, segment.ts_ns, look)
            if origin is None:
                self._origins.begin(side, segment.sequence)
            self._stage[side] = SATED
            self._second.keep(side, segment.sequence, payload_of(packets, segment))
            self._alone.append(np.array((segment.row,)))
            if look.reader is not None:
                self._follow(side, segment.sequence + look.read, look.reader)
        return look

    def _is_done(self, segment: Segment, head: Head) -> bool:
        """True if another look is enough for a head that awaited more, and nothing contradicts."""
        stream, needs, head.needs = head.assembly.stream, head.needs, 0
        ready = len(stream) >= needs and not head.assembly.other
        look = self._glance.look(stream) if ready else UNKNOWN
        if not look.done:
            return False
        self._looks.note(head.flow, segment.frame, segment.ts_ns, look)
        self._close(head)
        return True

    def settle(
        self, head: Head, *, hungry: bool, unread: str = "", read: int = 0, reader: object = None
    ) -> None:
        """Says what the reader made of a head: wants more, is done, or could not read it.

        read: how much of the stream needs no more reading, maybe more than is there yet; reader:
        what goes on behind that, or None. With a reader and nothing read, the place where it would
        go on is not known, and found by its first bytes.
        """
        if unread:
            self.give_up(head.flow, unread)
        if reader is not None:
            self._sequels.moved.add(head.side)
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
        if going_on and not head.dns:
            self._follow(head.side, head.assembly.origin + read, reader)

    def _follow(self, side: int, place: int, reader: object) -> None:
        """Reads a side on from `place`."""
        if not self._sequels.follow(side, place, reader):
            self.give_up(side >> 1, "too many connections to follow")

    def _is_given_up(self, head: Head) -> bool:
        """True if a head that is hungry gets no more; what it lacks is counted."""
        reason = head.reason_to_stop(self._held > MAX_HELD)
        if reason and (not head.optional or head.assembly.has_hole):
            self.give_up(head.flow, reason)
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
        holes = {head.side for head in self._open.values() if head.assembly.has_hole}
        for head in list(self._open.values()):
            if head.side in holes or head.midway or not (head.dns or head.optional):
                self.give_up(head.flow, MISSING if head.side in holes else "never completed")
            self._close(head)
        elsewhere = self._origins.read_from_elsewhere(self._stage, self._second.origin)
        for side in sorted({*elsewhere} - holes):
            self.give_up(side >> 1, MISSING)
        # What is kept of every side is 18 bytes, of sixteen million sides at most.
        self._stage = self._stage[:0].copy()
        for kept in (self._origins, self._sequels, self._second):
            kept.release()

    def give_up(self, flow: int, reason: str) -> None:
        """Counts what could not be read of a flow."""
        self.unread_in.setdefault(reason, array("q")).append(flow)

    def _close(self, head: Head) -> None:
        self._stage[head.side] = SATED
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
        return self._stage.item(side) != SATED or self._sequels.may_have(side)

    def _reopened(self, packets: PacketBatch, segment: Segment) -> bool:
        """True if a message begins in a segment of a side that is done; its head is open."""
        head = self._sequels.head(packets, segment)
        if head is None:
            return False
        self._open[segment.side], self._stage[segment.side] = head, BEGUN
        return True

    def _looked_at(self, packets: PacketBatch, side: I64, rows: I64, payload: I64) -> I64:
        """Closes the heads of streams that are done with their first rows, or with the next ones as
        well; the first ones. rows: with which new sides begin; payload: of all hungry sides."""
        rows = rows[self._origins.begins_with(packets, side, rows)]
        rows = self._looks.take(packets, side, rows, payload)
        sides = side[rows]
        self._stage[sides] = SATED
        self._second.keep_all(packets, rows, sides, self._origins.of(sides))
        self._sequels.signs.pass_over(packets, side, rows)
        for number, begin, look in self._looks.going_on:
            self._follow(number, begin + look.read, look.reader)
        return rows

    def _wanted(self, packets: PacketBatch, side: I64, rows: I64) -> I64:
        """Rows with payload of hungry directions, the first ones of each, in order of arrival."""
        rows = rows[self._stage[side[rows]] != SATED]
        limit = np.where(is_dns(packets, rows), MAX_DNS_SEGMENTS, MAX_SEGMENTS)
        return rows[rank_within(side[rows]) < limit]

    def _fed(self, packets: PacketBatch, segment: Segment, needs: int) -> Head | None:
        """The head of a side with the payload of a segment added; None if that adds nothing.

        needs: bytes before which a head that begins here need not be read.
        """
        head = self._open.get(segment.side)
        if head is None:
            head = self._begun(packets, segment)
            if head is None:
                return None
            head.needs = needs
        if head.lies_behind(segment.end):
            return None
        head.cut |= segment.captured < segment.length
        head.frame, head.ts_ns = segment.frame, segment.ts_ns
        before, origin = head.assembly.size, head.assembly.origin
        grew = head.add(segment.sequence, payload_of(packets, segment))
        self._held += head.assembly.size - before
        if head.assembly.origin != origin:  # bytes came in front of what was read
            head.heard = head.read_from = head.needs = 0
        unfit = head.spent or head.cut or self._held > MAX_HELD
        awaits = len(head.assembly.stream) < head.needs and not head.assembly.other
        return head if unfit or (grew and not awaits) else None

    def _begun(self, packets: PacketBatch, segment: Segment) -> Head | None:
        """A new head of a side that has none; None if a segment is no beginning of a stream."""
        side, origin = segment.side, self._origins.said(segment.side)
        known = origin is not None
        if origin is None:
            if segment.length == 1 and is_keep_alive(packets, segment.row):
                return None
            origin = segment.sequence
            self._origins.begin(side, origin)
        head = Head(side >> 1, bool(side & 1), segment.dns, Assembly(origin, known))
        self._open[side], self._stage[side] = head, BEGUN
        return head
