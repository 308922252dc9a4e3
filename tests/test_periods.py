"""A period is told in the largest unit that leaves nothing over."""

import pytest

from egress_audit.periods import DAY_NS, SECOND_NS, whole_units


@pytest.mark.parametrize(
    ("length_ns", "told"),
    [
        (0, "0 s"),
        (SECOND_NS - 1, "0 s"),
        (90 * SECOND_NS, "90 s"),
        (120 * SECOND_NS, "2 min"),
        (4 * 3600 * SECOND_NS, "4 h"),
        (DAY_NS, "1 d"),
        (DAY_NS + SECOND_NS, "86401 s"),
    ],
)
def test_a_period_is_told_in_whole_units(length_ns: int, told: str) -> None:
    assert whole_units(length_ns) == told
