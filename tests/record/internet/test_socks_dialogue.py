"""A proxy hears where the client wants to go before it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.dialogue import CLOSE, NOTHING_YET, Dialogue
from egress_audit.record.internet.socks_dialogue import (
    MAX_REQUEST,
    Socks4Dialogue,
    Socks5Dialogue,
)

REFUSED_4 = b"\0\x5b" + bytes(6)
REFUSED_5 = b"\5\2\0\1" + bytes(6)
TO_NAME = b"\5\1\0\3\x09a.example\x01\xbb"


@pytest.mark.parametrize(
    "request_bytes",
    [b"\4\1\0\x50\1\2\3\4user\0", b"\4\1\0\x50\1\2\3\4\0", b"\4\1\0\x50\0\0\0\1me\0a.example\0"],
)
def test_socks_4_refuses_behind_the_last_byte(request_bytes: bytes) -> None:
    server = Socks4Dialogue()
    for at in range(len(request_bytes) - 1):
        assert server.take(request_bytes[at : at + 1]) == NOTHING_YET
    assert server.take(request_bytes[-1:]) == (REFUSED_4, True)


@pytest.mark.parametrize(
    "request_bytes",
    [TO_NAME, b"\5\1\0\1\1\2\3\4\0\x50", b"\5\1\0\4" + bytes(16) + b"\0\x50", b"\5\1\0\x09\0\0"],
)
def test_socks_5_takes_no_password_and_then_refuses(request_bytes: bytes) -> None:
    server = Socks5Dialogue()
    assert server.take(b"\5\2\0\2") == (b"\5\0", False)
    assert server.take(request_bytes[:-1]) == NOTHING_YET
    assert server.take(request_bytes[-1:]) == (REFUSED_5, True)


def test_socks_5_believes_any_password() -> None:
    server = Socks5Dialogue()
    assert server.take(b"\5\1\2") == (b"\5\2", False)
    assert server.take(b"\1\4user\2p") == NOTHING_YET
    assert server.take(b"w") == (b"\1\0", False)
    assert server.take(TO_NAME) == (REFUSED_5, True)


def test_socks_5_without_a_method_we_know_is_refused() -> None:
    assert Socks5Dialogue().take(b"\5\1\1") == (b"\5\xff", True)


def test_a_client_that_does_not_wait_hears_everything_at_once() -> None:
    assert Socks5Dialogue().take(b"\5\1\0" + TO_NAME) == (b"\5\0" + REFUSED_5, True)


@pytest.mark.parametrize("kind", [Socks4Dialogue, Socks5Dialogue])
def test_a_request_without_end_is_refused(kind: type[Dialogue]) -> None:
    assert kind().take(b"\4\1" + b"x" * MAX_REQUEST).close


@pytest.mark.parametrize("kind", [Socks4Dialogue, Socks5Dialogue])
def test_silence_and_the_client_end_the_connection(kind: type[Dialogue]) -> None:
    assert kind().silence() == kind().end() == CLOSE


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=9), st.booleans())
def test_any_bytes_have_a_reply(pieces: list[bytes], four: bool) -> None:
    server: Dialogue = Socks4Dialogue() if four else Socks5Dialogue()
    for piece in pieces:
        if server.take(piece).close:
            break
