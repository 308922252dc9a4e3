"""Numbers and states of TCP are followed in C as they are in numpy, batch after batch."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.compiled.connections import (
    SEGMENTS,
    Segments,
    Sides,
    Transitions,
    changing,
    skips,
)
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.table import FlowTable
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import TCP, Frame, ethernet, ip, pcap, tcp
from tests.builders.engine import opened, packets_of

pytestmark = needs_library

NUMBERS = (0, 1, 50, 99, 100, 200, 1 << 29, (1 << 30) - 1, 1 << 30, 1 << 31, (1 << 32) - 60)
FLAGS = ("A", "PA", "A", "PA", "S", "SA", "FA", "R", "RA", "F", "", "SF")


def conversation(seed: int, count: int = 200) -> list[Frame]:
    """Segments of two connections: most in order, some with any numbers and flags."""
    random, frames, expected = Random(seed), list[Frame](), dict[tuple[str, int], int]()
    for n in range(count):
        near, far = random.choice((("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1")))
        port = random.choice((40000, 40001))
        ports = (port, 443) if near == "10.0.0.1" else (443, port)
        size, side = random.choice((0, 10, 50)), (near, port)
        seq = expected.get(side, random.choice(NUMBERS))
        if random.random() < 0.3:
            seq = (seq + random.choice((*NUMBERS, -10, -50, 30))) % (1 << 32)
        flags = random.choice(FLAGS if random.random() < 0.3 else FLAGS[:2])
        ack = (expected.get((far, port), 0) + random.choice((0, 0, 0, 20, 1 << 31))) % (1 << 32)
        expected[side] = (seq + size) % (1 << 32)
        segment = tcp(*ports, flags, seq, ack, bytes(size))
        frames.append(Frame(n * 1_000_000, ethernet(ip(near, far, segment, TCP))))
    return frames


def known(frames: list[Frame], block: int) -> tuple[object, ...]:
    """Everything that is known of the connections at the end."""
    table = FlowTable()
    for batch in opened(pcap(frames), block):
        table.add(packets_of(batch, Ledger()))
    flows, gaps = len(table), table.gaps
    sides = (gaps._next, gaps._acked, gaps._known)
    rows = (table.rows.orig_state, table.rows.resp_state, table.rows.seen)
    histories = [table.histories.text[number] for number in table.rows.history[:flows].tolist()]
    return (
        *(column[: 2 * flows].tolist() for column in sides),
        *(column[:flows].tolist() for column in rows),
        *({side: sorted(holes) for side, holes in gaps._holes.items()}, gaps._lost, histories),
    )


@pytest.mark.parametrize("block", [100, 3000, 1 << 16])
@pytest.mark.parametrize("seed", range(40))
def test_connections_are_followed_as_in_numpy(seed: int, block: int) -> None:
    frames = conversation(seed)
    expected = in_numpy(lambda: known(frames, block))
    assert compiled(lambda: known(frames, block)) == expected


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), st.sampled_from(FLAGS),
            st.booleans(), st.integers(0, 60),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_connections_of_any_numbers_are_followed_as_in_numpy(
    segments: list[tuple[int, int, str, bool, int]],
) -> None:
    frames = []
    for n, (seq, ack, flags, back, size) in enumerate(segments):
        ends, ports = ("10.0.0.1", "10.0.0.2"), (40000, 443)
        segment = tcp(*(ports[::-1] if back else ports), flags, seq, ack, bytes(size))
        frames.append(Frame(n, ethernet(ip(*(ends[::-1] if back else ends), segment, TCP))))
    expected = in_numpy(lambda: known(frames, 1 << 16))
    assert compiled(lambda: known(frames, 1 << 16)) == expected


def test_flows_without_room_for_their_sides_are_refused() -> None:
    packets = packets_of(next(iter(opened(pcap(conversation(1, 4))))), Ledger())
    order = np.arange(4)
    segments = Segments(packets, order, np.zeros(4, np.bool_))
    small = Sides(np.zeros(2, np.uint32), np.zeros(2, np.uint32), np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="indexes below 1"):
        skips(segments, order[:1], np.array([5]), 1 << 30, small)
    with pytest.raises(ValueError, match="indexes below 5"):
        changing(segments, np.array([0, 0, 0, 5]), np.zeros(5, np.uint8))
    with pytest.raises(ValueError, match="indexes below 4"):
        Segments(packets, order + 1, np.zeros(4, np.bool_))


def test_columns_with_gaps_are_read_all_the_same() -> None:
    frames = conversation(3)
    packets = packets_of(next(iter(opened(pcap(frames)))), Ledger())
    columns = {name: np.repeat(getattr(packets, name), 2)[::2] for name in SEGMENTS}
    flow, order = np.zeros(len(packets), np.int64), np.arange(len(packets))
    by_orig = np.zeros(len(packets), np.bool_)
    found = [
        changing(Segments(given, order, by_orig), flow, np.zeros(1, np.uint8))
        for given in (packets, replace(packets, **columns))
    ]
    assert found[0][0].tolist() == found[1][0].tolist()


def test_a_case_is_asked_for_once_and_remembered() -> None:
    asked: list[tuple[int, int]] = []

    def after(state: int, event: int) -> int:
        asked.append((state, event))
        return state + 1 if state % 8 < 7 else state

    known = Transitions()
    states = np.zeros(2, np.uint8), np.zeros(2, np.uint8), np.zeros(2, np.int32)
    flow, what = np.array([0, 1, 0, 1, 0]), np.array([5, 5, 5, 9, 9])
    known.apply(after, flow, what, *states)
    assert asked == [(0, 5), (1, 5), (1, 9), (2, 9)]
    assert [column.tolist() for column in states] == [[3, 2], [0, 0], [0, 0]]
    for column in states:
        column[:] = 0
    known.apply(after, flow[:1], what[:1], *states)
    assert len(asked) == 4
