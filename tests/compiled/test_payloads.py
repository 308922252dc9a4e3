"""Payloads stand side by side as numpy puts them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.compiled.payloads import joined_beginnings
from egress_audit.flows.segments import beginnings_of
from tests.builders.beginnings import beginning_with
from tests.builders.both_engines import compiled, in_numpy, needs_library

pytestmark = needs_library


@given(
    st.lists(st.binary(max_size=12), min_size=1, max_size=20),
    st.lists(st.integers(0, 19), max_size=20),
    st.integers(1, 10),
)
def test_beginnings_are_joined_as_in_numpy(
    payloads: list[bytes], chosen: list[int], longest: int
) -> None:
    packets = beginning_with(payloads)
    rows = np.array([row % len(payloads) for row in chosen], np.int64)
    expected, sizes = in_numpy(lambda: beginnings_of(packets, rows, longest))
    octets, found = compiled(lambda: beginnings_of(packets, rows, longest))
    assert (bytes(octets), found.tolist()) == (bytes(expected), sizes.tolist())


@pytest.mark.parametrize(
    ("payload", "captured"),
    [(-1, 2), (0, -1), (1 << 40, 2), (0, 1 << 40), (-(1 << 63), 2), ((1 << 63) - 1, 2)],
)
def test_a_payload_that_leaves_the_buffer_has_no_bytes(payload: int, captured: int) -> None:
    packets = beginning_with([b"ab", b"cd"])
    where = np.array([payload, 2]), np.array([captured, 2])
    beyond = replace(packets, payload=where[0], payload_cap=where[1])
    octets, sizes = joined_beginnings(beyond, np.arange(2), 8)
    assert (bytes(octets), sizes.tolist()) == (b"cd", [0, 2])


@pytest.mark.parametrize("row", [-1, 2])
def test_rows_that_no_packet_has_are_refused(row: int) -> None:
    with pytest.raises(ValueError, match="indexes"):
        joined_beginnings(beginning_with([b"ab", b"cd"]), np.array([row]), 8)
