"""What first bytes tell of a stream holds for every reader, whatever follows."""

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egress_audit.names.first_bytes import SEEN, ends_of_hellos, says_nothing, told_apart
from egress_audit.names.plain_hello import plain_hello
from egress_audit.names.reading import Reading
from egress_audit.names.stream import read_head
from tests.builders.beginnings import beginning_with
from tests.builders.captures import client_hello

SERVER_HELLO = b"\x16\x03\x03\0\x5a\x02\0\0\x56\x03\x03" + bytes(79)
BEGINNINGS = (
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"\x15\x03\x03\0\x02\x02\x28", SERVER_HELLO,
    b"\x17\x03\x03\0\x20", b"\x16\x03\x01\0\0\x16\x03\x01\0\x09\x01\0\0\5",
    b"\x0bGET / HTTP/1.1\r\n\r\n",
    b"\x14\x03\x03\0\x01\x01", b"\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10",
    b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n\0\r\nQUIT\n",
    b"PROXY TCP4 192.0.2.1 ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"EHLO me\r\n", b"STARTTLS\r\n",
    b"a1 STARTTLS\r\n", b"(1) CAPABILITY\r\n", b"CAP LS 302\r\n", b"<?xml version='1.0'?>",
    b"<stream:stream xmlns=", b"0\x1d\x02\x01\x01w\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037",
    b"\0\0\0\x08\x04\xd2\x16\x2f", b"\x20\0\0\x01\0\x08\0\0\0\0\0\x01\x21" + bytes(23),
    b"\x03\0\0\x0b\x06\xe0\0\0\0\0\0", b"\x05\x01\0\x05\x01\0\x03\x01a\0\x50",
    b"\x04\x01\0\x50\xc0\0\2\1\0", b"\0\x1f\0\7\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1",
    b"\0\x1f\0\7\1\0\0\1\0\0\0\0\0\0\1a", b"SSH-2.0-OpenSSH_9\r\n", bytes(40), b" " * 20,
)  # fmt: skip
"""How the streams begin of everything that has a reader, and of some that have none."""


def passed_over(stream: bytes) -> bool:
    """Whether a stream is passed over, as one of two."""
    both = np.stack([np.frombuffer(part[:SEEN], np.uint8) for part in (stream, bytes(SEEN))])
    return bool(says_nothing(both)[0])


