"""The blocks that are not frames: options that lie, statistics, names; and their bounds."""

import struct

import pytest

from egress_audit.capture.pcapng_blocks import (
    MAX_TEXT,
    HostRecords,
    InterfaceState,
    apply_statistics,
    filter_text,
    interface_described_by,
    options_in,
    text_of,
)
from egress_audit.model.destination import Absent
from tests.builders.captures import options

IDB = struct.pack("<HHI", 1, 0, 65_535)


def described(*pairs: tuple[int, bytes]) -> InterfaceState:
    """The interface of an IDB with these options."""
    state = interface_described_by(IDB + options(pairs), "<", 0)
    assert state is not None
    return state


def test_options_are_read_up_to_their_end() -> None:
    body = options([(2, b"eth0"), (9, b"\x06")]) + options([(1, b"behind the end")])
    assert list(options_in(body, 0, "<")) == [(2, b"eth0"), (9, b"\x06")]


def test_an_option_that_claims_more_than_there_is_ends_the_list() -> None:
    body = options([(2, b"eth0")])[:-4] + struct.pack("<HH", 9, 0xFFFF) + b"\x06"
    assert list(options_in(body, 0, "<")) == [(2, b"eth0")]


def test_an_option_behind_two_thousand_others_is_still_read() -> None:
    assert described(*[(1, b"")] * 2_000, (9, b"\x09")).resolution == 9


@pytest.mark.parametrize("value", [b"", b"\x09\x09"])
def test_a_resolution_of_the_wrong_size_changes_nothing(value: bytes) -> None:
    assert described((9, value)).resolution == 6


def test_an_offset_may_be_negative() -> None:
    assert described((14, struct.pack("<q", -3_600))).offset_s == -3_600


def test_an_offset_of_the_wrong_size_changes_nothing() -> None:
    assert described((14, struct.pack("<i", -3_600))).offset_s == 0


def test_an_interface_without_a_name_has_none() -> None:
    assert described().name is Absent.NOT_FOUND


def test_an_interface_with_a_name_has_it() -> None:
    assert described((2, b"eth0\0")).name == "eth0"


def test_a_description_that_is_too_short_is_none() -> None:
    assert interface_described_by(IDB[:7], "<", 0) is None


def test_a_filter_is_told_in_libpcaps_words() -> None:
    assert described((11, b"\0tcp port 80")).capture_filter == "tcp port 80"


def test_an_empty_filter_is_not_known() -> None:
    assert filter_text(b"\0") is Absent.NOT_FOUND


def test_a_compiled_filter_is_told_as_such() -> None:
    assert filter_text(b"\x01" + bytes(8)) == "compiled filter, kind 1, 8 bytes"


def test_text_is_bounded() -> None:
    assert len(text_of(b"a" * 100_000)) == MAX_TEXT


def test_text_cannot_steer_a_terminal() -> None:
    assert text_of(b"\x1b[2Jeth0\n") == "\\x1b[2Jeth0\\n"


def statistics(number: int, *pairs: tuple[int, bytes]) -> bytes:
    """The body of an ISB."""
    return struct.pack("<III", number, 0, 0) + options(pairs)


def count(value: int) -> bytes:
    """A counter of an ISB."""
    return struct.pack("<Q", value)


def test_losses_of_interface_and_of_system_are_added() -> None:
    state = described()
    assert apply_statistics(statistics(0, (5, count(3)), (7, count(4))), "<", [state])
    assert state.drops == 7


def test_statistics_that_state_no_loss_do_not_state_zero() -> None:
    state = described()
    apply_statistics(statistics(0, (4, count(9))), "<", [state])
    assert (state.received, state.drops) == (9, Absent.NOT_FOUND)


def test_the_last_statistics_count() -> None:
    state = described()
    for drops in (9, 3):
        apply_statistics(statistics(0, (5, count(drops))), "<", [state])
    assert state.drops == 3


def test_statistics_of_no_interface_are_refused() -> None:
    assert not apply_statistics(statistics(1, (5, count(3))), "<", [described()])


def test_the_larger_of_two_ways_to_state_loss_counts() -> None:
    state = described()
    apply_statistics(statistics(0, (5, count(3))), "<", [state])
    state.counted_drops = 5
    assert state.drops == 5


def test_a_counter_of_the_wrong_size_says_nothing() -> None:
    state = described()
    apply_statistics(statistics(0, (5, b"\x03")), "<", [state])
    assert state.drops is Absent.NOT_FOUND


def name_record(kind: int, value: bytes) -> bytes:
    """One record of an NRB."""
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)


def test_names_beyond_the_bound_are_counted_not_kept() -> None:
    records = HostRecords(limit=10)
    records.take(name_record(1, b"\x0a\0\0\1here\0") * 25, "<")
    assert (len(records.kept), records.beyond) == (10, 15)


def test_one_record_with_many_names_keeps_sixteen() -> None:
    records = HostRecords()
    records.take(name_record(1, b"\x0a\0\0\1" + b"here\0" * 1_000), "<")
    assert len(records.kept[0].hosts) == 16


def test_a_record_that_is_cut_adds_nothing() -> None:
    records = HostRecords()
    records.take(name_record(1, b"\x0a\0\0\1here\0")[:-6], "<")
    assert records.kept == []


def test_an_ipv6_record_is_read() -> None:
    records = HostRecords()
    records.take(name_record(2, bytes(15) + b"\1here\0"), "<")
    assert records.kept[0].address == "::1"


def test_a_record_of_another_kind_is_stepped_over() -> None:
    records = HostRecords()
    records.take(name_record(9, b"what") + name_record(1, b"\x0a\0\0\1here\0"), "<")
    assert [record.address for record in records.kept] == ["10.0.0.1"]
