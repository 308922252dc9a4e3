"""Runs of pcapng's frame blocks, by the compiled walk or by the one in lanes. HOT PATH."""

import sys
from collections.abc import Callable

import numpy as np

from egress_audit.capture.lanes import pcapng_lanes
from egress_audit.capture.pcapng_blocks import MAX_BLOCK
from egress_audit.capture.window import Window
from egress_audit.columns import I64
from egress_audit.compiled import library
from egress_audit.compiled.records import BlockWalk

NATIVE = "<" if sys.byteorder == "little" else ">"
NO_BLOCKS = np.empty(0, np.int64)

RunFrom = Callable[[int, str], tuple[I64, int]]
"""Where a block begins, and the byte order of its section → sound enhanced packet blocks that
follow each other from there on, and where the last of them ends. There may be more behind them."""


def runs_of(window: Window, start: int, order: str) -> RunFrom:
    """What finds runs of blocks in a window. order: of the section that goes on at `start`."""
    array, end = window.array, window.end
    if library.is_in_use():
        walk = BlockWalk(MAX_BLOCK)

        def compiled(position: int, order: str) -> tuple[I64, int]:
            return walk.run(array, position, end, order != NATIVE)

        return compiled
    lanes = pcapng_lanes(window.buffer, array, start, end, order)

    def proven(position: int, now: str) -> tuple[I64, int]:
        if position not in lanes.starts or now != order:
            return NO_BLOCKS, position
        return lanes.following(position)

    return proven
