"""The short way through a request says what the long one says, or nothing at all."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.http import read_further
from egress_audit.names.plain_request import MAX_HEAD, PlainRequest, plain_request
from egress_audit.names.reading import Reading, Spoken
from egress_audit.names.stream import read_head

LINE = b"GET /v1?q=http://b.example/ HTTP/1.1\r\n"
HOST = b"Host: A.example:8080\r\n"
ASKS = b"GET /?dns=AAABAAABAAAAAAAAAXEHZXhhbXBsZQAAAQAB HTTP/1.1\r\n"
LINES = (
    LINE, b"GET / HTTP/1.0\r\n", b"POST /api HTTP/1.1\r\n", b"GET http://c.example/ HTTP/1.1\r\n",
    b"CONNECT d.example:443 HTTP/1.1\r\n", ASKS, b"OPTIONS * HTTP/1.1\r\n",
    b"GET / HTTP/1.1\n", b"GET /",
)  # fmt: skip
FIELDS = (
    HOST, b"host:a.example.\r\n", b"HOST : a.example\r\n", b"Host:\r\n", b"Host: a b\r\n",
    b"Host: [2001:db8::1]:80\r\n", b"Host: a.example:\r\n", b"Host: .\r\n", b"Host: a@b\r\n",
    b"Host: a.example\r\n folded\r\n", b"Host: a.example\n", b"Hos\0t: a\r\n", b"X-Host: a\r\n",
    b"Content-Length: 5\r\n", b"content-length: 0\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Type: application/dns-message\r\n", b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Accept: */*\r\n", b"X: caf\xe9\r\n", b"X:\ty \t\r\n",
    b"Upgrade: h2c\r\n", b"\tx\r\n", b"no field\r\n", b"Host: a\r\r\n",
)  # fmt: skip


def said(request: PlainRequest) -> Reading:
    """A request in the words of the long way."""
    return Reading((Spoken(request.host, NameSource.HTTP_HOST),), frozenset(("http",)))


def agrees(stream: bytes) -> bool:
    """Whether the short way says the same of a stream, if it says anything, as the long one."""
    request = plain_request(stream)
    if request is None:
        return True
    reading = read_head(stream, dns=False)
    return (reading, reading.consumed, reading.then) == (said(request), request.end, read_further)


@settings(max_examples=600)
@example(LINE, [HOST, b"content-length: 0\r\n", b"content-length: 00\r\n"], b"", [])
@example(LINE, [HOST, b"content-length: 0\r\n", b"content-length: 7\r\n"], b"", [])
@given(
    st.sampled_from(LINES),
    st.lists(st.sampled_from(FIELDS) | st.just(HOST), max_size=4),
    st.sampled_from((b"", b"12345", b"123", b"GET / HTTP/1.1\r\n")),
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from(b"\0\t\n\r :/aH\xff")), max_size=2),
)
def test_it_says_what_the_reader_of_requests_says(
    line: bytes, fields: list[bytes], body: bytes, changes: list[tuple[int, int]]
) -> None:
    stream = bytearray(line + b"".join(fields) + b"\r\n" + body)
    for at, byte in changes:
        stream[at % len(stream)] = byte
    assert agrees(bytes(stream)) and agrees(bytes(stream[:-3]))


def test_a_plain_request_says_its_host_and_where_it_ends() -> None:
    stream = LINE + b"Accept: */*\r\n" + HOST + b"\r\n"
    assert plain_request(stream) == PlainRequest("a.example", len(stream))
    assert agrees(stream)


def test_a_body_may_be_still_to_come() -> None:
    stream = b"POST / HTTP/1.1\r\nContent-Length: 900\r\n" + HOST + b"\r\nbegun"
    assert plain_request(stream) == PlainRequest("a.example", len(stream) - 5 + 900)
    assert agrees(stream)


@pytest.mark.parametrize(
    "fields",
    [HOST + HOST, b"", HOST + b"Transfer-Encoding: chunked\r\n", HOST + b"X: \xe9\r\n"],
)
def test_what_is_not_plain_is_left_to_the_reader_of_requests(fields: bytes) -> None:
    assert plain_request(LINE + fields + b"\r\n") is None


def test_a_second_request_behind_the_first_is_left_to_the_reader_of_requests() -> None:
    assert plain_request((LINE + HOST + b"\r\n") * 2) is None


def test_a_head_that_is_not_whole_or_is_long_is_left_to_the_reader_of_requests() -> None:
    assert plain_request(LINE + HOST) is None
    assert plain_request(LINE + b"X: " + b"y" * MAX_HEAD + b"\r\n" + HOST + b"\r\n") is None
