"""SOCKS is known by its greeting; what merely begins like one is not."""

import pytest

from egress_audit.names.reading import NOTHING
from egress_audit.names.socks import MAX_METHODS, SOCKS, read_greeting

FOUR = b"\x04\x01\x00\x50\xc0\x00\x02\x01"


@pytest.mark.parametrize(
    "stream",
    [
        b"\x05\x01\x00",
        b"\x05\x02\x00\x02",
        bytes([5, MAX_METHODS]) + bytes(MAX_METHODS),
        FOUR + b"user\0",
        FOUR + b"\0",
        FOUR[:4] + b"\0\0\0\1" + b"user\0host.example\0",
        b"\x04\x02" + FOUR[2:] + b"\0",
    ],
)
def test_a_greeting_says_that_a_name_is_hidden(stream: bytes) -> None:
    assert read_greeting(stream) == SOCKS
    assert "socks" in SOCKS.marks


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\x05",
        b"\x05\x01",
        b"\x05\x00",
        b"\x05\x02\x00",
        b"\x05\x01\x00\x00",
        bytes([5, MAX_METHODS + 1]) + bytes(MAX_METHODS + 1),
        FOUR,
        FOUR + b"user without end",
        b"\x04\x03" + FOUR[2:] + b"\0",
        FOUR + b"u" * 300 + b"\0",
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x00\x05",
    ],
)
def test_anything_else_is_not_socks(stream: bytes) -> None:
    assert read_greeting(stream) == NOTHING