def is_silent(reading: Reading) -> bool:
    """Whether nothing is said, nothing awaited, and nothing would be read on."""
    follows = reading.hungry or reading.consumed or reading.then
    return not (reading.spoken or reading.unread or follows) and reading.marks <= {"tls", "http"}


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Beginnings with some bytes changed, cut off or put in, and anything behind them."""
    stream = bytearray(draw(st.sampled_from(BEGINNINGS)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, min(len(stream), SEEN) - 1))
        byte = draw(st.sampled_from((0, 1, 3, 4, 5, 9, 10, 13, 32, 60, 65)) | st.integers(0, 255))
        change = draw(st.sampled_from(("set", "insert", "delete")))
        stream[at : at + (change != "insert")] = b"" if change == "delete" else bytes((byte,))
    return bytes(stream) + draw(st.binary(min_size=SEEN, max_size=60))


@settings(max_examples=600)
@example(b"\x16\x03\x09\0\x5a\x02" + bytes(20))
@example(b"\x17\x03\x09\0\x5a\x02" + bytes(20))
@given(streams() | st.binary(min_size=SEEN, max_size=80))
def test_what_is_passed_over_says_nothing_to_any_reader(stream: bytes) -> None:
    if passed_over(stream):
        for size in range(SEEN, len(stream) + 1):
            assert is_silent(read_head(stream[:size], dns=False))


@pytest.mark.parametrize("stream", BEGINNINGS)
def test_what_has_a_name_or_awaits_one_is_never_passed_over(stream: bytes) -> None:
    stream = stream.ljust(SEEN, b"\0")
    assert not passed_over(stream) or is_silent(read_head(stream, dns=False))


@pytest.mark.parametrize(
    "stream", [SERVER_HELLO, b"\x17\x03\x03\0\x20" + bytes(32), b"HTTP/1.0 404 Not Found"]
)
def test_answers_of_servers_are_passed_over(stream: bytes) -> None:
    assert passed_over(stream)


def test_of_random_bytes_nearly_all_are_passed_over() -> None:
    made = random.Random(1).randbytes(SEEN * 4096)
    rows = np.frombuffer(made, np.uint8).reshape(-1, SEEN)
    assert says_nothing(rows).mean() > 0.94


HELLO = client_hello("a.example")


def is_whole(stream: bytes) -> bool:
    """Whether a stream is known to be a whole ClientHello, as one of two."""
    both = np.stack([np.frombuffer(part[:SEEN], np.uint8) for part in (bytes(SEEN), stream)])
    return int(ends_of_hellos(both)[1]) == len(stream)


@settings(max_examples=300)
@example(HELLO, [], b"")
@given(
    st.sampled_from((HELLO, client_hello("b.example", post_quantum=True))),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3),
    st.binary(max_size=30),
)
def test_a_whole_hello_is_read_to_its_end_and_nothing_goes_on(
    hello: bytes, changes: list[tuple[int, int]], behind: bytes
) -> None:
    stream = bytearray(hello)
    for at, byte in changes:
        stream[at] = byte
    for size in (SEEN, len(stream) - 1, len(stream)):
        part = bytes(stream[:size])
        if is_whole(part):
            reading = read_head(part, dns=False)
            assert not (reading.hungry or reading.consumed or reading.then)
            if not behind.startswith((b"\x14", b"\x16")):
                assert read_head(part + behind, dns=False) == reading


def test_a_plain_hello_is_whole_with_its_last_byte() -> None:
    assert is_whole(HELLO)
    assert not is_whole(HELLO[:-1])
    plain = plain_hello(HELLO)
    assert plain is not None
    assert plain.host == "a.example"


def test_with_more_behind_it_others_must_look_whether_that_is_another_hello() -> None:
    assert not is_whole(HELLO + b"more")
    assert not is_whole(HELLO + HELLO)
    assert not is_whole(HELLO[:4] + bytes([HELLO[4] + 9]) + HELLO[5:])


@pytest.mark.parametrize(
    "stream", [SERVER_HELLO, b"\x17" + HELLO[1:], HELLO[:5] + b"\2" + HELLO[6:]]
)
def test_other_records_are_no_hello(stream: bytes) -> None:
    assert not is_whole(stream)


def told(payloads: list[bytes], missing: int = 0) -> tuple[list[bool], list[bool], list[int]]:
    """Which streams say nothing, which are a whole ClientHello, and with what others would be."""
    sizes = [len(payload) + missing for payload in payloads]
    packets = beginning_with([*payloads, bytes(SEEN)], [*sizes, SEEN])
    silent, whole, needs = told_apart(packets, np.arange(len(payloads)))
    return silent.tolist(), whole.tolist(), needs.tolist()


def test_streams_are_told_apart_by_their_first_payloads() -> None:
    streams = [SERVER_HELLO, HELLO, b"GET / HTTP/1.1\r\n", HELLO[:-1], HELLO + b"more"]
    assert told(streams) == (
        [True, False, False, False, False],
        [False, True, False, False, False],
        [0, 0, 0, len(HELLO), 0],
    )
    assert told([]) == ([], [], [])


def test_of_a_short_payload_nothing_is_known() -> None:
    assert told([SERVER_HELLO[: SEEN - 1], HELLO[: SEEN - 1]]) == (
        *([False] * 2, [False] * 2, [0] * 2),
    )


def test_of_a_cut_payload_only_that_it_says_nothing_is_known() -> None:
    assert told([SERVER_HELLO, HELLO], missing=1) == ([True, False], [False, False], [0, 0])
