"""Many records at a time: guesses where some begin, walks from all of them, proves. HOT PATH.

Record headers form a linked list, so following it one record at a time costs more than everything
that is then done with the records. Here the buffer is cut into lanes. In each a record start is
*guessed*, and all lanes are walked in step, a column of positions a round. Then the guesses are
*proven*: the first lane begins at the true first record, and a lane that ends exactly where the
next one begins makes that one true as well. What no such chain reaches is never used: from there
the caller follows the list one record at a time, until it comes upon a lane's beginning. So
whatever a payload holds, the records are those of the serial walk; it can only make us slower.
"""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from egress_audit.capture.pcapng_blocks import EPB, MAX_BLOCK
from egress_audit.capture.walk import MAX_FRAME, RECORD_HEADER, Stop, pcap_records
from egress_audit.columns import I64, U8, U32, Bool

LANE = 24 << 10
"""Bytes of a lane: 16 to 32 KiB measured alike."""
FEWEST = 64
"""Lanes that must be under way together: a round costs as much as some 50 serial steps, so that
even a capture of nothing but empty records is read no slower than one at a time."""
LAST_ROUNDS = 32
"""Rounds granted to the last lanes once they are fewer: each that reaches the next one saves more
than it costs."""
MAX_CANDIDATES = 32
"""Places looked at in one lane before it is left to the lane before it."""
SHORTEST_EPB = 32

Guess = Callable[[int, int], int]
"""(first place, place behind the last) → where a record may begin between them; -1 for nowhere."""
Step = Callable[[I64], tuple[I64, Bool]]
"""(n,) positions → (n,) positions after the records there, and which are whole common records."""


class Cut(NamedTuple):
    """How a buffer is cut into lanes."""

    lane: int
    """Bytes of a lane."""
    fewest: int
    """Lanes that must be under way together."""


USUAL_CUT = Cut(LANE, FEWEST)


class Lanes:
    """The walked lanes of one buffer, which tell what follows from a position known to be true."""

    def __init__(self, start: int, end: int, guess: Guess, step: Step, cut: Cut) -> None:
        """start: where a record is known to begin, or the end of what came before it does."""
        starts = _guesses(start, end, guess, cut)
        self.starts = {place: lane for lane, place in enumerate(starts)}
        """Lanes by the position where they begin; empty where none were walked."""
        self._offsets: I64 = np.empty(0, np.int64)
        if not starts:
            return
        position = np.array(starts, np.int64)
        taken, self._reached = _walked(position, np.append(position[1:], end + 1), step, cut.fewest)
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


def _walked(position: I64, limit: I64, step: Step, fewest: int) -> tuple[Taken, I64]:
    """The records of lanes that begin at `position` and end at `limit`, and where each got to.

    Walks all lanes in step, until too few are left; those that are done wait where they are.
    """
    positions, masks, last_rounds = list[I64](), list[Bool](), LAST_ROUNDS
    while True:
        following, whole = step(position)
        whole &= position < limit
        going = int(np.count_nonzero(whole))
        last_rounds -= going < fewest
        if not going or last_rounds < 0:
            break
        positions.append(position)
        masks.append(whole)
        position = np.where(whole, following, position)
    if not masks:
        return Taken(position[:0], np.zeros(len(position) + 1, np.int64)), position
    mask = np.array(masks)
    records = np.array(positions).T[mask.T]
    return Taken(records, np.append(0, np.cumsum(np.count_nonzero(mask, axis=0)))), position


def _guesses(start: int, end: int, guess: Guess, cut: Cut) -> list[int]:
    """The true start, then at most one place in each lane, ascending; none if they are too few."""
    edges = [*range(start, end, cut.lane), end]
    if len(edges) <= cut.fewest:
        return []
    found = (guess(low, high) for low, high in pairwise(edges[1:]))
    starts = [start, *(place for place in found if place >= 0)]
    return starts if len(starts) >= cut.fewest else []


def _words(array: U8, order: str) -> U32:
    """The 32-bit number at every byte of a buffer."""
    words: U32 = np.ndarray((len(array) - 3,), order + "u4", buffer=array.data, strides=(1,))
    return words


