"""The requests of HTTP/2 without TLS: whom they are for, however they are cut into frames."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_over_http import MAX_QUESTION
from egress_audit.names.http2 import MAX_ASKING, MAX_BLOCK, PREFACE, Connection, read_preface
from egress_audit.names.reading import HUNGRY, Reading, Spoken, Unread
from egress_audit.names.stream import read_head, read_on

QUESTION = b"\0\0\1\0\0\1\0\0\0\0\0\0\1q\7example\0\0\1\0\1"


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def block(host: bytes, *, method: bytes = b"\x82", more: bytes = b"") -> bytes:
    """A header block: method, scheme, path, authority."""
    return method + b"\x86\x84\x01" + bytes((len(host),)) + host + more


def headers(number: int, host: bytes) -> bytes:
    return frame(1, 4, number, block(host))


SETTINGS = frame(4, 0, 0)
BEGIN = PREFACE + SETTINGS


def said(stream: bytes) -> list[str]:
    return [word.host for word in read_head(stream, dns=False).spoken]


def test_the_authority_of_a_request_is_spoken() -> None:
    reading = read_head(BEGIN + headers(1, b"Evil.example:8080"), dns=False)
    assert reading.spoken == (Spoken("evil.example", NameSource.HTTP2_AUTHORITY),)
    assert (reading.unread, reading.hungry) == (None, False)


def test_every_stream_of_a_connection_is_read() -> None:
    streams = headers(1, b"a.example") + frame(0, 1, 1, b"body") + headers(3, b"b.example")
    assert said(BEGIN + streams) == ["a.example", "b.example"]


def test_the_table_lives_as_long_as_the_connection() -> None:
    indexed = frame(1, 4, 1, b"\x82\x86\x84\x41\x09a.example")
    assert said(BEGIN + indexed + frame(1, 4, 3, b"\x82\x86\x84\xbe")) == ["a.example"] * 2


def test_padding_and_priority_are_passed_over() -> None:
    body = b"\x02" + bytes(5) + block(b"a.example") + bytes(2)
    assert said(BEGIN + frame(1, 0x2C, 1, body)) == ["a.example"]


def test_a_block_in_several_frames_is_put_together() -> None:
    whole = block(b"a.example")
    cut = frame(1, 0, 1, whole[:5]) + frame(9, 0, 1, whole[5:9]) + frame(9, 4, 1, whole[9:])
    assert said(BEGIN + cut) == ["a.example"]


def test_a_host_field_beside_the_authority_is_spoken_too() -> None:
    body = block(b"a.example", more=b"\x0f\x17\x09b.example")
    reading = read_head(BEGIN + frame(1, 4, 1, body), dns=False)
    assert reading.spoken[1] == Spoken("b.example", NameSource.HTTP_HOST)


def test_connect_asks_a_proxy() -> None:
    body = block(b"a.example:443", method=b"\x02\x07CONNECT")
    reading = read_head(BEGIN + frame(1, 4, 1, body), dns=False)
    assert reading.spoken == (Spoken("a.example", NameSource.HTTP_CONNECT),)


def test_what_a_tunnel_carries_is_hidden() -> None:
    method = b"\x02\x07CONNECT"
    tunnel = frame(1, 4, 1, block(b"a.example:443", method=method)) + frame(0, 0, 1, b"\x16\3\1")
    assert "http2-tunnel" in read_head(BEGIN + headers(3, b"b.example") + tunnel, dns=False).marks
    datagrams = block(b"a.example", method=method, more=b"\0\x09:protocol\x0bconnect-udp")
    assert "http2-tunnel" in read_head(BEGIN + frame(1, 4, 1, datagrams), dns=False).marks
    either = datagrams + b"\0\x09:protocol\x09websocket"
    assert "http2-tunnel" in read_head(BEGIN + frame(1, 4, 1, either), dns=False).marks


def test_a_request_or_a_websocket_is_no_tunnel() -> None:
    socket = block(b"a.example", method=b"\x02\x07CONNECT", more=b"\0\x09:protocol\x09websocket")
    for asks in (headers(1, b"a.example"), frame(1, 4, 1, socket)):
        assert read_head(BEGIN + asks, dns=False).marks == {"http2"}


def test_trailers_and_responses_are_no_requests() -> None:
    assert said(BEGIN + frame(1, 4, 2, b"\x88\x01\x09a.example")) == []


def test_a_question_to_the_dns_is_read_in_the_body_and_in_the_path() -> None:
    kind = b"\x0f\x10\x17application/dns-message"
    asks = frame(1, 4, 1, block(b"a.example", more=kind)) + frame(0, 1, 1, QUESTION)
    assert said(BEGIN + asks) == ["a.example", "q.example"]
    path = b"/q?dns=" + urlsafe_b64encode(QUESTION).rstrip(b"=")
    body = b"\x82\x86\x04" + bytes((len(path),)) + path + b"\x01\x09a.example"
    assert said(BEGIN + frame(1, 4, 1, body)) == ["a.example", "q.example"]
    lacking = b"\x82\x86\x04" + bytes((len(path) - 5,)) + path[:-5]
    unread = [read_head(BEGIN + frame(1, 4, 1, each), dns=False).unread for each in (body, lacking)]
    assert unread == [None, Unread.MALFORMED]


ASKS = BEGIN + frame(1, 4, 1, block(b"a.example", more=b"\x0f\x10\x17application/dns-message"))


@pytest.mark.parametrize("at", range(len(QUESTION)))
def test_a_question_in_several_frames_is_put_together(at: int) -> None:
    assert said(ASKS + frame(0, 0, 1, QUESTION[:at]) + frame(0, 1, 1, QUESTION[at:])) == [
        "a.example",
        "q.example",
    ]


def test_a_question_that_never_comes_whole_is_waited_for_or_counted() -> None:
    begun = read_head(ASKS + frame(0, 0, 1, QUESTION[:9]), dns=False)
    assert (begun.hungry, begun.unread) == (True, None)
    ended = read_head(ASKS + frame(0, 1, 1, QUESTION[:9]), dns=False)
    assert (ended.hungry, ended.unread) == (False, Unread.MALFORMED)


def test_a_question_in_frames_of_an_octet_that_ends_without_a_flag_is_read_by_its_double() -> None:
    octets = b"".join(frame(0, 0, 1, QUESTION[at : at + 1]) for at in range(len(QUESTION)))
    assert read_head(ASKS + octets, dns=False).hungry
    ended = ASKS + octets + frame(0, 1, 1)
    assert said(ended) == ["a.example", "q.example"]


@pytest.mark.parametrize(("streams", "unread"), [(MAX_ASKING, None), (MAX_ASKING + 1, "malformed")])
def test_more_questions_at_a_time_than_are_read_are_counted(
    streams: int, unread: str | None
) -> None:
    asks = b"".join(
        frame(1, 4, number, block(b"a.example", more=b"\x0f\x10\x17application/dns-message"))
        for number in range(1, streams + 1)
    )
    assert read_head(BEGIN + asks, dns=False).unread == unread


def test_a_question_that_is_too_long_is_counted_and_not_held() -> None:
    begun = ASKS + frame(0, 0, 1, QUESTION[:9]) + frame(0, 0, 1, bytes(MAX_QUESTION))
    assert read_head(begun, dns=False).unread is Unread.MALFORMED


def test_a_body_of_another_kind_is_no_question() -> None:
    assert said(BEGIN + headers(1, b"a.example") + frame(0, 1, 1, QUESTION)) == ["a.example"]


@pytest.mark.parametrize(
    "frames",
    [
        headers(1, b"a.example"),  # no settings first
        SETTINGS + frame(9, 4, 1, b""),  # the continuation of nothing
        SETTINGS + frame(1, 0, 1, b"") + SETTINGS,  # a block torn apart
        SETTINGS + frame(1, 0xC, 1, b"\xff"),  # more padding than body
        SETTINGS + frame(1, 4, 1, b"\x80"),
    ],
)
def test_what_contradicts_the_protocol_is_counted(frames: bytes) -> None:
    assert read_head(PREFACE + frames, dns=False).unread is Unread.MALFORMED


def test_a_block_beyond_the_bound_is_counted() -> None:
    parts = frame(1, 0, 1, bytes(16000)) + frame(9, 0, 1, bytes(16000)) * (MAX_BLOCK // 16000)
    assert read_head(BEGIN + parts, dns=False).unread is Unread.TRUNCATED


def test_an_authority_of_two_readings_is_counted() -> None:
    reading = read_head(BEGIN + headers(1, b"a.example@b.example"), dns=False)
    assert (len(reading.spoken), reading.unread) == (2, Unread.MALFORMED)


def test_a_body_that_is_not_there_is_counted_and_not_held() -> None:
    begun = BEGIN + frame(0, 0, 1, bytes(1000))[:20]
    reading = read_head(begun, dns=False)
    assert (reading.hungry, reading.consumed) == (False, len(BEGIN) + 9 + 1000)


def test_a_preface_in_pieces_is_hungry() -> None:
    assert read_preface(PREFACE[:10]) == HUNGRY
    assert read_preface(PREFACE[:16] + b"xx" + PREFACE[18:]).unread is Unread.MALFORMED


STREAM = (
    BEGIN
    + frame(1, 4, 1, b"\x82\x86\x84\x41\x09a.example")
    + frame(0, 1, 1, b"x" * 30)
    + frame(1, 0, 3, b"\x82\x86")
    + frame(9, 4, 3, b"\x84\xbe")
)


@given(st.lists(st.integers(1, 60), max_size=12))
def test_the_segments_a_connection_comes_in_change_nothing(pieces: list[int]) -> None:
    hosts: list[str] = []
    reading, at, end = Reading(), 0, 0
    for piece in [*pieces, len(STREAM)]:
        end = min(end + piece, len(STREAM))
        if at >= end:
            continue
        held = STREAM[at:end]
        reading = read_on(held, reading.then) if reading.then else read_head(held, dns=False)
        hosts += [word.host for word in reading.spoken[: reading.done]]
        at += reading.consumed
    assert hosts == ["a.example", "a.example"]


@given(st.binary())
def test_any_frames_are_read_without_raising(noise: bytes) -> None:
    Connection().read(noise)
    Connection().read(SETTINGS + noise)
    Connection().read(SETTINGS + frame(1, 4, 1, noise))
