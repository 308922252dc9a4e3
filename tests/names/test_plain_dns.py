"""The short way through a message of the DNS says what the long one says, or nothing at all."""

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egress_audit.names.dns import any_message, read_message
from egress_audit.names.plain_dns import MAX_ANSWERS, plain_message
from tests.names.test_dns import QUERY, header, raw_record, wire

EDNS = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
COOKIE = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 12) + struct.pack(">HH", 10, 8) + bytes(8)
V4, V6 = bytes((192, 0, 2, 1)), b"\x20\x01\x0d\xb8" + bytes(11) + b"\1"


def record(kind: int, body: bytes, class_: int = 1, owner: int = 0xC00C) -> bytes:
    """A record of the host in the question."""
    return struct.pack(">HHHIH", owner, kind, class_, 60, len(body)) + body


RECORDS = (
    record(1, V4), record(28, V6), record(1, V6), record(28, V4), record(1, V4, 3), EDNS, COOKIE,
    record(1, V4, 0x8001), record(5, wire("b.example")), record(16, b"\1x"), raw_record("b", 1, V4),
    record(1, V4, owner=0xC00D), record(41, b""), raw_record("", 41, b""), b"",
)  # fmt: skip
NAMES = (
    wire("hub.Example"), wire("a"), b"\0", b"\3a.b\1c\0", b"\2a\0\1b\0", b"\xc0\x0c",
    b"\1a\xc0\x0c", b"\x40" + b"a" * 64 + b"\0", b"\3a b\0", b"\1\xff\0",
    (b"\x3f" + b"a" * 63) * 4 + b"\0",
)  # fmt: skip


def message(name: bytes, records: list[bytes], counts: tuple[int, int, int], flags: int) -> bytes:
    """A message with one question and some records, which the counts may not fit."""
    question = name + struct.pack(">HH", 28, 1)
    return header(1, *counts, flags=flags) + question + b"".join(records)


@settings(max_examples=600)
@example(wire("a.b"), [record(1, V4)], (1, 0, 0), 0x8180, [], 200)
@example(wire("a.b"), [record(1, V4), EDNS], (1, 0, 1), 0x8180, [], 200)
@example(wire("a.b"), [EDNS], (0, 0, 1), 0x0100, [], 200)
@example(wire("a.b"), [EDNS], (0, 0, 1), 0x8180, [], 200)
@given(
    st.sampled_from(NAMES) | st.just(NAMES[0]),
    st.lists(st.sampled_from(RECORDS) | st.just(RECORDS[0]), max_size=4),
    st.tuples(st.integers(0, 4), st.sampled_from((0, 0, 1)), st.sampled_from((0, 1, 2))),
    st.sampled_from((0x8180, 0x0100)),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=2),
    st.integers(0, 200),
)
def test_every_message_says_the_same_either_way(
    name: bytes,
    records: list[bytes],
    counts: tuple[int, int, int],
    flags: int,
    changes: list[tuple[int, int]],
    size: int,
) -> None:
    raw = bytearray(message(name, records, counts, flags))
    for at, byte in changes:
        raw[at % len(raw)] = byte
    for part in (bytes(raw), bytes(raw[:size])):
        for complete in (True, False):
            one, other = read_message(part, complete), any_message(part, complete)
            assert (one, one.transaction) == (other, other.transaction)


@given(st.binary(max_size=60))
def test_any_bytes_say_the_same_either_way(raw: bytes) -> None:
    assert read_message(raw) == any_message(raw)


@pytest.mark.parametrize(
    "raw",
    [
        QUERY,
        message(wire("a.b"), [EDNS], (0, 0, 1), 0x0100),
        message(wire("a.b"), [], (0, 0, 0), 0x8183),
        message(wire("a.b"), [record(1, V4), record(1, V4), record(28, V6)], (3, 0, 0), 0x8180),
        message(wire("a.b"), [record(1, V4), COOKIE], (1, 0, 1), 0x8180),
    ],
)
def test_questions_and_their_addresses_are_plain(raw: bytes) -> None:
    assert plain_message(raw) == any_message(raw)


@pytest.mark.parametrize(
    "records", [[record(5, wire("b.example"))], [record(1, V4)] * (MAX_ANSWERS + 1)]
)
def test_aliases_and_long_answers_are_left_to_the_reader_of_the_dns(records: list[bytes]) -> None:
    raw = message(wire("a.b"), records, (len(records), 0, 0), 0x8180)
    assert plain_message(raw) is None
    assert read_message(raw).unread is None
