"""The segments that are looked at for names are in C those that numpy finds."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.compiled import segments
from egress_audit.flows.assembly import MAX_PRINT
from egress_audit.flows.origins import Origins
from egress_audit.flows.second_readings import SecondReadings
from egress_audit.flows.segments import NEW, SATED, rows_of_segments
from egress_audit.flows.table import Assigned
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import tcp
from tests.compiled.test_datagrams import batch as datagrams
from tests.flows.test_segments import packets_in

pytestmark = needs_library

SIDES = 12
FLAGS = ("A", "PA", "S", "SA", "FA", "R", "RA", "SR", "")
NUMBERS = (0, 1, 99, 100, 100 + MAX_PRINT - 1, 100 + MAX_PRINT, 1 << 31, (1 << 32) - 1)


def some_segments(seed: int) -> PacketBatch:
    """Segments with any flags and some numbers, many of them empty."""
    random = np.random.default_rng(seed)
    wires = [
        tcp(40000, 443, FLAGS[flags], NUMBERS[number], 0, bytes(size))
        for flags, number, size in zip(
            random.integers(0, len(FLAGS), 150).tolist(),
            random.integers(0, len(NUMBERS), 150).tolist(),
            (random.integers(0, 4, 150) * 7).tolist(),
            strict=True,
        )
    ]
    return packets_in(*wires)


def some_flows(seed: int, count: int) -> Assigned:
    random = np.random.default_rng(seed)
    flow = random.integers(-1, SIDES // 2, count)
    return Assigned(flow, random.integers(0, 2, count).astype(np.bool_))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("batch", [some_segments, datagrams], ids=["TCP", "UDP"])
def test_rows_are_those_of_numpy(batch: Callable[[int], PacketBatch], seed: int) -> None:
    packets = batch(seed)
    assigned = some_flows(seed, len(packets))
    stage = np.random.default_rng(seed).integers(NEW, SATED + 1, SIDES).astype(np.uint8)
    found = compiled(lambda: rows_of_segments(packets, assigned, stage))
    expected = in_numpy(lambda: rows_of_segments(packets, assigned, stage))
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]


def test_the_stages_of_sides_are_left_as_they_are() -> None:
    packets = some_segments(1)
    stage = np.random.default_rng(1).integers(NEW, SATED + 1, SIDES).astype(np.uint8)
    before = stage.tolist()
    assert len(rows_of_segments(packets, some_flows(1, len(packets)), stage).first)
    assert stage.tolist() == before


@pytest.mark.parametrize("seed", range(20))
def test_segments_near_the_beginning_are_those_of_numpy(seed: int) -> None:
    packets, random = some_segments(seed), np.random.default_rng(seed)
    rows = rows_of_segments(packets, some_flows(seed, len(packets)), np.zeros(SIDES, np.uint8))
    second = SecondReadings()
    for side in range(0, SIDES, 2):
        second.keep(side, NUMBERS[int(random.integers(len(NUMBERS)))], b"hello")
    second.contradict(4)
    found = compiled(lambda: second._near(packets, rows.side, rows.payload))
    expected = in_numpy(lambda: second._near(packets, rows.side, rows.payload))
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]
    assert [column.dtype for column in found] == [column.dtype for column in expected]


@pytest.mark.parametrize("seed", range(30))
def test_streams_begin_where_they_do_in_numpy(seed: int) -> None:
    packets, fast, plain = some_segments(seed), Origins(), Origins()
    for begun in range(3):
        fast.begin(begun, 100)
        plain.begin(begun, 100)
    for batch in range(2):
        assigned = some_flows(seed + batch, len(packets))
        side, _, hungry, _, syn = rows_of_segments(packets, assigned, np.zeros(SIDES, np.uint8))
        found = compiled(partial(fast.note, packets, side, syn, hungry))
        assert found == in_numpy(partial(plain.note, packets, side, syn, hungry))
        assert fast._origin.tolist() == plain._origin.tolist()
        assert fast._from.tolist() == plain._from.tolist()


def test_sides_that_are_not_kept_have_no_origin() -> None:
    packets = packets_in(tcp(40000, 443, "S", 0, 0, b"x"))
    rows, known = np.array([0]), (np.zeros(2, np.uint32), np.zeros(2, np.uint8))
    for side in (2, -1):
        with pytest.raises(ValueError, match="indexes below 2"):
            segments.note_syns(packets, np.array([side]), rows, rows[:0], known, 9)
    for syn, payload in ((rows + 1, rows), (rows, rows + 1)):
        with pytest.raises(ValueError, match="indexes below 1"):
            segments.note_syns(packets, np.array([0]), syn, payload, known, 9)


def test_packets_of_sides_that_are_not_kept_are_left_out() -> None:
    packets, count = packets_in(tcp(40000, 443, "A", 0, 0, b"x")), 1
    flow, by_orig = np.array([7]), np.zeros(count, np.bool_)
    stage = np.zeros(14, np.uint8)
    side, *rows = segments.rows_of_segments(packets, flow, by_orig, stage)
    assert (side.tolist(), [len(some) for some in rows]) == ([14], [0] * 4)
    begun = np.ones(14, np.bool_), np.zeros(14, np.bool_), np.zeros(14, np.uint32)
    assert not len(segments.near_beginnings(packets, side, np.array([0]), begun, 9)[0])


def test_columns_of_too_few_rows_are_refused() -> None:
    packets = packets_in(tcp(40000, 443, "A", 0, 0, b"x"))
    flow, by_orig, stage = np.array([0]), np.zeros(1, np.bool_), np.zeros(2, np.uint8)
    with pytest.raises(ValueError, match="no column"):
        segments.rows_of_segments(packets, flow[:0], by_orig, stage)
    with pytest.raises(ValueError, match="no column"):
        segments.rows_of_segments(packets, flow, by_orig[:0], stage)
    begun = np.ones(2, np.bool_), np.zeros(2, np.bool_), np.zeros(1, np.uint32)
    with pytest.raises(ValueError, match="no column"):
        segments.near_beginnings(packets, flow, np.array([0]), begun, 9)
    with pytest.raises(ValueError, match="indexes"):
        segments.near_beginnings(packets, flow, np.array([1]), begun, 9)
