"""Values are read in either order, and nothing is believed that lies past the end of a frame."""

import numpy as np

from egress_audit.decode import ledger
from egress_audit.decode.link_rows import Rows, linktype_kind, measured_header, unless

BUFFER = np.arange(1, 9, dtype=np.uint8)
ROWS = Rows(BUFFER, np.array([0, 4]), np.array([4, 8]), np.array([False, True]))


def test_numbers_are_read_in_either_order() -> None:
    assert ROWS.u8(ROWS.start).tolist() == [1, 5]
    assert ROWS.u16(ROWS.start).tolist() == [0x0102, 0x0506]
    assert ROWS.u24(ROWS.start).tolist() == [0x010203, 0x050607]
    assert ROWS.u32(ROWS.start).tolist() == [0x01020304, 0x05060708]
    assert ROWS.u16_little(ROWS.start).tolist() == [0x0201, 0x0605]
    assert ROWS.u32_little(ROWS.start).tolist() == [0x04030201, 0x08070605]


def test_a_number_behind_the_buffer_is_garbage_and_no_crash() -> None:
    far = np.array([1 << 40, 1 << 40])
    assert len(ROWS.u32(far)) == len(ROWS.u32_little(far)) == len(ROWS.u24(far)) == 2


def test_a_frame_that_ends_early_is_cut_or_malformed() -> None:
    assert ROWS.short(ROWS.start + 4).tolist() == [ledger.PACKET] * 2
    assert ROWS.short(ROWS.start + 5).tolist() == [ledger.LINK_MALFORMED, ledger.TRUNCATED]


def test_a_later_header_sees_the_same_end() -> None:
    later = ROWS.inside(np.array([1]), np.array([6]))
    assert (later.start.tolist(), later.end.tolist(), later.cut.tolist()) == ([6], [8], [True])


def test_the_first_verdict_counts() -> None:
    outcome = np.array([ledger.PACKET, ledger.PACKET, ledger.STP])
    first, both = np.array([True, False, True]), np.array([True, True, True])
    assert unless(outcome, [(first, 7), (both, 9)]).tolist() == [7, 9, ledger.STP]


def test_a_header_ends_where_it_says_if_that_can_be() -> None:
    behind, outcome = measured_header(ROWS, np.array([3, 5]), 2)
    assert behind.tolist() == [3, 9]
    assert outcome.tolist() == [ledger.PACKET, ledger.TRUNCATED]


def test_a_header_that_says_less_than_the_shortest_is_malformed() -> None:
    behind, outcome = measured_header(ROWS, np.array([2, 1]), 2)
    assert behind.tolist() == [2, 6]
    assert outcome.tolist() == [ledger.PACKET, ledger.LINK_MALFORMED]


def test_a_header_that_is_another_is_called_that_whatever_its_length() -> None:
    other = np.array([True, False]), ledger.STP
    _, outcome = measured_header(ROWS, np.array([1, 4]), 2, before=[other])
    assert outcome.tolist() == [ledger.STP, ledger.PACKET]


def test_no_link_type_is_taken_for_a_header_that_follows_another() -> None:
    assert linktype_kind(np.array([0])).tolist() < [-100]
