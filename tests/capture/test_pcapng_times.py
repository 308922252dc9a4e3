"""Times of every resolution and offset, exact to the nanosecond, and never beyond 64 bits."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egress_audit.capture.pcapng_blocks import InterfaceState
from egress_audit.capture.pcapng_times import LIMIT_NS, nanoseconds, scaled

TOP = (1 << 64) - 1


def exact(ticks: int, resolution: int, offset_s: int) -> int:
    """What the specification says, in fractions."""
    base = 2 if resolution & 0x80 else 10
    ns = Fraction(ticks * 1_000_000_000, base ** (resolution & 0x7F)).__floor__()
    return max(-LIMIT_NS, min(LIMIT_NS - 1, ns + offset_s * 1_000_000_000))


@settings(max_examples=200)
@given(
    st.one_of(st.integers(0, TOP), st.integers(0, 64).map(lambda bit: (1 << bit) - 1)),
    st.integers(0, 255),
    st.one_of(st.just(0), st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-4000, 4000)),
)
@example(TOP, 0, -(1 << 63))
@example(TOP, 0xFF, 0)
@example(TOP, 0x80, 0)
@example(TOP, 0x80 | 64, 1)
@example(1, 0x80 | 33, 0)
@example(TOP, 28, 0)
def test_every_unit_gives_the_exact_nanosecond(ticks: int, resolution: int, offset: int) -> None:
    found = scaled(np.array([ticks], np.uint64), resolution, offset)
    assert found.tolist() == [exact(ticks, resolution, offset)]


@pytest.mark.parametrize(
    ("resolution", "ns"),
    [
        (0, 5_000_000_000),
        (3, 5_000_000),
        (6, 5_000),
        (9, 5),
        (10, 0),
        (12, 0),
        (0x80, 5_000_000_000),
    ],
)
def test_five_ticks_last_as_long_as_their_unit_says(resolution: int, ns: int) -> None:
    assert scaled(np.array([5], np.uint64), resolution, 0).tolist() == [ns]


def test_the_difference_of_any_two_times_fits() -> None:
    ends = scaled(np.array([0, TOP], np.uint64), 0, -(1 << 62))
    assert ends.tolist() == [-LIMIT_NS, LIMIT_NS - 1]
    assert int(ends[1]) - int(ends[0]) < 1 << 63


def test_every_frame_has_the_unit_of_its_own_interface() -> None:
    interfaces = [InterfaceState(0, 1, 0, resolution=unit) for unit in (6, 9, 6, 0x80)]
    found = nanoseconds(
        np.array([1, 1, 1, 1, 2], np.uint64), np.array([3, 0, 1, 2, 3], np.int32), interfaces
    )
    assert found.tolist() == [1_000_000_000, 1_000, 1, 1_000, 2_000_000_000]


def test_no_frames_have_no_times() -> None:
    nothing = np.empty(0, np.uint64), np.empty(0, np.int32)
    assert len(nanoseconds(*nothing, [])) == 0
