"""Captures without a mark are known by records that make sense, and by nothing less."""

import struct

import pytest

from egress_audit.capture.foreign_records import (
    is_commview,
    is_erf,
    is_lanalyzer,
    is_packet_logger,
    is_peek_classic,
    is_ppp_dump,
)

NOW_S = 1_700_000_000


def erf_record(seconds: int, payload: bytes, kind: int = 2) -> bytes:
    """A record of Endace's format."""
    return (
        struct.pack("<II", 0, seconds)
        + struct.pack(">BBHHH", kind, 4, 16 + len(payload), 0, len(payload))
        + payload
    )


def ncf(*, length: int = 60, again: int = 60, month: int = 11, hour: int = 22) -> bytes:
    """A record of CommView's older format."""
    return struct.pack("<HHBHBBBBB", length, again, 0, 2023, month, 14, hour, 13, 20) + bytes(72)


def ncfx(*, length: int = 342, year: int = 2023, second: int = 20) -> bytes:
    """A record of its newer one."""
    return struct.pack("<IHBBBBB", length, year, 11, 14, 22, 13, second) + bytes(60)


def logged(
    payload: bytes = b"abcd", *, order: str = ">", seconds: int = NOW_S, kind: int = 0
) -> bytes:
    """A record of Apple's PacketLogger."""
    return struct.pack(order + "IIIB", 9 + len(payload), seconds, 5, kind) + payload


def peek(version: int = 7, length: int = 5000, packets: int = 9, reserved: bytes = b"") -> bytes:
    """The header of a classic Peek file."""
    sizes = struct.pack(">BBIIIII", version, 0, length, packets, 1, 2, 3)
    return sizes + reserved.ljust(28, b"\0") + bytes(40)


LANALYZER = b"\x01\x10\x4c\0\1\5Trace Display Trace File" + bytes(60)
COMMVIEW = ncf()
PPP_DUMP = struct.pack(">BIBH", 7, NOW_S, 1, 40) + bytes(40)
PEEK = peek()


@pytest.mark.parametrize("head", [LANALYZER, b"\x07" + LANALYZER[1:]])
def test_a_trace_of_lanalyzer_says_so(head: bytes) -> None:
    assert is_lanalyzer(head)
    assert not is_lanalyzer(head[:10])
    assert not is_lanalyzer(b"\x02" + head[1:])


def test_two_records_of_erf_follow_each_other() -> None:
    assert is_erf(erf_record(NOW_S, bytes(60)) * 2)
    assert not is_erf(erf_record(NOW_S, bytes(60)))
    assert not is_erf(erf_record(5, bytes(9)) + bytes(64))
    assert not is_erf(b"")


def test_both_formats_of_commview_have_a_date() -> None:
    assert is_commview(ncf())
    assert is_commview(ncfx())


@pytest.mark.parametrize(
    "head",
    [
        ncf(again=61),
        ncf(length=0, again=0),
        ncf(month=13),
        ncf(hour=24),
        ncfx(length=19),
        ncfx(length=1 << 30),
        ncfx(year=1989),
        ncfx(second=60),
        ncf()[:11],
        b"",
    ],
)
def test_a_date_or_a_length_that_cannot_be_is_none_of_theirs(head: bytes) -> None:
    assert not is_commview(head)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_packet_log_is_known_in_either_order_of_bytes(order: str) -> None:
    assert is_packet_logger(logged(order=order))
    assert is_packet_logger(logged(order=order) * 3)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        logged()[:12],
        logged(seconds=9),
        logged(kind=0x77),
        logged(bytes(70_000)),
        logged() + bytes(20),
    ],
)
def test_a_record_that_makes_no_sense_is_no_packet_log(head: bytes) -> None:
    assert not is_packet_logger(head)


def test_a_log_of_pppd_begins_with_a_time_and_goes_on() -> None:
    assert is_ppp_dump(PPP_DUMP)
    assert is_ppp_dump(struct.pack(">BIB", 7, NOW_S, 6) + b"\1\1")


@pytest.mark.parametrize(
    "head",
    [
        b"\7",
        b"\6" + PPP_DUMP[1:],
        struct.pack(">BIBH", 7, 1, 1, 40),
        struct.pack(">BIBH", 7, NOW_S, 1, 0),
        struct.pack(">BIBH", 7, NOW_S, 9, 40),
    ],
)
def test_any_other_beginning_is_none_of_its(head: bytes) -> None:
    assert not is_ppp_dump(head)


@pytest.mark.parametrize("version", [5, 6, 7])
def test_a_classic_peek_file_states_its_sizes(version: int) -> None:
    assert is_peek_classic(peek(version))


@pytest.mark.parametrize(
    "head",
    [peek(8), peek(length=0), peek(packets=0), peek(packets=6000), peek(reserved=b"x"), PEEK[:40]],
)
def test_sizes_that_cannot_be_are_none_of_its(head: bytes) -> None:
    assert not is_peek_classic(head)
