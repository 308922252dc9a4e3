"""What may stand in front of TLS or HTTP is passed over, and what merely looks like it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.prelude import (
    MAX_OPENING,
    MAX_PROXY_LINE,
    read_plain_opening,
    read_proxy_header,
)
from egress_audit.names.reading import NOTHING, Unread, anew
from egress_audit.names.stream import read_head
from tests.builders.captures import client_hello

HELLO = client_hello("a.example")
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)
LDAP = b"0\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
MYSQL = b"\x20\0\0\x01\x85\xae\xff\x19\0\0\0\x01\xff" + bytes(23)
RDP = b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\x0b\0\0\0"
OPENINGS = {
    "smtp": b"EHLO me.example\r\nSTARTTLS\r\n",
    "smtp, nothing said": b"NOOP\r\nEHLO me.example\r\nSTARTTLS\r\n",
    "sieve": b"CAPABILITY\r\nSTARTTLS\r\n",
    "imap": b"a1 CAPABILITY\r\na2 STARTTLS\r\n",
    "pop3": b"CAPA\r\nSTLS\r\n",
    "ftp": b"AUTH TLS\r\n",
    "nntp": b"CAPABILITIES\r\nSTARTTLS\r\n",
    "xmpp": b"<?xml version='1.0'?><stream:stream to='x'><starttls xmlns='urn:x'/>",
    "ldap": LDAP,
    "ldap of Windows": b"0\x84\0\0\0\x1d" + LDAP[2:],
    "postgresql": b"\0\0\0\x08\x04\xd2\x16\x2f",
    "mysql": MYSQL,
    "rdp": RDP,
    "proxy 1": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n",
    "proxy 2": V2,
}


@pytest.mark.parametrize("protocol", OPENINGS)
def test_the_hello_behind_an_opening_is_read(protocol: str) -> None:
    reading = read_head(OPENINGS[protocol] + HELLO, dns=False)
    assert [word.host for word in reading.spoken] == ["a.example"]
    assert (reading.unread, reading.hungry) == (None, False)


@pytest.mark.parametrize("protocol", OPENINGS)
def test_an_opening_may_come_in_any_pieces(protocol: str) -> None:
    opening = OPENINGS[protocol]
    for size in range(1, len(opening)):
        reading = read_head(opening[:size], dns=False)
        assert reading.hungry or reading.consumed == len(opening)
    assert read_head(opening, dns=False).consumed == len(opening)


def test_the_source_in_a_header_of_the_proxy_protocol_is_no_name() -> None:
    assert read_proxy_header(V2).spoken == ()
    assert read_proxy_header(V2).then is anew


@pytest.mark.parametrize(("family", "ends"), [(0x11, 12), (0x21, 36), (0x31, 216), (0, 0)])
def test_the_host_that_a_header_of_the_proxy_protocol_repeats_is_spoken(
    family: int, ends: int
) -> None:
    fields = b"\1\0\2h2\2\0\x09b.example\4\0\0"
    size = (ends + len(fields)).to_bytes(2, "big")
    header = V2[:13] + bytes((family,)) + size + bytes(ends) + fields
    assert [word.host for word in read_proxy_header(header).spoken] == ["b.example"]
    assert read_proxy_header(header[:-1]).hungry
    reading = read_head(header + HELLO, dns=False)
    assert [word.host for word in reading.spoken] == ["b.example", "a.example"]


def test_a_header_of_the_proxy_protocol_that_is_too_long_is_counted() -> None:
    reading = read_proxy_header(V2[:14] + b"\xff\xff")
    assert (reading.unread, reading.consumed) == (Unread.TRUNCATED, 16 + 0xFFFF)


def test_plain_text_that_never_asks_for_tls_leaves_nothing_unread() -> None:
    reading = read_plain_opening(b"EHLO me.example\r\nMAIL FROM:<a@b.example>\r\n")
    assert (reading.hungry, reading.optional, reading.unread) == (True, True, None)


@pytest.mark.parametrize(
    "other",
    [
        b"NICK x\r\nSTARTTLS\r\n",
        b"EHLO x\r\nSUBJECT: STARTTLS\r\n"[6:],
        LDAP[:20] + b"9" * 30,
        MYSQL[:5] + b"\0" + MYSQL[6:],
        b"\0\0\0\x08\x04\xd2\x16\x2e",
        RDP[:4] + b"\x0d" + RDP[5:],
        b"\x03\0\0\x13\x02\xf0\x80" + bytes(12),
        b"<html><starttls/>",
    ],
)
def test_another_protocol_is_nothing(other: bytes) -> None:
    assert read_plain_opening(other) == NOTHING


def test_text_without_end_is_given_up() -> None:
    assert read_plain_opening(b"EHLO x\r\n" + b"x" * MAX_OPENING) == NOTHING
    assert read_proxy_header(b"PROXY " + b"x" * MAX_PROXY_LINE) == NOTHING


@given(st.binary())
def test_any_bytes_are_read_without_raising(noise: bytes) -> None:
    for begin in (b"", b"0", b"EHLO ", b"<?xml", b"\x03\0\0", V2[:14], b"\x20\0\0\x01"):
        read_plain_opening(begin + noise)
        read_proxy_header(begin + noise)
