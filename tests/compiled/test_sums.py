"""What packets add to their flows is in C what it is in numpy."""

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


def test_columns_of_too_few_rows_are_refused() -> None:
    packets, runs, swapped, target, turned = batch_and_runs(1)
    with pytest.raises(ValueError, match="no column"):
        sums.run_sums(packets, swapped, runs.order, runs.starts, target[:-1], turned)
    order = np.append(runs.order, 0)
    with pytest.raises(ValueError, match="no column"):
        sums.run_sums(packets, swapped, order, runs.starts, target, turned)
