"""When a capture began, fell silent, and whether its clock ran back."""

import numpy as np

from egress_audit.capture.timeline import Timeline
from egress_audit.columns import PADDING, FrameBatch
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Silence

SECOND = 1_000_000_000


def batch(*frames: tuple[int, int]) -> FrameBatch:
    """Frames of (interface, seconds)."""
    count = len(frames)
    zeros = np.zeros(count, np.int64)
    return FrameBatch(
        buffer=np.zeros(PADDING, np.uint8),
        offset=zeros,
        caplen=zeros,
        wirelen=zeros,
        ts_ns=np.array([seconds for _, seconds in frames], np.int64) * SECOND,
        interface=np.array([interface for interface, _ in frames], np.int32),
        linktype=np.ones(count, np.int32),
        first_frame=1,
    )


def timeline(*batches: FrameBatch) -> Timeline:
    made = Timeline()
    for one in batches:
        made.take(one)
    return made


def test_without_frames_there_is_no_time() -> None:
    empty = Timeline()
    assert empty.first_ts_ns is Absent.NOT_APPLICABLE
    assert empty.longest_silence is Absent.NOT_APPLICABLE


def test_the_longest_silence_may_lie_between_batches() -> None:
    seen = timeline(batch((0, 1), (0, 3)), batch((0, 10), (0, 11)))
    assert seen.longest_silence == Silence(3 * SECOND, 7 * SECOND)
    assert (seen.first_ts_ns, seen.last_ts_ns) == (1 * SECOND, 11 * SECOND)


def test_a_clock_that_was_set_back_is_counted() -> None:
    assert timeline(batch((0, 100), (0, 50), (0, 51))).reversals == 1


def test_a_clock_set_back_between_batches_is_counted() -> None:
    assert timeline(batch((0, 100)), batch((0, 50))).reversals == 1


def test_a_clock_set_back_in_the_midst_of_a_batch_is_compared_with_the_next_one() -> None:
    assert timeline(batch((0, 100), (0, 50)), batch((0, 60), (0, 70))).reversals == 1


def test_a_silence_is_counted_from_the_latest_time_before_it() -> None:
    seen = timeline(batch((0, 100), (0, 90), (0, 110)), batch((0, 95), (0, 120)))
    assert seen.longest_silence == Silence(100 * SECOND, 10 * SECOND)
    assert seen.last_ts_ns == 120 * SECOND


def test_frames_a_little_out_of_order_are_not() -> None:
    assert timeline(batch((0, 100), (0, 99), (0, 100))).reversals == 0


def test_two_interfaces_with_two_clocks_are_not() -> None:
    assert timeline(batch((0, 100), (1, 50), (0, 101), (1, 51))).reversals == 0


def test_the_first_time_is_the_earliest_even_if_it_comes_late() -> None:
    assert timeline(batch((0, 100), (0, 50))).first_ts_ns == 50 * SECOND
