"""Many records at a time: guesses where some begin, walks from all of them, proves. HOT PATH.

Record headers form a linked list, so following it one record at a time costs more than everything
that is then done with the records. Here the buffer is cut into lanes. In each a record start is
*guessed*, and all lanes are walked in step, a column of positions a round. Then the guesses are
*proven*: the first lane begins at the true first record, and a lane that ends exactly where the
next one begins makes that one true as well. What no such chain reaches is never used: from there
the caller follows the list one record at a time, until it comes upon a lane's beginning. So
whatever a payload holds, the records are those of the serial walk; it can only make us slower.
Where the hot path is compiled its walk, which is serial, is the faster one and takes this one's
place.
"""

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from egress_audit.capture.pcapng_blocks import EPB, MAX_BLOCK
from egress_audit.capture.walk import MAX_FRAME, RECORD_HEADER, Octets, Stop, pcap_records
from egress_audit.columns import I64, U8, U32, Bool

LANE = 24 << 10
"""Bytes of a lane: 16 to 32 KiB measured alike."""
FEWEST = 64
"""Lanes that must be under way together: a round costs as much as some 50 serial steps, so that
even a capture of nothing but empty records is read no slower than one at a time."""
ROUNDS = 8
"""Rounds walked before it is asked how many lanes are still under way."""
LAST_ROUNDS = 32
"""Rounds granted to the last lanes once they are fewer: each that reaches the next one saves more
than it costs."""
MAX_CANDIDATES = 32
"""Places looked at in one lane before it is left to the lane before it."""
SHORTEST_EPB = 32

Find = Callable[[int, int], int]
"""(first place, place behind the last) → where a record may begin between them; -1 for nowhere."""


class Walker(NamedTuple):
    """How the records of a buffer are guessed, and walked."""

    find: Find
    """Finds what looks like the beginning of a record at first sight."""
    plausible: Callable[[I64], Bool]
    """(n,) places that were found → which of them may well be records."""
    advance: Callable[[I64], I64]
    """(n,) positions up to the end → positions after the records there; of what is no record, any
    position that is a shortest record further on or more."""
    whole: Callable[[I64, I64], Bool]
    """Positions, and those after, in any shape → which are common records, whole if they do not
    leave the buffer."""


class Cut(NamedTuple):
    """How a buffer is cut into lanes."""

    lane: int
    """Bytes of a lane."""
    fewest: int
    """Lanes that must be under way together."""


USUAL_CUT = Cut(LANE, FEWEST)


class Lanes:
    """The walked lanes of one buffer, which tell what follows from a position known to be true."""

    def __init__(self, start: int, end: int, walker: Walker, cut: Cut) -> None:
        """start: where a record is known to begin, or the end of what came before it does."""
        starts = _guesses(start, end, walker, cut)
        self.starts = {place: lane for lane, place in enumerate(starts)}
        """Lanes by the position where they begin; empty where none were walked."""
        self._offsets: I64 = np.empty(0, np.int64)
        if not starts:
            return
        position = np.array(starts, np.int64)
        limit = np.append(position[1:], end + 1)
        taken, self._reached = _walked(position, limit, end, walker, cut.fewest)
        self._offsets = taken.records
        self._edges = taken.edges
        self._breaks = np.append(
            np.flatnonzero(self._reached[:-1] != position[1:]), len(starts) - 1
        )
        """Lanes that do not end where the next one begins, ascending."""

    def following(self, position: int) -> tuple[I64, int]:
        """Records from a true `position` as far as lanes prove each other, and where the last of
        them ends; none where no lane begins."""
        parts = [self._offsets[:0]]
        while (first := self.starts.get(position)) is not None:
            last = int(self._breaks[np.searchsorted(self._breaks, first)])
            parts.append(self._offsets[self._edges[first] : self._edges[last + 1]])
            reached = int(self._reached[last])
            if reached == position:
                break
            position = reached
        return np.concatenate(parts), position


class Taken(NamedTuple):
    """Records of all lanes, lane after lane, and therefore ascending."""

    records: I64
    edges: I64
    """Where the records of each lane begin, and behind the last one's."""


def _walked(position: I64, limit: I64, end: int, walker: Walker, fewest: int) -> tuple[Taken, I64]:
    """The records of lanes that begin at `position` and end at `limit`, and where each got to.

    Walks all lanes in step, until too few are left; those that are done, or came upon what is no
    record, walk on for nothing.
    """
    rows, last_rounds = [position], LAST_ROUNDS
    while last_rounds > 0:
        for _ in range(ROUNDS):
            position = np.minimum(walker.advance(position), end + 1)
            rows.append(position)
        going = np.count_nonzero(position < limit)
        if going < fewest:
            last_rounds -= ROUNDS if going else last_rounds
    walked = np.ascontiguousarray(np.array(rows).T)
    positions, following = walked[:, :-1], walked[:, 1:]
    whole = walker.whole(positions, following)
    whole &= (following <= end) & (positions < limit[:, None])
    np.logical_and.accumulate(whole, axis=1, out=whole)
    count = np.count_nonzero(whole, axis=1)
    reached = walked[np.arange(len(walked)), count]
    return Taken(positions[whole], np.append(0, np.cumsum(count))), reached


