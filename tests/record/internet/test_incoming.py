"""Bytes come out once and in order, whatever the network did to the segments."""

from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.incoming import MAX_EARLY, MAX_HELD, WINDOW, Held, Incoming

TEXT = bytes(range(100))
NEAR_THE_END = 0xFFFF_FFF0


def incoming(first: int = 0) -> Incoming:
    """A stream of which nothing has come."""
    return Incoming(first, Held())


def test_bytes_in_order_are_taken() -> None:
    stream = incoming()
    assert stream.take(0, b"ab") == b"ab"
    assert stream.take(2, b"c") == b"c"
    assert stream.next == 3


def test_numbers_go_round() -> None:
    stream = incoming(0xFFFF_FFFF)
    assert stream.take(0xFFFF_FFFF, b"ab") == b"ab"
    assert stream.next == 1
    assert stream.take(1, b"c") == b"c"


def test_a_duplicate_brings_nothing() -> None:
    stream = incoming()
    stream.take(0, b"abc")
    assert stream.take(0, b"abc") == b""
    assert stream.take(1, b"b") == b""


def test_of_an_overlap_only_what_is_new_is_taken() -> None:
    stream = incoming()
    stream.take(0, b"abc")
    assert stream.take(1, b"bcde") == b"de"


def test_an_early_segment_waits_for_the_one_before() -> None:
    stream = incoming()
    assert stream.take(2, b"c") == b""
    assert stream.take(1, b"bc") == b""
    assert stream.take(0, b"a") == b"abc"


def test_the_longer_of_two_early_segments_is_kept() -> None:
    stream = incoming()
    stream.take(1, b"bc")
    stream.take(1, b"b")
    assert stream.take(0, b"a") == b"abc"


def test_what_lies_beyond_the_window_is_dropped() -> None:
    stream = incoming()
    stream.take(WINDOW, b"x")
    assert stream.take(0, bytes(WINDOW)) == bytes(WINDOW)
    assert stream.next == WINDOW


def test_early_segments_are_bounded_in_number() -> None:
    held = Held()
    stream = Incoming(0, held)
    for number in range(MAX_EARLY + 5):
        stream.take(2 + 2 * number, b"x")
    assert held.size == MAX_EARLY


def test_early_bytes_are_bounded_in_all_connections_together() -> None:
    held = Held()
    held.size = MAX_HELD - 1
    stream = Incoming(0, held)
    stream.take(1, b"bc")
    stream.take(1, b"b")
    assert held.size == MAX_HELD
    assert stream.take(0, b"a") == b"ab"


def test_a_connection_that_is_over_holds_nothing() -> None:
    held = Held()
    stream = Incoming(0, held)
    stream.take(5, b"hello")
    stream.drop()
    assert held.size == 0


@given(st.data(), st.sampled_from([0, NEAR_THE_END]))
def test_any_order_and_any_repetition_give_the_same_bytes(data: st.DataObject, first: int) -> None:
    held = Held()
    stream, heard = Incoming(first, held), b""
    places = st.integers(0, len(TEXT) - 1)
    for at in data.draw(st.lists(places, max_size=30)) + list(range(0, len(TEXT), 7)):
        size = data.draw(st.integers(7, 20))
        heard += stream.take(first + at & 0xFFFF_FFFF, TEXT[at : at + size])
    assert heard == TEXT
    assert held.size == 0
