"""Runs of frame blocks are the same whichever engine finds them."""

import io
import struct

import pytest

from egress_audit.capture.block_runs import PASSED_OVER, BlockRuns, RunFrom
from egress_audit.capture.window import Window
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import block


def frame_block(size: int, order: str = "<") -> bytes:
    """An enhanced packet block of interface 0."""
    return block(6, struct.pack(order + "5I", 0, 0, 0, size, size) + bytes(size), order)


OTHER = block(5, struct.pack("<III", 0, 0, 1), "<")
FRAMES = frame_block(60) * 30_000
"""Of more bytes than fewer lanes than are worth walking."""


def from_start(data: bytes) -> tuple[Window, RunFrom]:
    window = Window(io.BytesIO(data))
    return window, BlockRuns().of(window, 0, "<")


@needs_library
def test_a_run_ends_where_another_block_stands() -> None:
    _, run_from = compiled(lambda: from_start(FRAMES + OTHER + FRAMES))
    run, reached = run_from(0, "<")
    assert (len(run), reached) == (30_000, len(FRAMES))
    behind = len(FRAMES) + len(OTHER)
    assert run_from(behind, "<")[0][0] == behind


def test_in_lanes_it_ends_there_or_before() -> None:
    _, run_from = in_numpy(lambda: from_start(FRAMES + OTHER + FRAMES))
    run, reached = run_from(0, "<")
    assert len(run)
    assert reached == len(run) * len(frame_block(60)) <= len(FRAMES)


@pytest.mark.parametrize("make", [in_numpy, pytest.param(compiled, marks=needs_library)])
def test_no_run_begins_at_another_block(make: object) -> None:
    assert callable(make)
    _, run_from = make(lambda: from_start(OTHER + FRAMES))
    run, reached = run_from(0, "<")
    assert (len(run), reached) == (0, 0)


@pytest.mark.parametrize("make", [in_numpy, pytest.param(compiled, marks=needs_library)])
def test_none_does_in_the_other_byte_order(make: object) -> None:
    assert callable(make)
    _, run_from = make(lambda: from_start(FRAMES))
    run, reached = run_from(0, ">")
    assert (len(run), reached) == (0, 0)


@needs_library
def test_a_run_is_looked_for_again_once_some_blocks_have_gone_by() -> None:
    _, run_from = compiled(lambda: from_start(OTHER + FRAMES))
    assert not len(run_from(0, "<")[0])
    waiting = [len(run_from(len(OTHER), "<")[0]) for _ in range(PASSED_OVER + 1)]
    assert waiting == [0] * PASSED_OVER + [30_000]
