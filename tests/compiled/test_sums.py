"""What packets add to their flows is in C what it is in numpy."""

from dataclasses import replace

import numpy as np
import pytest

from egress_audit.compiled import sums
from tests.builders.both_engines import needs_library
from tests.flows.test_sums import batch_and_runs, in_numpy_of

pytestmark = needs_library


@pytest.mark.parametrize("seed", range(20))
def test_sums_of_runs_are_those_of_numpy(seed: int) -> None:
    packets, runs, swapped, target, turned = batch_and_runs(seed)
    found = sums.run_sums(packets, swapped, runs.order, runs.starts, target, turned)
    expected = in_numpy_of(packets, runs, swapped, target, turned)
    for one, other in zip(found, expected, strict=True):
        assert one.tolist() == other.tolist()


def test_columns_with_gaps_are_read_all_the_same() -> None:
    packets, runs, swapped, target, turned = batch_and_runs(1)
    given = {name: np.repeat(getattr(packets, name), 2)[::2] for name in ("ip_len", "ts_ns")}
    gaps = replace(packets, **given)
    found = sums.run_sums(gaps, swapped, runs.order, runs.starts, target, turned)
    expected = in_numpy_of(packets, runs, swapped, target, turned)
    assert found.octets.tolist() == expected.octets.tolist()
    assert found.latest.tolist() == expected.latest.tolist()


def test_columns_of_too_few_rows_are_refused() -> None:
    packets, runs, swapped, target, turned = batch_and_runs(1)
    with pytest.raises(ValueError, match="no column"):
        sums.run_sums(packets, swapped, runs.order, runs.starts, target[:-1], turned)
    with pytest.raises(ValueError, match="no column"):
        sums.run_sums(packets, swapped, np.append(runs.order, 0), runs.starts, target, turned)


def test_runs_of_rows_that_are_not_there_are_refused() -> None:
    packets, runs, swapped, target, turned = batch_and_runs(1)
    with pytest.raises(ValueError, match="indexes"):
        sums.run_sums(packets, swapped, runs.order + 1, runs.starts, target, turned)
    with pytest.raises(ValueError, match="edges"):
        sums.run_sums(packets, swapped, runs.order, runs.starts + 1000, target, turned)
