"""Where the next message of a stream begins: at a counted place, or where it looks like one."""

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows import following
from egress_audit.flows.following import Following
from egress_audit.flows.segments import signed
from tests.builders.captures import TCP, Frame, client_hello, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

HELLO = client_hello("example.com")


def packets(*segments: tuple[int, bytes]) -> PacketBatch:
    """Segments with these sequence numbers and payloads."""
    frames = [
        Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", tcp(40000, 80, "PA", seq, 1, data), TCP)))
        for seq, data in segments
    ]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def origins(place: int, *segments: tuple[int, bytes]) -> list[int | None]:
    """Where a message begins in each segment of a side that is followed from a place."""
    kept = Following()
    assert kept.keep(4, place, len)
    made = packets(*segments)
    return [kept.origin(made, row, 4) for row in range(len(segments))]


def candidates(place: int, *segments: tuple[int, bytes]) -> list[int]:
    kept = Following()
    kept.keep(4, place, len)
    made = packets(*segments)
    side, rows = np.full(len(segments), 4), np.arange(len(segments))
    return [int(row) for row in kept.candidates(made, side, rows)]


def test_a_message_begins_at_its_place_whatever_stands_there() -> None:
    assert origins(100, (100, b"abc"), (98, b"abc")) == [100, 100]


def test_a_body_that_goes_on_is_passed_over() -> None:
    assert origins(100, (50, b"GET / x"), (97, b"abc")) == [None, None]
    assert candidates(100, (50, b"GET / x"), (97, b"abc"), (98, b"abc")) == [2]


def test_a_segment_behind_the_place_makes_it_wait_for_what_is_missing() -> None:
    assert origins(100, (150, b"abc")) == [100]


def test_the_numbers_may_come_round() -> None:
    assert origins(5, ((1 << 32) - 3, b"0123456789")) == [5]
    assert candidates((1 << 32) - 3, (1, b"abc")) == [0]


def test_far_behind_its_place_a_message_is_known_by_how_it_begins() -> None:
    far = 3 << 29
    begun = [(far, b"GET / "), (far, b"data"), (far, b"\x14\x03\x03\0\1\1" + HELLO)]
    assert origins(100, *begun) == [far, None, far + 6]


def test_a_side_is_followed_until_it_is_taken() -> None:
    kept = Following()
    kept.keep(4, 100, len)
    assert 4 in kept
    assert kept.taken(4) is len
    assert 4 not in kept


def test_no_more_streams_are_followed_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "MAX_FOLLOWED", 1)
    kept = Following()
    assert [kept.keep(1, 0, len), kept.keep(2, 0, len), kept.keep(1, 5, len)] == [True, False, True]


def test_there_is_room_for_sides_of_any_number() -> None:
    kept = Following()
    kept.keep(1, 0, len)
    kept.grow(100_000)
    made = packets((0, b"abc"), (0, b"abc"))
    assert kept.candidates(made, np.array([1, 99_999]), np.arange(2)).tolist() == [0]


def test_the_rows_of_some_sides_are_found_again_and_again() -> None:
    kept, side = Following(), np.array([4, 5, 6, 4])
    assert kept.rows_of({4, 6}, side, np.arange(1, 4)).tolist() == [2, 3]
    assert kept.rows_of({5}, side, np.arange(4)).tolist() == [1]


def test_distances_are_signed() -> None:
    assert [signed(5), signed(-5), signed((1 << 32) - 5)] == [5, -5, -5]
