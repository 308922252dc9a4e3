"""A client that speaks HTTP/2 at once hears 503 and GOAWAY behind its first request."""

from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.http2_dialogue import MAX_HEARD, PREFACE, Http2Dialogue

DATA, HEADERS, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 4, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int = 0, stream: int = 0, content: bytes = b"") -> bytes:
    """An HTTP/2 frame."""
    head = len(content).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + content


def frames(stream: bytes) -> list[tuple[int, int, int]]:
    """Type, flags and stream of each frame; the bytes must be whole frames."""
    found = []
    while stream:
        length = int.from_bytes(stream[:3], "big")
        found.append((stream[3], stream[4], int.from_bytes(stream[5:9], "big")))
        assert len(stream) >= 9 + length
        stream = stream[9 + length :]
    return found


REQUEST = PREFACE + frame(SETTINGS) + frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x82")


def test_a_request_is_answered_and_the_connection_ended() -> None:
    reply = Http2Dialogue().take(REQUEST)
    assert frames(reply.data) == [
        (SETTINGS, 0, 0),
        (WINDOW_UPDATE, 0, 0),
        (SETTINGS, 1, 0),
        (HEADERS, END_STREAM | END_HEADERS, 1),
        (GOAWAY, 0, 0),
    ]
    assert reply.close


def test_the_answer_comes_behind_the_last_byte() -> None:
    server = Http2Dialogue()
    closed = [server.take(REQUEST[at : at + 1]).close for at in range(len(REQUEST))]
    assert closed == [False] * (len(REQUEST) - 1) + [True]


def test_a_request_with_a_body_is_heard_to_its_end() -> None:
    server = Http2Dialogue()
    head = PREFACE + frame(HEADERS, END_HEADERS, 3, b"\x83")
    assert not server.take(head + frame(DATA, 0, 3, bytes(9000))).close
    assert server.take(frame(DATA, END_STREAM, 3, b"x")).close


def test_settings_that_acknowledge_ours_are_not_acknowledged() -> None:
    server = Http2Dialogue()
    server.take(PREFACE)
    assert server.take(frame(SETTINGS, 1)).data == b""


def test_too_many_bytes_end_the_connection() -> None:
    server = Http2Dialogue()
    server.take(PREFACE + frame(HEADERS, END_HEADERS, 1))
    replies = [
        server.take(frame(DATA, 0, 1, bytes(60_000))) for _ in range(MAX_HEARD // 60_000 + 1)
    ]
    assert replies[-1].close


def test_a_client_that_falls_silent_is_sent_away() -> None:
    server = Http2Dialogue()
    server.take(PREFACE)
    reply = server.silence()
    assert frames(reply.data) == [(GOAWAY, 0, 0)]
    assert reply.close
    assert server.end().close


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8))
def test_any_bytes_have_a_reply(pieces: list[bytes]) -> None:
    server = Http2Dialogue()
    server.take(PREFACE)
    for piece in pieces:
        if server.take(piece).close:
            break