def _guesses(start: int, end: int, walker: Walker, cut: Cut) -> list[int]:
    """The true start, then at most one place in each lane, ascending; none if they are too few."""
    edges = [*range(start, end, cut.lane), end]
    if len(edges) <= cut.fewest:
        return []
    found = list(map(walker.find, edges[1:-1], edges[2:]))
    wrong = np.flatnonzero(~walker.plausible(np.array(found, np.int64)))
    for lane in wrong.tolist():
        found[lane] = _guess(walker, found[lane], edges[lane + 2])
    starts = [start, *(place for place in found if place >= 0)]
    return starts if len(starts) >= cut.fewest else []


def _guess(walker: Walker, place: int, end: int) -> int:
    """The first plausible place of a lane behind `place`, which is none; -1 if there is none."""
    for _ in range(MAX_CANDIDATES - 1):
        if place < 0:
            return -1
        place = walker.find(place + 1, end)
        if walker.plausible(np.array([place]))[0]:
            return place
    return -1


def _words(array: U8, order: str, behind: int) -> U32:
    """The 32-bit number `behind` every byte of a buffer, as far as there is one."""
    size = len(array) - 3 - behind
    words: U32 = np.ndarray((size,), order + "u4", array.data, behind, (1,))
    return words


def _find(what: bytes, buffer: Octets, low: int, high: int) -> int:
    """Where some bytes stand first in `buffer[low:high]`, -1 if nowhere: a view has no `find`."""
    found = re.compile(re.escape(what)).search(buffer, low, high)
    return -1 if found is None else found.start()


def pcap_offsets(
    buffer: Octets, array: U8, start: int, end: int, order: str, cut: Cut = USUAL_CUT
) -> tuple[I64, int, Stop]:
    """`pcap_records` of `buffer[start:end]`, in lanes: the same answer, the offsets as an array.

    `array`: the same bytes, with PADDING behind `end`.
    """
    lanes = Lanes(start, end, _pcap_walker(buffer, array, start, end, order), cut)
    parts, position = list[I64](), start
    while True:
        proven, position = lanes.following(position)
        serial, position, stop = pcap_records(buffer, position, end, order, until=lanes.starts)
        parts += [proven, np.array(serial, np.int64)]
        if not serial or position not in lanes.starts:
            return np.concatenate(parts), position, stop


def _pcap_walker(buffer: Octets, array: U8, start: int, end: int, order: str) -> Walker:
    """Looks for the upper half of the first record's seconds, with lengths that lead to it again:
    records of the same 18 hours."""
    within = 2 if order == "<" else 0
    upper = bytes(buffer[start + within : start + within + 2])
    seconds = np.ndarray((len(array) - 1,), "u2", array.data, 0, (1,))
    fractions, caplens, wirelens = (_words(array, order, behind) for behind in (4, 8, 12))

    def find(low: int, high: int) -> int:
        place = _find(upper, buffer, low + within, high + within + 1)
        return place - within if place >= 0 else -1

    def plausible(places: I64) -> Bool:
        caplen, wirelen = caplens[places], wirelens[places]
        following = places + caplen + RECORD_HEADER
        likely = (caplen > 0) & (caplen <= wirelen) & (fractions[places] < 1_000_000_000)
        likely &= (places >= 0) & (following + RECORD_HEADER <= end)
        likely &= seconds[np.minimum(following, end) + within] == np.frombuffer(upper, "u2")
        return likely

    def advance(position: I64) -> I64:
        following: I64 = position + caplens[position]
        following += RECORD_HEADER
        return following

    def whole(position: I64, following: I64) -> Bool:
        believed: Bool = following - position <= MAX_FRAME + RECORD_HEADER
        return believed

    return Walker(find, plausible, advance, whole)


def pcapng_lanes(
    buffer: Octets, array: U8, start: int, end: int, order: str, cut: Cut = USUAL_CUT
) -> Lanes:
    """Lanes over enhanced packet blocks; a lane ends at any block that is something else.

    `order`: of the section that goes on at `start`. `array`: as in `pcap_offsets`.
    """
    return Lanes(start, end, _block_walker(buffer, array, start, end, order), cut)


def _block_walker(buffer: Octets, array: U8, start: int, end: int, order: str) -> Walker:
    """Looks for the type of a block whose two lengths agree. Blocks lie at multiples of four."""
    kind = struct.pack(order + "I", EPB)
    kinds, lengths = _words(array, order, 0), _words(array, order, 4)

    def find(low: int, high: int) -> int:
        return _find(kind, buffer, low, high + 3)

    def whole(position: I64, following: I64) -> Bool:
        length = lengths[position]
        fits: Bool = (length >= SHORTEST_EPB) & (length & 3 == 0) & (length <= MAX_BLOCK)
        fits &= (kinds[position] == np.uint32(EPB)) & (following <= end)
        # Of a block that is not whole the end lies anywhere; its own start is read instead.
        tail = np.where(fits, following - 4, position + 4)
        fits &= kinds[tail] == length
        return fits

    def plausible(places: I64) -> Bool:
        likely: Bool = (places - start & 3 == 0) & (places >= 0)
        return likely & whole(places, advance(places))

    def advance(position: I64) -> I64:
        following: I64 = position + np.maximum(lengths[position], SHORTEST_EPB)
        return following

    return Walker(find, plausible, advance, whole)
