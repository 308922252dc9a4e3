"""A stream is put together from segments in any order; contradictions keep both readings."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.flows.assembly import LIMIT, Assembly
from tests.builders.work import steps_of

WORDS = b"the quick brown fox jumps over the lazy dog"


def assembled(*segments: tuple[int, bytes], origin: int = 0, known: bool = True) -> Assembly:
    """An assembly that took segments of (sequence number, bytes)."""
    made = Assembly(origin, known)
    for sequence, data in segments:
        made.add(sequence % (1 << 32), data)
    return made


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 42), st.integers(1, 20)), max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from((0, 1000, (1 << 32) - 20)),
)
def test_any_order_overlap_and_repetition_gives_the_same_stream(
    cuts: list[tuple[int, int]], order: random.Random, origin: int
) -> None:
    pieces = [(at, WORDS[at : at + 7]) for at in range(0, len(WORDS), 7)]
    pieces += [(at, WORDS[at : at + length]) for at, length in cuts]
    order.shuffle(pieces)
    made = assembled(*((origin + at, data) for at, data in pieces), origin=origin)
    assert (made.stream, made.other, made.has_hole) == (WORDS, b"", False)


@settings(max_examples=100)
@given(st.permutations(range(7)))
def test_without_a_syn_the_lowest_number_seen_is_the_beginning(order: list[int]) -> None:
    pieces = [(at * 7, WORDS[at * 7 : at * 7 + 7]) for at in order]
    made = assembled(*pieces, origin=pieces[0][0], known=False)
    assert (made.stream, made.other) == (WORDS, b"")


def test_a_hole_holds_up_what_is_behind_it() -> None:
    made = assembled((0, b"the"), (9, b" brown"))
    assert (made.stream, made.has_hole) == (b"the", True)


def test_a_hole_that_is_filled_holds_up_nothing() -> None:
    made = assembled((0, b"the"), (9, b" brown"), (3, b" quick"))
    assert (made.stream, made.has_hole) == (b"the quick brown", False)


def test_segments_that_contradict_keep_both_readings() -> None:
    made = assembled((0, b"good.example"), (0, b"evil.example"))
    assert (made.stream, made.other) == (b"good.example", b"evil.example")


def test_a_contradiction_behind_a_hole_shows_once_the_hole_is_filled() -> None:
    made = assembled((4, b"good"), (4, b"evil"))
    assert (made.stream, made.other) == (b"", b"")
    assert made.add(0, b"host")
    assert (made.stream, made.other) == (b"hostgood", b"hostevil")


def test_a_repetition_that_agrees_adds_nothing() -> None:
    made = assembled((0, b"the quick"))
    assert not made.add(4, b"quick")
    assert made.other == b""


@pytest.mark.parametrize("early", [0, 2])
def test_what_comes_again_costs_no_more_steps_however_long_it_is(early: int) -> None:
    def work(size: int) -> int:
        made = assembled((5, bytes(size)))
        return steps_of(lambda: made.add(5 - early, bytes(size)))

    assert work(10) == work(10_000)


def test_of_bytes_sent_again_in_part_those_that_are_there_stay() -> None:
    made = assembled((2, b"cde"), (7, b"hi"))
    assert made.add(0, b"ABCDEFGHIJ")
    assert (made.stream, made.other) == (b"ABcdeFGhiJ", b"ABCDEFGHIJ")


def test_growth_is_told() -> None:
    made = assembled((0, b"the"))
    assert made.add(3, b" quick")
    assert not made.add(20, b"far")


def test_bytes_before_the_syn_are_no_part_of_the_stream() -> None:
    made = assembled((-3, b"xyzthe"))
    assert made.stream == b"the"


def test_a_keep_alive_is_no_part_of_the_stream() -> None:
    made = assembled((-1, b"\0"), (0, b"the"))
    assert made.stream == b"the"


def test_no_more_is_kept_than_the_limit() -> None:
    made = assembled(*((at, bytes(1400)) for at in range(0, 4 * LIMIT, 1400)))
    assert len(made.stream) == LIMIT
    assert not made.add(LIMIT, b"more")


@pytest.mark.parametrize("known", [False, True])
def test_what_is_held_is_bounded_however_often_it_is_sent(known: bool) -> None:
    made = assembled(*((at % LIMIT, bytes(1400)) for at in range(0, 999_000, 999)), known=known)
    assert made.size <= 4 * LIMIT


def test_a_stream_that_begins_again_and_again_lower_is_bounded() -> None:
    made = assembled(*((-at, b"x") for at in range(0, 400_000, 1000)), known=False)
    assert made.size <= 4 * LIMIT


def test_a_contradiction_is_remembered_though_the_first_reading_comes_again() -> None:
    made = assembled((0, b"abc"), (0, b"xyz"), (0, b"abc"))
    assert (made.stream, made.other, made.contradicted) == (b"abc", b"", True)


def test_agreement_is_no_contradiction() -> None:
    assert not assembled((0, b"abc"), (1, b"bcd"), (0, b"ab")).contradicted
