"""Segments out of their columns, as Python's own numbers."""

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.segments import (
    BEGUN,
    NEW,
    SATED,
    Segment,
    beginnings_of,
    first_of_each,
    is_dns,
    payload_of,
    payloads_of,
    rank_within,
    rows_of_segments,
    segments_of,
    without,
)
from egress_audit.flows.table import Assigned
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

LAST = (1 << 32) - 1


def packets_in(*segments: bytes) -> PacketBatch:
    frames = [
        Frame(1_000, ethernet(ipv4("10.0.0.2", "192.0.2.1", segment, TCP))) for segment in segments
    ]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def segments_in(*segments: bytes) -> list[Segment]:
    packets = packets_in(*segments)
    rows = np.arange(len(packets))
    return list(segments_of(packets, rows * 2 + 1, rows, lambda side: True))


def test_a_segment_has_the_numbers_of_its_row() -> None:
    first, second = segments_in(
        tcp(40000, 443, "A", seq=7, payload=b"abc"), tcp(40000, 443, "A", seq=10, payload=b"d")
    )
    assert (first.row, first.side, first.sequence, first.length, first.end) == (0, 1, 7, 3, 10)
    assert (second.row, second.side, second.frame, second.ts_ns) == (1, 3, 2, 1_000)


def test_data_beside_a_syn_begin_behind_it_also_where_numbers_come_round() -> None:
    (segment,) = segments_in(tcp(40000, 443, "S", seq=LAST, payload=b"abc"))
    assert segment.sequence == 0


def test_the_payload_is_what_was_captured() -> None:
    packets = packets_in(tcp(40000, 443, "A", payload=b"abc"))
    rows = np.arange(1)
    (segment,) = segments_of(packets, rows, rows, lambda side: True)
    assert payload_of(packets, segment) == b"abc"


def test_either_port_may_be_that_of_the_dns() -> None:
    packets = packets_in(tcp(40000, 53), tcp(53, 40000), tcp(40000, 443))
    assert is_dns(packets, np.arange(3)).tolist() == [True, True, False]


def test_whether_a_side_is_wanted_is_asked_when_its_turn_comes() -> None:
    packets = packets_in(*[tcp(40000, 443, "A", seq=n, payload=b"x") for n in range(3)])
    rows, had = np.arange(3), list[int]()
    for segment in segments_of(packets, rows * 0, rows, lambda side: side not in had):
        had.append(segment.side)
    assert had == [0]


def test_rows_of_one_side_are_counted_in_the_order_in_which_they_came() -> None:
    assert rank_within(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]
    assert rank_within(np.zeros(0, np.int64)).tolist() == []


def test_the_beginning_of_a_payload_ends_where_the_payload_does() -> None:
    packets = packets_in(tcp(40000, 443, "A", payload=b"abcdef"), tcp(40000, 443, payload=b"xy"))
    octets, sizes = beginnings_of(packets, np.array([1, 0]), 3)
    assert (octets, sizes.tolist()) == (b"xyabc", [2, 3])


def test_payloads_come_in_the_order_of_the_rows() -> None:
    packets = packets_in(tcp(40000, 443, "A", payload=b"abcdef"), tcp(40000, 443, payload=b"xy"))
    assert payloads_of(packets, np.array([1, 0])) == [b"xy", b"abcdef"]


@pytest.mark.parametrize("apart", [1, 1 << 20])
def test_of_each_side_the_first_row_is_found(apart: int) -> None:
    side = np.array([7, 3, 7, 9, 3]) * apart
    assert first_of_each(side).tolist() == [0, 1, 3]
    assert rank_within(side).tolist() == [0, 0, 1, 0, 1]
    assert first_of_each(side[:0]).tolist() == []


def test_rows_are_taken_from_others() -> None:
    assert without(np.array([1, 4, 5]), np.array([0, 4]), 6).tolist() == [1, 5]


def test_only_segments_of_flows_with_payload_and_no_reset_are_looked_at() -> None:
    packets = packets_in(
        *(tcp(40000, 443, flags, payload=b"x") for flags in ("A", "RA", "S", "A")),
        tcp(40000, 443, "A"),
    )
    assigned = Assigned(np.array([0, 1, 2, -1, 3]), np.zeros(5, np.bool_))
    found = rows_of_segments(packets, assigned, np.zeros(8, np.uint8))
    assert (found.payload.tolist(), found.syn.tolist()) == ([0, 2], [2])


def test_segments_of_sides_that_have_had_enough_are_not_wanted() -> None:
    packets = packets_in(*[tcp(40000, 443, "A", payload=b"x")] * 3)
    assigned = Assigned(np.array([0, 1, 1]), np.array([True, False, True]))
    found = rows_of_segments(packets, assigned, np.array([NEW, SATED, BEGUN, SATED], np.uint8))
    assert found.side.tolist() == [1, 2, 3]
    assert (found.payload.tolist(), found.hungry.tolist()) == ([0, 1, 2], [1])


def test_of_each_side_that_is_new_the_first_segment_is_found() -> None:
    packets = packets_in(*[tcp(40000, 443, "A", payload=b"x")] * 4)
    assigned = Assigned(np.array([0, 1, 0, 1]), np.array([True, False, True, False]))
    found = rows_of_segments(packets, assigned, np.array([NEW, NEW, BEGUN, NEW], np.uint8))
    assert (found.hungry.tolist(), found.first.tolist()) == ([0, 1, 2, 3], [0])
