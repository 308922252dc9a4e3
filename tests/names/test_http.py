"""Heads of HTTP requests: whom they are for, however carelessly they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.http import MAX_HEAD, read_request_head
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Spoken, Unread


def host(name: str) -> Spoken:
    return Spoken(name, NameSource.HTTP_HOST)


def head(*fields: str, line: str = "GET / HTTP/1.1") -> bytes:
    return "\r\n".join((line, *fields, "", "")).encode()


HEAD = head("User-Agent: x", "Host: HuggingFace.co:443", "Accept: */*")


def test_a_request_speaks_its_host_without_the_port() -> None:
    assert read_request_head(HEAD) == Reading((host("huggingface.co"),), frozenset(("http",)))


def test_a_request_without_host_speaks_nothing() -> None:
    assert read_request_head(head("Accept: */*")) == Reading(marks=frozenset(("http",)))


def test_a_field_that_only_resembles_host_is_not_spoken() -> None:
    fields = ("X-Host: a.example", "Hostage: b.example", "Referer: http://c.example/")
    assert read_request_head(head(*fields)).spoken == ()


def test_the_body_is_not_read() -> None:
    assert read_request_head(head("Host: a.example") + b"\r\nHost: b.example\r\n\r\n").spoken == (
        host("a.example"),
    )


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a.example.", "a.example"),
        ("[2001:DB8::1]:8080", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("a.example:", "a.example"),
        ("a\tb", r"a\x09b"),
    ],
)
def test_a_host_is_spoken_in_one_form(value: str, name: str) -> None:
    assert read_request_head(head(f"Host: {value}")).spoken == (host(name),)


def test_an_empty_host_is_not_spoken() -> None:
    assert read_request_head(head("Host:")).spoken == ()


def test_several_hosts_are_all_spoken() -> None:
    fields = ("Host: a.example", "HOST:b.example", "host : c.example")
    assert [word.host for word in read_request_head(head(*fields)).spoken] == [
        "a.example",
        "b.example",
        "c.example",
    ]


def test_connect_speaks_its_target() -> None:
    reading = read_request_head(head(line="CONNECT Evil.example:443 HTTP/1.1"))
    assert reading.spoken == (Spoken("evil.example", NameSource.HTTP_CONNECT),)
    assert reading.marks == {"http"}


def test_an_absolute_target_is_spoken_beside_the_host() -> None:
    line = "GET http://user:pw@Evil.example:80/path?q HTTP/1.1"
    reading = read_request_head(head("Host: good.example", line=line))
    assert reading.spoken == (host("evil.example"), host("good.example"))
    assert reading.marks == {"http", "absolute-form"}


def test_a_path_that_holds_an_address_is_not_absolute() -> None:
    reading = read_request_head(head("Host: a.example", line="GET /http://b.example HTTP/1.1"))
    assert reading.spoken == (host("a.example"),)
    assert reading.marks == {"http"}


@pytest.mark.parametrize(
    "careless",
    [
        b"GET / HTTP/1.1\nHost: a.example\n\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n a.example\r\n\r\n",
        b"GET  /with space  HTTP/1.0\r\nHost: a.example\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a.example \r\n\r\n",
    ],
    ids=["bare LF", "empty lines first", "folded", "spaces", "unknown method"],
)
def test_a_careless_head_is_read(careless: bytes) -> None:
    assert read_request_head(careless).spoken == (host("a.example"),)


@pytest.mark.parametrize(
    "other",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"EHLO mail.example\r\n",
        b"GET /\r\n",
        b"DESCRIBE rtsp://a.example RTSP/1.0\r\n",
        b"GET / http/1.1\r\n",
        b"get\0/ HTTP/1.1\r\n",
        b"M" * 65,
        b"\x16\x03\x01\x02\x00\x01",
        b"HTTPS",
    ],
)
def test_what_is_not_http_is_nothing(other: bytes) -> None:
    assert read_request_head(other) in (NOTHING, HUNGRY)
    assert read_request_head(other + b"\r\n\r\n") == NOTHING


def test_a_response_is_marked_and_done() -> None:
    assert read_request_head(b"HTTP/1.1 200 OK\r\n") == Reading(marks=frozenset(("http",)))


def test_the_preface_of_http2_says_that_names_are_inside() -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    assert read_request_head(preface) == Reading(marks=frozenset(("http2",)))
    assert read_request_head(preface[:13]) == HUNGRY


@pytest.mark.parametrize("size", range(len(HEAD)))
def test_a_head_that_has_not_ended_is_hungry(size: int) -> None:
    reading = read_request_head(HEAD[:size])
    assert reading.hungry
    assert reading.unread is None
    assert reading.spoken in ((), (host("huggingface.co"),))


def test_a_hungry_head_speaks_the_hosts_whose_line_has_ended() -> None:
    assert read_request_head(b"GET / HTTP/1.1\r\nHost: a.example\r\nAcc").spoken
    assert not read_request_head(b"GET / HTTP/1.1\r\nHost: a.exam").spoken


def test_a_line_that_might_still_be_folded_has_not_ended() -> None:
    assert not read_request_head(b"GET / HTTP/1.1\r\nHost: a.exam\r\n").spoken
    assert not read_request_head(b"GET / HTTP/1.1\r\nHost: a.exam\r\n p").spoken


def test_a_head_beyond_the_bound_is_truncated_with_the_host_that_was_there() -> None:
    reading = read_request_head(b"GET / HTTP/1.1\r\nHost: a.example\r\nX: " + b"x" * MAX_HEAD)
    assert reading == Reading((host("a.example"),), frozenset(("http",)), Unread.TRUNCATED)


def test_a_request_line_beyond_the_bound_is_truncated() -> None:
    line = b"GET /" + b"x" * MAX_HEAD
    assert read_request_head(line[: MAX_HEAD - 1]) == HUNGRY
    assert read_request_head(line) == Reading(unread=Unread.TRUNCATED)


@given(st.binary())
def test_any_bytes_are_read_without_raising(noise: bytes) -> None:
    read_request_head(noise)
    read_request_head(b"GET / HTTP/1.1\r\n" + noise)
    read_request_head(b"GET " + noise + b" HTTP/1.1\r\nHost:" + noise + b"\r\n\r\n")


@given(st.text(alphabet="Host: a\r\n\t@[]x", max_size=60), st.integers(0, 80))
def test_a_cut_head_says_nothing_that_the_whole_one_does_not(fields: str, size: int) -> None:
    whole = b"GET / HTTP/1.1\r\n" + fields.encode() + b"\r\n\r\n"
    cut = read_request_head(whole[:size])
    assert set(cut.spoken) <= set(read_request_head(whole).spoken)
    assert cut.hungry or cut == read_request_head(whole)
