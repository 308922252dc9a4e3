"""A message in pieces reads the same in any order, and never costs more than its bounds."""

import random

from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.pieces import MAX_GAPS, Pieces

MESSAGE = bytes(range(256)) * 4


def put(*pieces: tuple[int, bytes], limit: int = 2000) -> Pieces:
    held = Pieces(limit)
    for offset, piece in pieces:
        held.add(offset, piece)
    return held


@given(
    st.lists(st.tuples(st.integers(0, 1023), st.integers(1, 300)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_overlap_gives_the_message(
    extra: list[tuple[int, int]], order: random.Random
) -> None:
    cuts = [(at, 100) for at in range(0, 1024, 100)] + extra
    order.shuffle(cuts)
    held = put(*((at, MESSAGE[at : at + size]) for at, size in cuts))
    assert held.readings == (MESSAGE,)
    assert not (held.contradicted or held.has_hole or held.overflowed)


def test_bytes_behind_a_gap_are_not_read() -> None:
    held = put((0, b"ab"), (3, b"d"))
    assert (held.readings, held.has_hole) == ((b"ab",), True)


def test_without_its_first_byte_nothing_is_read() -> None:
    assert put((1, b"b")).readings == (b"",)


def test_contradicting_pieces_give_both_readings() -> None:
    held = put((0, b"good"), (2, b"xyz!"), (6, b"."))
    assert (held.readings, held.contradicted) == ((b"goodz!.", b"goxyz!."), True)


def test_a_piece_that_repeats_contradicts_nothing() -> None:
    assert not put((0, b"good"), (0, b"good"), (1, b"oo")).contradicted


def test_a_piece_beyond_the_limit_is_left_out() -> None:
    held = put((1 << 62, b"x"), (1999, b"xy"))
    assert (held.overflowed, held.held) == (True, 0)


def test_an_empty_piece_adds_nothing() -> None:
    assert put((5, b"")).readings == (b"",)


def test_gaps_are_bounded() -> None:
    full = [(at * 2, b"x") for at in range(MAX_GAPS)]
    assert not put(*full).overflowed
    assert put(*full, (1990, b"x")).overflowed


def test_a_piece_that_closes_a_gap_is_always_taken() -> None:
    full = [(at * 2, b"x") for at in range(MAX_GAPS)]
    held = put(*full, (1, b"y"))
    assert (held.readings, held.overflowed) == ((b"xyx",), False)
