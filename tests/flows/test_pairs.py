"""Segments that follow each other are put together, whichever others lie in between."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.columns import PacketBatch
from egress_audit.flows import pairs
from egress_audit.flows.pairs import LONGEST, joined, pairs_of
from tests.builders.beginnings import beginning_with
from tests.builders.both_engines import compiled, in_numpy, needs_library

SYN, ACK = 0x02, 0x10


def segments(*sent: tuple[int, bytes], flags: int = ACK) -> PacketBatch:
    """Segments, each with its sequence number."""
    packets = beginning_with([payload for _, payload in sent])
    numbers = np.array([number % (1 << 32) for number, _ in sent], np.uint32)
    return replace(packets, tcp_seq=numbers, tcp_flags=np.full(len(sent), flags, np.uint8))


def found(packets: PacketBatch, side: list[int], first: list[int]) -> list[tuple[int, int]]:
    """The pairs of some first rows."""
    rows = np.arange(len(packets))
    one, other = pairs_of(packets, np.array(side), np.array(first, np.int64), rows)
    return [*zip(one.tolist(), other.tolist(), strict=True)]


def test_a_segment_and_the_next_one_of_its_side_are_a_pair() -> None:
    packets = segments((7, b"ab"), (50, b"xyz"), (9, b"cd"), (11, b"e"), (53, b"!"))
    assert found(packets, [3, 1, 3, 3, 1], [0, 1]) == [(0, 2), (1, 4)]


def test_sides_of_which_nothing_else_is_there_have_no_pair() -> None:
    packets = segments((7, b"ab"), (9, b"cd"), (50, b"x"))
    assert found(packets, [5, 9, 1], [0, 1, 2]) == []
    assert found(packets, [5, 5, 5], []) == []


@pytest.mark.parametrize("number", [7, 8, 10, 8 - (1 << 31)])
def test_the_next_one_goes_on_right_there_or_there_is_no_pair(number: int) -> None:
    packets = segments((7, b"ab"), (number, b"cd"), (9, b"cd"))
    assert found(packets, [3, 3, 3], [0]) == []


def test_numbers_come_round() -> None:
    assert found(segments((-2, b"abc"), (1, b"d")), [0, 0], [0]) == [(0, 1)]


def test_a_syn_counts() -> None:
    packets = segments((7, b"ab"), (10, b"cd"))
    flags = np.array([SYN, ACK], np.uint8)
    assert found(replace(packets, tcp_flags=flags), [0, 0], [0]) == [(0, 1)]


def test_of_a_pair_everything_was_captured() -> None:
    packets = segments((7, b"ab"), (9, b"cd"))
    cut = replace(packets, payload_len=packets.payload_len + np.array([0, 1]))
    assert found(cut, [0, 0], [0]) == []


@pytest.mark.parametrize("sizes", [(LONGEST + 1, 1), (1, LONGEST + 1)])
def test_long_segments_are_no_pair(sizes: tuple[int, int]) -> None:
    packets = segments((0, bytes(sizes[0])), (sizes[0], bytes(sizes[1])))
    assert found(packets, [0, 0], [0]) == []


def test_there_are_so_many_pairs_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST", 1)
    packets = segments((1, b"a"), (1, b"a"), (2, b"b"), (2, b"b"))
    assert found(packets, [0, 1, 0, 1], [0, 1]) == [(0, 2)]


def test_a_pair_is_the_second_segment_with_the_payload_of_both() -> None:
    packets = segments((7, b"ab"), (50, b"xyz"), (9, b"c"), (53, b"!?"))
    both = joined(packets, np.array([1, 0]), np.array([3, 2]))
    assert both.frame.tolist() == packets.frame[[3, 2]].tolist()
    assert both.ts_ns.tolist() == packets.ts_ns[[3, 2]].tolist()
    assert both.buffer.tobytes() == b"xyz!?abc"
    assert (both.payload.tolist(), both.payload_cap.tolist()) == ([0, 5], [5, 3])
    assert both.payload_len.tolist() == both.payload_cap.tolist()


def test_no_pairs_make_no_packets() -> None:
    none = np.arange(0)
    assert len(joined(segments((7, b"ab")), none, none)) == 0


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.binary(max_size=2)), min_size=1),
    st.sets(st.integers(0, 4)),
)
def test_pairs_are_those_that_a_loop_finds(
    sent: list[tuple[int, int, bytes]], sides: set[int]
) -> None:
    packets = segments(*((number, payload) for _, number, payload in sent))
    of = [side for side, _, _ in sent]
    first = sorted(of.index(side) for side in sides if side in of)
    expected = set()
    for row in first:
        later = [other for other in range(row + 1, len(sent)) if of[other] == of[row]]
        if later and sent[later[0]][1] == sent[row][1] + len(sent[row][2]):
            expected.add((row, later[0]))
    assert {*found(packets, of, first)} == expected


@needs_library
def test_both_engines_put_the_same_together() -> None:
    packets = segments((7, b"ab"), (9, b"cd"))
    rows = np.array([0]), np.array([1])
    expected = in_numpy(lambda: joined(packets, *rows)).buffer.tobytes()
    assert compiled(lambda: joined(packets, *rows)).buffer.tobytes() == expected == b"abcd"
