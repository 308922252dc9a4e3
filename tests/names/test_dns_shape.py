"""A DNS message is known by its shape on any port; nothing else passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.dns import read_stream
from egress_audit.names.dns_shape import (
    MAX_MESSAGE,
    MAX_SEGMENTS,
    look_like_segments,
    read_like_message,
    read_question_stream,
    segments,
)
from egress_audit.names.reading import NOTHING, Reading, Unread
from tests.builders.captures import dns_query

QUERY = dns_query("hub.example")
EDNS = b"\0\0\x29\x10\0\0\0\0\0\0\0"
WITH_EDNS = QUERY[:11] + b"\1" + QUERY[12:] + EDNS
A = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
RESPONSE = QUERY[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + QUERY[12:] + A


@pytest.mark.parametrize("message", [QUERY, WITH_EDNS, RESPONSE], ids=["query", "edns", "response"])
def test_a_message_is_known(message: bytes) -> None:
    assert read_like_message(message).spoken


def changed(at: int, octet: int, message: bytes = QUERY) -> bytes:
    return message[:at] + bytes((octet,)) + message[at + 1 :]


@pytest.mark.parametrize(
    "other",
    [
        b"",
        QUERY[:-1],
        QUERY + b"\0",
        changed(2, 0x29),  # opcode UPDATE
        changed(5, 2),  # two questions
        changed(5, 0),
        changed(7, 1),  # an answer in a query
        changed(13, 0x01),  # a byte no host has
        changed(len(QUERY) - 3, 0xEE),  # no type that anybody knows
        changed(len(QUERY) - 1, 7),  # no class either
    ],
)
def test_what_is_off_in_one_place_is_none(other: bytes) -> None:
    assert not read_like_message(other).spoken


@pytest.mark.parametrize(
    "odd",
    [
        changed(2, 0x07),  # authoritative, cut, recursion desired
        changed(3, 0x80),  # recursion available
        changed(3, 0x40),  # the bit that must be zero
        changed(3, 0x03),  # a query with a result
        changed(3, 0x8F, RESPONSE),  # no result that anybody knows
    ],
)
def test_flags_that_make_no_sense_change_nothing(odd: bytes) -> None:
    assert [word.host for word in read_like_message(odd).spoken][:1] == ["hub.example"]


@pytest.mark.parametrize(
    "other",
    [
        QUERY + b"\0",
        changed(13, ord("!")),
        changed(len(QUERY) - 3, 0xEE),
        changed(len(QUERY) - 1, 7),
    ],
    ids=["a byte too many", "an odd letter", "an unknown type", "an unknown class"],
)
def test_what_could_be_a_question_for_a_host_is_not_passed_over(other: bytes) -> None:
    assert read_like_message(other) == Reading(unread=Unread.MALFORMED)
    assert read_question_stream(framed(other)) == Reading(unread=Unread.MALFORMED)


@pytest.mark.parametrize("name", [b"\0", b"\1a\0", b"\4\1\2\3\4\0", b"\1a\1\0\0"])
def test_what_names_no_host_besides_is_nothing(name: bytes) -> None:
    assert read_like_message(QUERY[:12] + name + b"\0\x99\0\1") == NOTHING


def of_type(number: int) -> bytes:
    """The query, for records of another type."""
    return QUERY[:-4] + number.to_bytes(2, "big") + QUERY[-2:]


@pytest.mark.parametrize("number", [3, 18, 23, 51, 109, 261, 32769, 65280, 65399, 65534])
def test_a_question_for_any_type_that_is_assigned_or_private_is_one(number: int) -> None:
    assert read_like_message(of_type(number)).spoken


@pytest.mark.parametrize("number", [0, 32, 54, 150, 512, 32767, 65279])
def test_a_question_for_no_type_is_none(number: int) -> None:
    assert not read_like_message(of_type(number)).spoken


@given(st.binary(max_size=600))
def test_random_bytes_are_none(noise: bytes) -> None:
    assert read_like_message(noise) == NOTHING


def test_messages_of_one_size_and_a_shorter_one_are_segments() -> None:
    cut = (QUERY, dns_query("spy.example"), dns_query("a.example"))
    assert segments(b"".join(cut)) == cut
    assert look_like_segments(b"".join(cut))


@pytest.mark.parametrize(
    "other",
    [
        QUERY,
        QUERY + b"more",
        QUERY + dns_query("longer.example"),
        dns_query("a.example") * (MAX_SEGMENTS + 1),
        QUERY[:-1],
        b"",
    ],
)
def test_bytes_behind_a_message_that_are_no_messages_are_no_segments(other: bytes) -> None:
    assert segments(other) == ()
    assert not look_like_segments(other)


def test_on_another_port_each_segment_must_be_a_message_beyond_doubt() -> None:
    odd = changed(len(QUERY) - 1, 9)
    assert segments(QUERY + odd) == (QUERY, odd)
    assert not look_like_segments(QUERY + odd)


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


def test_a_stream_of_messages_is_read_from_its_first_one_on() -> None:
    reading = read_question_stream(framed(QUERY) + framed(WITH_EDNS))
    assert [word.host for word in reading.spoken] == ["hub.example"] * 2
    assert (reading.consumed, reading.then) == (len(QUERY) + len(WITH_EDNS) + 4, read_stream)


@pytest.mark.parametrize("size", range(1, len(QUERY) + 2))
def test_a_first_message_in_pieces_is_waited_for(size: int) -> None:
    reading = read_question_stream(framed(QUERY)[:size])
    assert (reading.hungry, reading.optional) == (True, size < 14)


def test_the_rest_of_a_response_need_not_come() -> None:
    reading = read_question_stream(framed(RESPONSE)[:-1])
    assert (reading.hungry, reading.optional) == (True, True)


def test_a_stream_of_something_else_is_nothing() -> None:
    for other in (b"", b"\0\5hello", framed(bytes(40)), framed(bytes(MAX_MESSAGE + 1))[:50]):
        assert read_question_stream(other) == NOTHING
