"""Requests that one server reads and another does not: in place of a body, or by an odd field."""

import pytest

from egress_audit.model.flow import NameSource
from egress_audit.names.http import read_further
from egress_audit.names.plain_request import plain_request
from egress_audit.names.reading import Reading, Spoken, Unread
from egress_audit.names.stream import read_on, read_opening
from tests.builders.captures import client_hello

SECOND = b"GET /b HTTP/1.1\r\nHost: b.example\r\n\r\n"
A, B = (Spoken(host, NameSource.HTTP_HOST) for host in ("a.example", "b.example"))


def post(size: int, *fields: bytes) -> bytes:
    lines = (b"POST / HTTP/1.1", b"Host: a.example", b"Content-Length: %d" % size, *fields)
    return b"\r\n".join((*lines, b"", b""))


def read(stream: bytes) -> Reading:
    return read_on(stream, read_opening)


@pytest.mark.parametrize("size", [5, len(SECOND), 5000])
def test_a_request_in_place_of_a_body_that_was_refused_is_spoken_and_counted(size: int) -> None:
    reading = read(post(size, b"Expect: 100-continue") + SECOND)
    assert (reading.spoken, reading.unread) == ((A, B), Unread.MALFORMED)


@pytest.mark.parametrize("second", [SECOND, b"FACE http://b.example/ HTTP/1.1\r\n\r\n"])
def test_it_may_stand_in_place_of_chunks(second: bytes) -> None:
    fields = b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    reading = read(b"POST / HTTP/1.1\r\nHost: a.example\r\n" + fields + second)
    assert reading.unread is Unread.MALFORMED
    assert [spoken.host for spoken in reading.spoken] == ["a.example", "b.example"]
    came = read(
        b"POST / HTTP/1.1\r\nHost: a.example\r\n" + fields + b"5\r\nhello\r\n0\r\n\r\n" + SECOND
    )
    assert (came.spoken, came.unread) == ((A, B), None)


def test_whom_it_names_is_not_passed_over_as_a_body() -> None:
    begins = b"GET http://b.example/"
    reading = read(post(len(begins), b"Expect: 100-continue") + begins + b"PUT /y HTTP/1.1\r\n\r\n")
    assert reading.unread is Unread.MALFORMED
    assert "b.example" in [spoken.host for spoken in reading.spoken]


@pytest.mark.parametrize("field", [b"Transfer-Encoding: chunked", b"Content-Length: 70000"])
def test_a_question_that_waits_for_leave_and_is_too_long_is_counted(field: bytes) -> None:
    fields = field + b"\r\nContent-Type: application/dns-message\r\nExpect: 100-continue\r\n\r\n"
    assert read(b"POST / HTTP/1.1\r\nHost: a.example\r\n" + fields).unread is Unread.TRUNCATED


def test_it_may_come_later_than_the_head() -> None:
    awaiting = read(post(5, b"Expect: 100-continue"))
    assert (awaiting.spoken, awaiting.unread) == ((A,), None)
    assert awaiting.then is not None
    assert awaiting.then(SECOND).spoken == (B,)
    assert awaiting.then(SECOND[:6]).optional and awaiting.then(b"").optional


@pytest.mark.parametrize("body", [b"hello", b"GET a", b"{\n\n\n}", b"\0\1\2\3\4", b"a b\r\n"])
def test_a_body_that_came_is_passed_over(body: bytes) -> None:
    reading = read(post(5, b"Expect: 100-continue") + body + SECOND)
    assert (reading.spoken, reading.unread) == ((A, B), None)


def test_a_text_without_end_is_not_waited_for() -> None:
    reading = read(post(90_000, b"Expect: 100-continue") + b"word " * 9000)
    assert (reading.spoken, reading.unread, reading.hungry) == ((A,), None, False)


def test_the_short_way_leaves_such_requests_to_the_long_one() -> None:
    assert plain_request(post(5, b"Expect: 100-continue")) is None
    assert plain_request(post(5, b"Expects: much")) is not None


@pytest.mark.parametrize(
    "field",
    [
        b"Host\x0b: b.example",
        b"\x00Host: b.example",
        b"Ho\x80st: b.example",
        b"Transfer-Encoding\x0b: chunked",
        b"Content-\x0cLength: 0",
    ],
)
def test_a_field_that_only_lenient_servers_take_is_counted(field: bytes) -> None:
    assert read(b"GET / HTTP/1.1\r\nHost: a.example\r\n" + field + b"\r\n\r\n").unread
    assert read(b"GET / HTTP/1.1\r\n" + field + b"\r\nHost: a.example\r\n\r\n").unread


def test_a_field_behind_a_blank_where_none_precedes_it_is_counted() -> None:
    assert read(b"GET / HTTP/1.1\r\n Host: b.example\r\nHost: a.example\r\n\r\n").unread


@pytest.mark.parametrize(
    "field",
    [b"X-Host: b", b"Hosts: b", b"Host-: b", b"H\xf6ss: b", b"A: Host\x0b", b"Host : a.example"],
)
def test_other_fields_are_not(field: bytes) -> None:
    reading = read(b"GET / HTTP/1.1\r\nHost: a.example\r\n" + field + b"\r\n\r\n")
    assert reading.unread is None
    assert {*reading.spoken} == {A}


UPGRADE = b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"


def test_a_hello_behind_a_request_that_asks_for_tls_is_spoken() -> None:
    reading = read_on(UPGRADE + client_hello("b.example"), read_opening)
    assert [word.host for word in reading.spoken] == ["a.example", "b.example"]
    assert reading.unread is None


@pytest.mark.parametrize("size", [1, 4, 40])
def test_a_hello_behind_a_request_may_come_in_pieces(size: int) -> None:
    hello = client_hello("b.example")
    begun = read_on(UPGRADE + hello[:size], read_opening)
    assert (begun.hungry, begun.consumed, begun.then) == (True, len(UPGRADE), read_further)
    assert [word.host for word in read_further(hello).spoken] == ["b.example"]


def test_what_begins_like_a_record_behind_a_request_and_is_none_changes_nothing() -> None:
    reading = read_on(UPGRADE + b"\x16 frames of another protocol", read_opening)
    assert ([word.host for word in reading.spoken], reading.unread) == (["a.example"], None)
    assert not read_on(UPGRADE + b"\x16", read_opening).unread


@pytest.mark.parametrize(
    "line",
    [
        b"GET\v/\vHTTP/1.1",
        b"POST\f/ HTTP/1.1",
        b"GET\r/\rHTTP/1.1",
        b"\vGET / HTTP/1.1",
        b"\r\n\f GET / HTTP/1.1",
    ],
)
def test_a_request_with_blanks_that_only_lenient_servers_take_is_counted(line: bytes) -> None:
    assert read(line + b"\r\nHost: a.example\r\n\r\n").unread is Unread.MALFORMED


@pytest.mark.parametrize(
    "words", [b"GETS\vof words and so on", b"GET\r\nkey\r\n", b"\v\fwords GET "]
)
def test_words_that_are_no_request_are_not(words: bytes) -> None:
    assert read(words).unread is None


def test_a_body_whose_length_has_a_blank_before_the_colon_may_be_requests() -> None:
    reading = read(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length : 500\r\n\r\n" + SECOND)
    assert reading.unread is Unread.MALFORMED
