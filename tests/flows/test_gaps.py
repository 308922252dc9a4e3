"""Payload that was acknowledged and is not in the capture is missed; nothing else is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.flows import gaps
from egress_audit.flows.gaps import acknowledged, without
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import run

NEAR, FAR = ("10.0.0.2", 40000), ("192.0.2.1", 443)
WRAPPING = (1 << 32) - 150
ISN = 5_000


def sent(seq: int, length: int, flags: str = "PA", ack: int = 901) -> Frame:
    """A segment from us."""
    segment = tcp(NEAR[1], FAR[1], flags, seq % (1 << 32), ack, bytes(length))
    return Frame(0, ethernet(ipv4(NEAR[0], FAR[0], segment, TCP)))


def told(ack: int, flags: str = "A", seq: int = 901) -> Frame:
    """An acknowledgement from the other side."""
    segment = tcp(FAR[1], NEAR[1], flags, seq, ack % (1 << 32))
    return Frame(0, ethernet(ipv4(FAR[0], NEAR[0], segment, TCP)))


def opening(isn: int = ISN) -> list[Frame]:
    """SYN, SYN+ACK, ACK; our first byte is `isn` + 1."""
    return [sent(isn, 0, "S", 0), told(isn + 1, "SA", 900), sent(isn + 1, 0, "A")]


def missed(frames: list[Frame], block: int = 1 << 16) -> int:
    """Missed bytes of the one flow in the frames."""
    (found,) = run(pcap(frames), block, keep=False).flows.missed_bytes.tolist()
    return int(found)


@pytest.mark.parametrize("block", [100, 1 << 16])
@pytest.mark.parametrize("isn", [ISN, WRAPPING])
class TestWhateverTheNumbersAndTheBatches:
    """Each fact holds when the numbers wrap round 2^32, and when every packet is a batch."""

    def test_a_lost_segment_that_was_acknowledged_is_missed(self, isn: int, block: int) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first, 100), sent(first + 200, 100), told(first + 300)]
        assert missed(frames, block) == 100

    def test_a_lost_segment_that_nobody_acknowledged_is_not_missed(
        self, isn: int, block: int
    ) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first, 100), sent(first + 200, 100), told(first + 100)]
        assert missed(frames, block) == 0

    def test_of_a_hole_only_the_acknowledged_part_is_missed(self, isn: int, block: int) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first, 100), sent(first + 300, 100), told(first + 150)]
        assert missed(frames, block) == 50

    def test_segments_out_of_order_are_not_missed(self, isn: int, block: int) -> None:
        first = isn + 1
        order = (0, 200, 300, 100, 400)
        frames = [*opening(isn), *(sent(first + at, 100) for at in order), told(first + 500)]
        assert missed(frames, block) == 0

    def test_segments_sent_twice_are_not_missed(self, isn: int, block: int) -> None:
        first = isn + 1
        order = (0, 0, 100, 50, 100, 200)
        frames = [*opening(isn), *(sent(first + at, 100) for at in order), told(first + 300)]
        assert missed(frames, block) == 0

    def test_a_hole_filled_in_the_middle_leaves_its_edges(self, isn: int, block: int) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first + 300, 10), sent(first + 100, 100), told(first + 310)]
        assert missed(frames, block) == 200

    def test_a_keep_alive_is_no_gap(self, isn: int, block: int) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first, 100), told(first + 100)]
        frames += [sent(first + 99, 0, "A"), sent(first + 99, 1, "A"), told(first + 100)]
        assert missed(frames, block) == 0

    def test_an_end_that_was_acknowledged_and_never_seen_is_missed(
        self, isn: int, block: int
    ) -> None:
        first = isn + 1
        assert missed([*opening(isn), sent(first, 100), told(first + 180)], block) == 80

    def test_syn_and_fin_take_a_number_and_no_byte(self, isn: int, block: int) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first, 100), sent(first + 100, 0, "FA"), told(first + 101)]
        assert missed(frames, block) == 0

    def test_between_two_beginnings_nothing_is_missed(self, isn: int, block: int) -> None:
        again = isn + 5_000
        frames = [*opening(isn), sent(isn + 1, 100), sent(again, 0, "S", 0)]
        frames += [told(again + 1, "SA", 7_000), sent(again + 1, 100, ack=7_001), told(again + 101)]
        assert missed(frames, block) == 0

    def test_behind_a_second_beginning_a_loss_is_one(self, isn: int, block: int) -> None:
        again = isn + 5_000
        frames = [*opening(isn), sent(again, 0, "S", 0), sent(again + 51, 50), told(again + 101)]
        assert missed(frames, block) == 50

    def test_a_reset_with_any_number_is_no_gap(self, isn: int, block: int) -> None:
        first = isn + 1
        frames = [*opening(isn), sent(first, 100), told(first + 100), sent(first + 9_999, 0, "R")]
        assert missed([*frames, told(first + 100)], block) == 0


def test_a_loss_of_more_than_sixteen_megabytes_is_a_loss() -> None:
    lost = 100 << 20
    frames = [*opening(), sent(ISN + 1, 1), sent(ISN + 2 + lost, 1), told(ISN + 3 + lost)]
    assert missed(frames) == lost


def test_a_number_beyond_every_window_is_no_loss() -> None:
    far = ISN + 1 + (1 << 31) - 9
    assert missed([*opening(), sent(ISN + 1, 1), sent(far, 1), told(ISN + 2)]) == 0


def test_a_capture_that_begins_in_the_middle_has_missed_nothing() -> None:
    assert missed([sent(70_000, 100), told(70_100), sent(70_100, 100), told(70_200)]) == 0


def test_a_side_that_was_never_seen_is_not_called_missed() -> None:
    assert missed([sent(70_000, 100, ack=1), sent(70_100, 100, ack=90_000)]) == 0


def test_holes_beyond_the_bound_are_missed_whatever_fills_them() -> None:
    first = ISN + 1
    holes = gaps.MAX_HOLES + 10
    frames = [*opening(), *(sent(first + 20 * at + 10, 10) for at in range(holes))]
    assert missed([*frames, told(first + 20 * holes)]) == 10 * holes


def test_a_hole_is_not_cut_into_more_than_the_bound() -> None:
    first, pieces = ISN + 1, 3 * gaps.MAX_HOLES
    filling = [sent(first + 20 * at + 10, 10) for at in range(pieces)]
    frames = [*opening(), sent(first + 20 * pieces, 1), *filling, told(first + 20 * pieces + 1)]
    done = run(pcap(frames), keep=False)
    assert [len(holes) for holes in done.table.gaps._holes.values()] == [gaps.MAX_HOLES]


def test_what_is_cut_within_the_bound_is_what_was_not_sent() -> None:
    first, pieces = ISN + 1, gaps.MAX_HOLES - 1
    filling = [sent(first + 20 * at + 10, 10) for at in range(pieces)]
    frames = [*opening(), sent(first + 20 * pieces, 1), *filling, told(first + 20 * pieces + 1)]
    assert missed(frames) == 10 * pieces


def test_no_more_sides_are_tracked_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MAX_TRACKED", 0)
    frames = [*opening(), sent(ISN + 101, 1), sent(ISN + 1, 100), told(ISN + 102)]
    done = run(pcap(frames), keep=False)
    assert (done.table.gaps._holes, done.flows.missed_bytes.tolist()) == ({}, [100])


def test_a_side_whose_holes_were_filled_is_not_tracked_any_more() -> None:
    frames = [*opening(), sent(ISN + 101, 1), sent(ISN + 1, 100)]
    assert run(pcap(frames), 100, keep=False).table.gaps._holes == {}


@settings(max_examples=100)
@given(
    st.lists(st.integers(0, 19), min_size=1, max_size=20, unique=True),
    st.sampled_from((ISN, WRAPPING)),
    st.sampled_from((80, 1000)),
)
def test_what_is_missed_is_what_was_not_sent(kept: list[int], isn: int, block: int) -> None:
    frames = [*opening(isn), *(sent(isn + 1 + 10 * at, 10) for at in kept), told(isn + 201)]
    assert missed(frames, block) == 200 - 10 * len(kept)


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        (0, 5, [(10, 20)]),
        (0, 15, [(15, 20)]),
        (12, 14, [(10, 12), (14, 20)]),
        (5, 25, []),
        (15, 99, [(10, 15)]),
        ((1 << 32) + 10, (1 << 32) + 15, [(15, 20)]),
    ],
)
def test_a_segment_takes_its_part_of_a_hole(
    start: int, end: int, left: list[tuple[int, int]]
) -> None:
    assert without((10, 20), start, end) == left


@pytest.mark.parametrize(("limit", "lost"), [(5, 0), (10, 0), (15, 5), (20, 10), (1_000, 10)])
def test_a_hole_is_acknowledged_up_to_a_limit(limit: int, lost: int) -> None:
    assert acknowledged((10, 20), limit) == lost
