"""The blocks that are not frames: options that lie, statistics, names; and their bounds."""

import struct

import pytest

from egress_audit.capture.pcapng_blocks import (
    MAX_HOSTS_OF_ADDRESS,
    MAX_TEXT,
    HostRecords,
    InterfaceState,
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


@pytest.mark.parametrize("empty", [[], [b""], [b"\0"]])
def test_of_two_filters_both_are_told(empty: list[bytes]) -> None:
    state = described(*[(11, value) for value in (b"\0tcp", *empty, b"\0port 80")])
    assert state.capture_filter == "tcp ; port 80"


@pytest.mark.parametrize("value", [b"", b"\0"])
def test_an_interface_whose_only_filter_is_empty_has_none_that_is_known(value: bytes) -> None:
    assert described((11, value)).capture_filter is Absent.NOT_FOUND


def test_filters_without_end_are_bounded() -> None:
    state = described(*[(11, b"\0" + b"a" * 500)] * 1_000)
    assert len(str(state.capture_filter)) < 2 * MAX_TEXT


def test_an_empty_filter_is_not_known() -> None:
    assert filter_text(b"\0") is Absent.NOT_FOUND


def test_a_compiled_filter_is_told_as_such() -> None:
    assert filter_text(b"\x01" + bytes(8)) == "compiled filter, kind 1, 8 bytes"


def test_text_is_bounded() -> None:
    assert text_of(b"a" * 100_000) == "a" * MAX_TEXT + "…"
    assert text_of(b"a" * MAX_TEXT) == "a" * MAX_TEXT


def test_text_cannot_steer_a_terminal() -> None:
    assert text_of(b"\x1b[2Jeth0\n") == "\\x1b[2Jeth0\\n"


def name_record(kind: int, value: bytes) -> bytes:
    """One record of an NRB."""
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)


def test_names_beyond_the_bound_are_counted_not_kept() -> None:
    records = HostRecords(limit=10)
    for number in range(25):
        records.take(name_record(1, bytes((10, 0, 0, number)) + b"here\0"), "<")
    assert (len(records.kept), records.beyond) == (10, 15)


def test_one_record_with_many_names_keeps_sixteen_and_says_that_there_are_more() -> None:
    records = HostRecords()
    names = b"".join(b"h%d\0" % number for number in range(1_000))
    records.take(name_record(1, b"\x0a\0\0\1" + names), "<")
    assert (len(records.kept[0].hosts), records.beyond) == (16, 1)


def test_many_records_of_one_address_are_kept_up_to_a_bound() -> None:
    records = HostRecords()
    for number in range(1_000):
        records.take(name_record(1, b"\x0a\0\0\1h%d\0" % number), "<")
    assert sum(len(record.hosts) for record in records.kept) == MAX_HOSTS_OF_ADDRESS
    assert records.beyond == 1_000 - MAX_HOSTS_OF_ADDRESS


def test_a_name_that_is_recorded_again_adds_nothing() -> None:
    records = HostRecords()
    records.take(name_record(1, b"\x0a\0\0\1here\0") * 1_000, "<")
    assert (len(records.kept), records.beyond) == (1, 0)


def test_a_name_is_in_lower_case_but_for_its_escapes() -> None:
    records = HostRecords()
    records.take(name_record(1, b"\x0a\0\0\1HERE" + "\U000e0041".encode() + b"\0"), "<")
    assert records.kept[0].hosts == ("here\\U000e0041",)


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
