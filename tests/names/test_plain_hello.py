"""The short way through a ClientHello says what the long one says, or nothing at all."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.plain_hello import MAX_BODY, PlainHello, hello_in, plain_hello
from egress_audit.names.reading import Reading, Spoken
from egress_audit.names.stream import read_head
from egress_audit.names.tls import any_server_name, server_name
from tests.names.test_tls import extension, handshake, real_hello, records, sni, vector

QUIC_SNI = NameSource.QUIC_SNI
ALPN = extension(16, vector(b"\2h2\x08http/1.1", 2))
ECH = extension(0xFE0D, b"sealed")
OTHER = extension(10, b"\0\2\0\x1d")
SHARE = extension(51, vector(bytes(1216), 2))
EXTENSIONS = (
    sni(b"a.example"), sni(b"B.Example."), sni(b"a\0b"), sni(b"a", b"b"), sni(b"a", kind=1), sni(),
    sni(b""), sni(b"x" * MAX_BODY), ALPN, ECH, OTHER, SHARE, extension(0, b""),
    extension(16, b"\0\x01"), extension(16, b"\0\5\2h2\7h"), extension(16, b"\0\3\2h2x"),
    extension(16, b""), extension(16, vector(b"\1a" * 9 + b"\xff", 2)), b"\0", b"\0\0\xff\xff",
)  # fmt: skip


def told(reading: Reading) -> PlainHello | None:
    """What the long way says, in the words of the short one; None if those are not enough."""
    others = {mark for mark in reading.marks if not mark.startswith("alpn:")} - {"tls", "no-sni"}
    follows = reading.unread or reading.hungry or reading.consumed or reading.then
    if follows or others - {"ech"} or len(reading.spoken) > 1 or "tls" not in reading.marks:
        return None
    host = reading.spoken[0].host if reading.spoken else ""
    assert ("no-sni" in reading.marks) is not bool(host)
    offered = tuple(mark for mark in reading.marks if mark.startswith("alpn:"))
    return PlainHello(0, host, "ech" in others, offered)


def agrees(stream: bytes) -> bool:
    """Whether the short way says the same of a stream, if it says anything, as the long one."""
    hello = plain_hello(stream)
    reading = read_head(stream, dns=False)
    if hello is None:
        return True
    if hello.needs:
        return reading == Reading(marks=frozenset(("tls",)), hungry=True)
    outer = all(spoken.outer is hello.outer for spoken in reading.spoken)
    known = told(reading)
    if known is None or set(known.protocols) != set(hello.protocols):
        return False
    return known[:3] == hello[:3] and outer


def prefixes(stream: bytes) -> Iterator[bytes]:
    """A stream as it grows, around its ends and in between."""
    sizes = {*range(60), *range(0, len(stream), 37), *range(len(stream) - 5, len(stream))}
    return (stream[:size] for size in sorted(sizes) if 0 <= size <= len(stream))


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(EXTENSIONS), max_size=5),
    st.sampled_from((16384, 16384, 60)),
    st.binary(max_size=8),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=2),
)
def test_it_says_what_the_reader_of_tls_says(
    parts: list[bytes], record: int, behind: bytes, changes: list[tuple[int, int]]
) -> None:
    stream = bytearray(records(handshake(*parts), record) + behind)
    for at, byte in changes:
        stream[at % len(stream)] = byte
    assert all(agrees(part) for part in prefixes(bytes(stream)))


@settings(max_examples=300)
@example([], [(0, 2)], 100)
@example([], [(38, 255)], 100)
@given(
    st.lists(st.sampled_from(EXTENSIONS), max_size=5),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=2),
    st.integers(0, 200),
)
def test_every_message_has_the_same_name_either_way(
    parts: list[bytes], changes: list[tuple[int, int]], size: int
) -> None:
    message = bytearray(handshake(*parts))
    for at, byte in changes:
        message[at % len(message)] = byte
    shortened = b"\x01" + vector(bytes(message[4:size]), 3)
    for raw in (bytes(message), bytes(message[:size]), shortened):
        assert server_name(raw, QUIC_SNI) == any_server_name(raw, QUIC_SNI)


def test_a_plain_message_is_told_with_all_its_marks() -> None:
    for parts in ((ALPN, sni(b"A.example"), ECH), (ALPN, ALPN, SHARE), (ECH,), ()):
        message = handshake(*parts)
        assert hello_in(message, 0, len(message)) is not None
        assert server_name(message, QUIC_SNI) == any_server_name(message, QUIC_SNI)


@settings(max_examples=300)
@given(st.integers(0, 600), st.integers(0, 255), st.integers(0, 600))
def test_it_says_the_same_of_a_real_hello_that_was_bent(at: int, byte: int, size: int) -> None:
    stream = bytearray(REAL)
    stream[at % len(stream)] = byte
    assert agrees(bytes(stream[:size])) and agrees(bytes(stream) + b"\x17")


REAL = real_hello("huggingface.co", ["h2", "http/1.1"])


def test_a_real_hello_is_plain() -> None:
    offered = ("alpn:h2", "alpn:http/1.1")
    assert plain_hello(REAL) == PlainHello(0, "huggingface.co", False, offered)


def test_a_hello_without_a_name_is_plain() -> None:
    assert plain_hello(real_hello(None)) == PlainHello()


def test_a_name_in_front_of_a_sealed_hello_is_outer() -> None:
    assert plain_hello(records(handshake(sni(b"a.b"), ECH))) == PlainHello(0, "a.b", outer=True)


def test_a_hello_that_is_not_whole_says_how_long_it_will_be() -> None:
    long = records(handshake(SHARE, sni(b"a.example")))
    assert plain_hello(long[:1000]) == PlainHello(needs=len(long))
    assert plain_hello(long) == PlainHello(0, "a.example")


@pytest.mark.parametrize("parts", [(sni(b"a"), sni(b"b")), (sni(b"a", b"b"),)])
def test_two_names_are_left_to_the_reader_of_tls(parts: tuple[bytes, ...]) -> None:
    assert plain_hello(records(handshake(*parts))) is None


@pytest.mark.parametrize("behind", [b"\x16", b"\x14\x03\x03\0\1\1", b"\x16\x03\x03\0\x46\x10"])
def test_behind_which_another_may_stand_is_left_to_the_reader_of_tls(behind: bytes) -> None:
    assert plain_hello(REAL + behind) is None


def test_what_else_stands_behind_a_plain_hello_does_not_matter() -> None:
    assert plain_hello(REAL + b"\x17\x03\x03\0\x20") == plain_hello(REAL)


def test_one_that_shares_its_record_is_left_to_the_reader_of_tls() -> None:
    both = handshake(sni(b"a.example")) + handshake(sni(b"b.example"))
    assert plain_hello(records(both)) is None


def test_random_bytes_are_no_plain_hello() -> None:
    chance = random.Random(2)
    assert not any(plain_hello(b"\x16\x03" + chance.randbytes(200)) for _ in range(500))


def test_what_is_told_of_a_name_is_told_of_its_text() -> None:
    reading = read_head(records(handshake(sni(b"A.Example"))), dns=False)
    assert [type(spoken) for spoken in reading.spoken] == [Spoken]
    assert told(reading) == PlainHello(0, "a.example")
