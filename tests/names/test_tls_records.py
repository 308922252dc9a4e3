"""What may begin a record of TLS, and what is passed over in front of a ClientHello."""

import pytest

from egress_audit.names.tls_records import (
    MAX_EMPTY,
    behind_what_is_passed_over,
    could_be_record,
    is_empty,
)

HELLO = b"\x16\x03\x01\x00\x05\x01"
EMPTY = b"\x16\x03\x01\0\0"
WARNING, FATAL = b"\x15\x03\x01\x00\x02\x01\x00", b"\x15\x03\x03\x00\x02\x02\x28"


@pytest.mark.parametrize("kind", range(20, 25))
def test_a_record_of_any_kind_may_be_empty(kind: int) -> None:
    assert is_empty(bytes((kind,)) + b"\x03\x03\0\0\xff", 0)


@pytest.mark.parametrize(
    "first", [b"", EMPTY[:4], HELLO, b"\x16\x02\0\0\0", b"\x19\x03\x01\0\0", b"\x16\x03\x01\x01\0"]
)
def test_what_has_a_length_or_is_no_whole_header_is_no_empty_record(first: bytes) -> None:
    assert not is_empty(first, 0)


def test_an_empty_record_is_found_where_it_stands() -> None:
    assert is_empty(WARNING + EMPTY, len(WARNING))


@pytest.mark.parametrize("front", [b"", EMPTY, EMPTY * MAX_EMPTY, EMPTY + WARNING + EMPTY, FATAL])
def test_a_hello_begins_behind_alerts_and_empty_records(front: bytes) -> None:
    assert behind_what_is_passed_over(front + HELLO) == len(front)


@pytest.mark.parametrize("front", [EMPTY, WARNING, WARNING + EMPTY, WARNING[:6]])
def test_behind_them_one_may_follow(front: bytes) -> None:
    assert behind_what_is_passed_over(front) is None


def test_behind_a_fatal_alert_none_does() -> None:
    assert behind_what_is_passed_over(FATAL) == len(FATAL)


def test_beyond_the_bound_they_are_not_passed_over() -> None:
    assert behind_what_is_passed_over(EMPTY * (MAX_EMPTY + 1)) == len(EMPTY) * MAX_EMPTY


@pytest.mark.parametrize("first", [b"", b"\x16", b"\x16\x03\x09", HELLO, b"\x17\x03\x03\0\x20"])
def test_a_header_may_begin_a_record(first: bytes) -> None:
    assert could_be_record(first)


@pytest.mark.parametrize(
    "first", [EMPTY, b"\x19", b"\x16\x02", b"\x17\x03\x09", b"\x16\x03\x01\xff\xff"]
)
def test_an_empty_one_or_another_protocol_does_not(first: bytes) -> None:
    assert not could_be_record(first)
