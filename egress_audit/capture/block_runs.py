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

SHORT_RUN, PASSED_OVER = 16, 64
"""A call into C costs as much as some blocks do one at a time: after a run of fewer blocks than the
first, as many blocks as the second go by without one."""

RunFrom = Callable[[int, str], tuple[I64, int]]
"""Where a block begins, and the byte order of its section → sound enhanced packet blocks that
follow each other from there on, and where the last of them ends. There may be more behind them."""


class BlockRuns:
    """Finds runs of frame blocks in the windows of one file."""

    def __init__(self) -> None:
        self._walk = BlockWalk(MAX_BLOCK) if library.is_in_use() else None

    def of(self, window: Window, start: int, order: str) -> RunFrom:
        """What finds the runs in a window. order: of the section that goes on at `start`."""
        if self._walk is not None:
            return _compiled(self._walk, window)
        return _in_lanes(window, start, order)


def _compiled(walk: BlockWalk, window: Window) -> RunFrom:
    array, end, passed_over = window.array, window.end, 0

    def run_from(position: int, order: str) -> tuple[I64, int]:
        nonlocal passed_over
        if passed_over:
            passed_over -= 1
            return NO_BLOCKS, position
        run, reached = walk.run(array, position, end, order != NATIVE)
        if len(run) < SHORT_RUN:
            passed_over = PASSED_OVER
        return run, reached

    return run_from


def _in_lanes(window: Window, start: int, order: str) -> RunFrom:
    lanes = pcapng_lanes(window.buffer, window.array, start, window.end, order)

    def run_from(position: int, now: str) -> tuple[I64, int]:
        if position not in lanes.starts or now != order:
            return NO_BLOCKS, position
        return lanes.following(position)

    return run_from
