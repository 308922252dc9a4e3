"""Walks of records by walk.c: where they begin, and of pcap what their headers say. HOT PATH."""

from typing import NamedTuple

import numpy as np

from egress_audit.columns import I64, U8
from egress_audit.compiled.library import address, addresses, function

NEEDS_MORE, DAMAGE, NO_ROOM = range(3)
"""Why a walk ended: the next record is not whole, cannot be true, or was not looked at."""
ROOM = 1 << 16
"""Records of one call: their columns take 2 MB, whatever the buffer holds."""


class Records(NamedTuple):
    """Whole records, one row each, as FrameBatch has them, but for the length on the wire: that is
    the stated one."""

    offset: I64
    caplen: I64
    wirelen: I64
    ts_ns: I64


class Rules(NamedTuple):
    """How the records of a pcap file are read."""

    swapped: bool
    """The file's byte order is not this machine's."""
    longest: int
    """Captured bytes that are believed of one frame."""
    fraction_ns: int
    """Nanoseconds of one unit of the fraction."""


class PcapWalk:
    """The walk over one file, with columns of its own that each call fills anew."""

    def __init__(self, rules: Rules, room: int = ROOM) -> None:
        """room: records of one call into C."""
        self._rules, self._room = rules, room
        self._columns = [np.empty(room, np.int64) for _ in Records._fields]
        self._out = addresses([(column, np.int64) for column in self._columns], room)
        self._reached = np.empty(2, np.uint64)

    def records(self, array: U8, start: int, end: int) -> tuple[Records, int, int]:
        """The whole records in `array[start:end]`, the offset after them, and why the walk ended,
        which is never NO_ROOM."""
        _within(array, start, end)
        found, start, why = self._some(array, start, end)
        if why != NO_ROOM:
            return found, start, why
        parts = [found]
        while why == NO_ROOM:
            found, start, why = self._some(array, start, end)
            parts.append(found)
        return Records(*map(np.concatenate, zip(*parts, strict=True))), start, why

    def _some(self, array: U8, start: int, end: int) -> tuple[Records, int, int]:
        """The same, of as many records as there is room for."""
        walk, rules = function("pcap_records", "pnnnnnnpp"), self._rules
        buffer, out = (
            address(array, np.uint8, end),
            address(self._out, np.uint64, len(Records._fields)),
        )
        how = rules.swapped, rules.longest, rules.fraction_ns
        ended = address(self._reached, np.uint64, 2)
        count = walk(buffer, start, end, *how, self._room, out, ended)
        position, why = self._reached.tolist()
        return Records(*(column[:count].copy() for column in self._columns)), position, why


class BlockWalk:
    """The walk over frame blocks of one file, with a column of its own, filled anew each time."""

    def __init__(self, longest: int, room: int = ROOM) -> None:
        """longest: bytes that are believed of a block; room: blocks found by one call."""
        self._longest, self._room = longest, room
        self._position = np.empty(room, np.int64)
        self._reached = np.empty(2, np.uint64)

    def run(self, array: U8, start: int, end: int, swapped: bool) -> tuple[I64, int]:
        """Positions of the sound enhanced packet blocks that follow each other from `start` on, as
        many as there is room for, and where the last of them ends; `start` if there is none."""
        _within(array, start, end)
        walk = function("epb_run", "pnnnnnpp")
        out = address(self._position, np.int64, self._room)
        ended = address(self._reached, np.uint64, 2)
        buffer = address(array, np.uint8, end)
        count = walk(buffer, start, end, swapped, self._longest, self._room, out, ended)
        return self._position[:count].copy(), int(self._reached[0])


def _within(array: U8, start: int, end: int) -> None:
    if not 0 <= start <= end <= len(array):
        raise ValueError(f"{start} to {end} does not lie in {len(array)} bytes")
