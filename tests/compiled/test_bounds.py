"""Columns that point outside of others are refused."""

import numpy as np
import pytest

from egress_audit.compiled.bounds import edges_of, refuse_strange_indexes
from tests.builders.both_engines import needs_library

pytestmark = needs_library

FAR = np.iinfo(np.int64)


@pytest.mark.parametrize("index", [[], [0], [0, 4, 2]])
def test_indexes_into_a_column_are_accepted(index: list[int]) -> None:
    refuse_strange_indexes(np.array(index, np.int64), 5)


@pytest.mark.parametrize("strange", [5, -1, FAR.min, FAR.max])
def test_one_that_lies_outside_is_refused(strange: int) -> None:
    with pytest.raises(ValueError, match="indexes below 5"):
        refuse_strange_indexes(np.array([0, strange, 1], np.int64), 5)


def test_edges_end_with_the_number_of_rows() -> None:
    assert edges_of(np.array([0, 2, 2, 5]), 5).tolist() == [0, 2, 2, 5, 5]
    assert edges_of(np.array([], np.int64), 0).tolist() == [0]


@pytest.mark.parametrize("starts", [[0, 6], [-1, 2], [0, 3, 2], [FAR.min], [FAR.max]])
def test_edges_outside_or_out_of_order_are_refused(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="edges up to 5"):
        edges_of(np.array(starts, np.int64), 5)


@pytest.mark.parametrize("index", [0, 1, -1, FAR.min, FAR.max])
def test_a_column_of_no_rows_has_no_indexes(index: int) -> None:
    with pytest.raises(ValueError, match="indexes below 0"):
        refuse_strange_indexes(np.array([index], np.int64), 0)
