"""A request is heard to its end, then answered 503."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.dialogue import CLOSE, NOTHING_YET
from egress_audit.record.internet.http_dialogue import MAX_BODY, MAX_HEAD, HttpDialogue

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
CHUNKS = (
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
)


def post(length: int, extra: bytes = b"") -> bytes:
    """The head of a request with a body."""
    return b"POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (extra, length)


def is_503(data: bytes) -> bool:
    """True for a whole response that says what we always say."""
    head, _, body = data.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 503 ") and b"Content-Length: %d\r\n" % len(body) in head


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET,
        GET.replace(b"\r\n", b"\n"),
        b"\r\n" + GET,
        post(5) + b"hello",
        post(0),
        CHUNKS,
        b"CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_a_whole_request_is_answered_behind_its_last_byte(request_bytes: bytes) -> None:
    server = HttpDialogue()
    for at in range(len(request_bytes) - 1):
        assert server.take(request_bytes[at : at + 1]) == NOTHING_YET
    reply = server.take(request_bytes[-1:])
    assert is_503(reply.data)
    assert reply.close


def test_the_answer_says_that_the_connection_ends() -> None:
    assert b"\r\nConnection: close\r\n" in HttpDialogue().take(GET).data


def test_head_has_no_body() -> None:
    reply = HttpDialogue().take(GET.replace(b"GET", b"HEAD"))
    assert reply.data.endswith(b"\r\n\r\n")
    assert b"503" in reply.data


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    server = HttpDialogue()
    reply = server.take(post(5, b"expect: 100-Continue\r\n"))
    assert reply == (b"HTTP/1.1 100 Continue\r\n\r\n", False)
    assert is_503(server.take(b"hello").data)


def test_a_client_that_asks_and_sends_at_once_hears_both() -> None:
    data = HttpDialogue().take(post(5, b"Expect: 100-continue\r\n") + b"hello").data
    assert data.startswith(b"HTTP/1.1 100 ")
    assert is_503(data.partition(b"\r\n\r\n")[2])


def test_a_body_is_heard_up_to_a_bound() -> None:
    server = HttpDialogue()
    assert server.take(post(10 * MAX_BODY) + bytes(MAX_BODY)) == NOTHING_YET
    assert is_503(server.take(b"x").data)


def test_a_body_in_chunks_is_heard_up_to_a_bound() -> None:
    server = HttpDialogue()
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert server.take(head) == NOTHING_YET
    replies = [server.take(b"10000\r\n" + bytes(0x10000) + b"\r\n") for _ in range(16)]
    assert [reply.close for reply in replies] == [False] * 15 + [True]


@pytest.mark.parametrize("size", [b"x", b"-5", b""])
def test_a_chunk_without_a_size_ends_the_request(size: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert is_503(HttpDialogue().take(head + size + b"\r\n").data)


@pytest.mark.parametrize("line", [b"x" * 70, b"X: y\r\n" * 20])
def test_a_head_without_end_is_answered(line: bytes) -> None:
    server = HttpDialogue()
    assert server.take(b"GET / HTTP/1.1\r\n") == NOTHING_YET
    replies = [server.take(line) for _ in range(MAX_HEAD // len(line) + 2)]
    assert any(reply.close for reply in replies)


def test_a_client_that_closes_its_half_is_answered_all_the_same() -> None:
    server = HttpDialogue()
    server.take(GET[:-2])
    reply = server.end()
    assert is_503(reply.data)
    assert reply.close


def test_silence_ends_the_connection() -> None:
    assert HttpDialogue().silence() == CLOSE


@given(st.lists(st.sampled_from([GET, post(3), CHUNKS]) | st.binary(min_size=1), max_size=8))
def test_any_bytes_have_a_reply(pieces: list[bytes]) -> None:
    server = HttpDialogue()
    for piece in pieces:
        if piece and server.take(piece).close:
            break