def pcap_offsets(
    buffer: bytearray, array: U8, start: int, end: int, order: str, cut: Cut = USUAL_CUT
) -> tuple[I64, int, Stop]:
    """`pcap_records` of `buffer[start:end]`, in lanes: the same answer, the offsets as an array.

    `array`: the same bytes, with PADDING behind `end`.
    """
    guess, step = _pcap_guess(buffer, start, end, order), _pcap_step(array, end, order)
    lanes = Lanes(start, end, guess, step, cut)
    parts, position = list[I64](), start
    while True:
        proven, position = lanes.following(position)
        serial, position, stop = pcap_records(buffer, position, end, order, until=lanes.starts)
        parts += [proven, np.array(serial, np.int64)]
        if not serial or position not in lanes.starts:
            return np.concatenate(parts), position, stop


def _pcap_guess(buffer: bytearray, start: int, end: int, order: str) -> Guess:
    """Looks for the upper half of the first record's seconds, with lengths that lead to it again:
    records of the same 18 hours."""
    head = struct.Struct(order + "3I").unpack_from
    within = 2 if order == "<" else 0
    upper = bytes(buffer[start + within : start + within + 2])

    def plausible(position: int) -> bool:
        if position + RECORD_HEADER > end:
            return False
        fraction, caplen, wirelen = head(buffer, position + 4)
        following = position + RECORD_HEADER + caplen + within
        return (
            0 < caplen <= wirelen
            and fraction < 1_000_000_000
            and following + RECORD_HEADER <= end
            and buffer[following : following + 2] == upper
        )

    def guess(low: int, high: int) -> int:
        place = low + within
        for _ in range(MAX_CANDIDATES):
            place = buffer.find(upper, place, high + within + 1)
            if place < 0:
                return -1
            if plausible(place - within):
                return place - within
            place += 1
        return -1

    return guess


def _pcap_step(array: U8, end: int, order: str) -> Step:
    words = _words(array, order)

    def step(position: I64) -> tuple[I64, Bool]:
        caplen = words[position + 8].astype(np.int64)
        following = position + (caplen + RECORD_HEADER)
        return following, (caplen <= MAX_FRAME) & (following <= end)

    return step


def pcapng_lanes(
    buffer: bytearray, array: U8, start: int, end: int, order: str, cut: Cut = USUAL_CUT
) -> Lanes:
    """Lanes over enhanced packet blocks; a lane ends at any block that is something else.

    `order`: of the section that goes on at `start`. `array`: as in `pcap_offsets`.
    """
    guess, step = _block_guess(buffer, start, end, order), _step_over(array, end, order)
    return Lanes(start, end, guess, step, cut)


def _block_guess(buffer: bytearray, start: int, end: int, order: str) -> Guess:
    """Looks for the type of a block whose two lengths agree. Blocks lie at multiples of four."""
    head, tail = struct.Struct(order + "II").unpack_from, struct.Struct(order + "I").unpack_from
    kind = struct.pack(order + "I", EPB)

    def plausible(position: int) -> bool:
        if (position - start) & 3:
            return False
        _, length = head(buffer, position)
        if length < SHORTEST_EPB or length & 3:
            return False
        following = position + length
        return bool(following <= end and tail(buffer, following - 4)[0] == length)

    def guess(low: int, high: int) -> int:
        place = low
        for _ in range(MAX_CANDIDATES):
            place = buffer.find(kind, place, high + 3)
            if place < 0 or plausible(place):
                return place
            place += 1
        return -1

    return guess


def _step_over(array: U8, end: int, order: str) -> Step:
    words = _words(array, order)

    def step(position: I64) -> tuple[I64, Bool]:
        length = words[position + 4].astype(np.int64)
        following = position + length
        whole = (words[position] == np.uint32(EPB)) & (length >= SHORTEST_EPB)
        whole &= (length & 3 == 0) & (length <= MAX_BLOCK) & (following <= end)
        # Of a block that is not whole the end lies anywhere; its own start is read instead.
        tail = np.where(whole, following - 4, position + 4)
        return following, whole & (words[tail] == length)

    return step
