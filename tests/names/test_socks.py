"""What a SOCKS proxy is asked for is spoken; what merely begins like SOCKS is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Spoken, Unread
from egress_audit.names.socks import GARBLED, MAX_USER, SOCKS, read_greeting

HELLO = b"\x05\x01\x00"
HOST = b"\x0cevil.example\x01\xbb"
USER = b"\x01\x03bob\x02pw"
FOUR = b"\x04\x01\x00\x50\xc0\x00\x02\x01"
FOUR_A = FOUR[:4] + b"\0\0\0\1"


def asked(host: str) -> Reading:
    return Reading((Spoken(host, NameSource.SOCKS),))


@pytest.mark.parametrize(
    ("stream", "host"),
    [
        (HELLO + b"\x05\x01\x00\x03" + HOST, "evil.example"),
        (b"\x05\x02\x00\x02" + USER + b"\x05\x01\x00\x03" + HOST, "evil.example"),
        (b"\x05\xff" + bytes(255) + b"\x05\x01\x00\x03" + HOST, "evil.example"),
        (HELLO + b"\x05\xf0\x00\x03" + HOST, "evil.example"),
        (HELLO + b"\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb", "192.0.2.1"),
        (HELLO + b"\x05\x01\x00\x04\x20\x01\x0d\xb8" + bytes(11) + b"\1\x01\xbb", "2001:db8::1"),
        (FOUR + b"user\0", "192.0.2.1"),
        (FOUR + b"\0", "192.0.2.1"),
        (FOUR_A + b"user\0Evil.example\0", "evil.example"),
    ],
)
def test_the_target_of_a_proxy_is_spoken(stream: bytes, host: str) -> None:
    assert read_greeting(stream) == asked(host)
    assert read_greeting(stream + b"\x16\x03\x01") == asked(host)


OPENFLOW_ERROR = bytes.fromhex("0401017c00000012" + "0002" + "0002" + "040e017000000012" + "00" * 8)
"""As a switch answers a message that it cannot carry out (OpenFlow 1.3.2 §A.4.4)."""


@pytest.mark.parametrize("host", [b"\x02", b"\x7f\x01"])
def test_an_error_of_openflow_names_no_host_and_hides_one(host: bytes) -> None:
    assert read_greeting(OPENFLOW_ERROR) == GARBLED
    assert read_greeting(FOUR_A + b"\0" + host + b"\0") == GARBLED


@pytest.mark.parametrize("host", [b"\x02a", b"a\x1f"])
def test_a_host_with_an_odd_byte_is_spoken_all_the_same(host: bytes) -> None:
    assert read_greeting(FOUR_A + b"\0" + host + b"\0").spoken


@pytest.mark.parametrize(
    "stream",
    [
        b"\x05\x03\x00\x01\x02" + USER + b"\x05\x01\x00\x03" + HOST,
        FOUR_A + b"user\0evil.example\0",
    ],
)
def test_a_greeting_in_pieces_is_hungry_until_the_target(stream: bytes) -> None:
    for size in range(1, len(stream)):
        assert read_greeting(stream[:size]) == HUNGRY
    assert read_greeting(stream) == asked("evil.example")


@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        (b"evil.example\0", ["evil.example"]),
        (b"evil.example\0.good.example", ["evil.example", ".good.example"]),
        (b"evil%2eexample", ["evil%2eexample"]),
        (b"  ", []),
    ],
)
def test_a_name_that_proxies_take_differently_is_spoken_in_each_way_and_unread(
    name: bytes, hosts: list[str]
) -> None:
    request = b"\x05\x01\x00\x03" + bytes((len(name),)) + name + b"\x01\xbb"
    reading = read_greeting(HELLO + request)
    assert [word.host for word in reading.spoken] == hosts
    assert reading.unread is Unread.MALFORMED


@pytest.mark.parametrize(
    "stream",
    [
        b"\x05\x01\x03\x00\x04abcd\x05",
        b"\x05\x01\x80\x02",
        HELLO + b"\x00",
        HELLO + b"\x05\x07\x00\x01",
        HELLO + b"\x05\x03\x00\x01" + bytes(6),
        HELLO + b"\x05\x01\x07\x01",
    ],
)
def test_a_target_that_cannot_be_read_is_hidden(stream: bytes) -> None:
    assert read_greeting(stream).marks == SOCKS.marks
    assert not read_greeting(stream).spoken


@pytest.mark.parametrize(
    "stream",
    [
        HELLO + b"\x05\x01\x00\x02\x00",
        HELLO + b"\x05\x01\x00\x03\x00",
        FOUR_A + b"user\0" + b"h" * MAX_USER,
        FOUR_A + b"user\0\0",
    ],
)
def test_a_target_that_contradicts_the_protocol_is_counted(stream: bytes) -> None:
    assert read_greeting(stream) == GARBLED
    assert GARBLED.unread is Unread.MALFORMED


@pytest.mark.parametrize("command", [b"\x02", b"\x03"])
def test_a_command_that_leads_further_hides_what_follows(command: bytes) -> None:
    reading = read_greeting(HELLO + b"\x05" + command + b"\x00\x03" + HOST)
    assert (reading.spoken, reading.marks) == (asked("evil.example").spoken, SOCKS.marks)


@pytest.mark.parametrize("unknown", [b"\x01\0\0\0\0", b"\x04" + bytes(16), b"\x03\x010"])
def test_whoever_does_not_know_yet_from_where_datagrams_will_come_asks_for_nobody(
    unknown: bytes,
) -> None:
    assert read_greeting(HELLO + b"\x05\x03\x00" + unknown + b"\0\0") == SOCKS


def test_a_connection_to_zeros_is_one_to_this_machine() -> None:
    assert read_greeting(HELLO + b"\x05\x01\x00\x03\x010\0\x50") == asked("0")


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\x05\x00",
        b"\x05\x00\x0b\x03\x10\x00\x00\x00",
        b"\x05\x02\x00\x41",
        b"\x05\x02\x01\x00\x05\x00\x00\x01" + bytes(6),
        b"\x05\x20" + b"text that is no list of methods",
        b"\x04\x03" + FOUR[2:] + b"\0",
        b"\x04\x00\x00\x07\x05\x00\x00\x00\x1b",
        FOUR + b"u" * MAX_USER,
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x00\x05",
        b"SSH-2.0-x\r\n",
    ],
)
def test_anything_else_is_not_socks(stream: bytes) -> None:
    assert read_greeting(stream) == NOTHING


@given(st.binary(max_size=60), st.sampled_from([b"", b"\x05", b"\x04\x01", HELLO, FOUR_A]))
def test_any_bytes_are_read_without_raising(noise: bytes, start: bytes) -> None:
    read_greeting(start + noise)


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([HELLO, FOUR, FOUR_A]))
def test_a_reading_that_is_not_hungry_stays(first: bytes, more: bytes, start: bytes) -> None:
    reading = read_greeting(start + first)
    assert reading.hungry or reading == read_greeting(start + first + more)
