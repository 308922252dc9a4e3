"""Columns grow without losing what they hold."""

import numpy as np
import pytest

from egress_audit.flows.growing import OWN_PAGES, grow_together, grown, let_go, zeros


@pytest.mark.parametrize("count", [0, 1, 1000, OWN_PAGES])
def test_a_new_column_is_zero_and_can_be_written_to(count: int) -> None:
    column = zeros(count, np.dtype(np.int32))
    assert (len(column), column.dtype, column.any()) == (count, np.dtype(np.int32), False)
    column[:] = 1
    assert column.all()


@pytest.mark.parametrize("room", [10, OWN_PAGES])
def test_a_column_that_grows_keeps_its_values_and_its_type(room: int) -> None:
    column = np.arange(room, dtype=np.uint32)
    wider = grown(column, room + 1)
    assert (len(wider), wider.dtype) == (2 * room, np.dtype(np.uint32))
    assert np.array_equal(wider[:room], column)
    assert not wider[room:].any()


def test_a_column_grows_as_far_as_it_must() -> None:
    assert len(grown(np.zeros(4, np.uint8), 1000)) == 1000


def test_a_column_with_room_enough_stays_the_same() -> None:
    column = np.zeros(4, np.uint8)
    assert grown(column, 4) is column


class Two:
    """Two columns."""

    def __init__(self) -> None:
        self.left = np.arange(4)
        self.right = np.arange(4)


def test_columns_grow_together() -> None:
    two = Two()
    grow_together(two, ("left", "right"), 6)
    assert (len(two.left), len(two.right)) == (8, 8)


def test_columns_that_are_let_go_keep_no_memory() -> None:
    two = Two()
    let_go(two, ("left",))
    assert (len(two.left), len(two.right)) == (0, 4)
    assert two.left.base is None
