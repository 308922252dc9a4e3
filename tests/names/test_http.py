"""Heads of HTTP requests: whom they are for, however carelessly they are written."""

import time
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.http import MAX_HEAD, read_further, read_request_head
from egress_audit.names.reading import HUNGRY, NOTHING, Reader, Reading, Spoken, Unread
from egress_audit.names.stream import read_on, read_opening
from tests.builders.captures import dns_query


def host(name: str) -> Spoken:
    return Spoken(name, NameSource.HTTP_HOST)


def asked(name: str) -> Spoken:
    """What a proxy is asked for."""
    return Spoken(name, NameSource.HTTP_CONNECT)


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
        ("a\x7fb", r"a\x7fb"),
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
    line = "GET http://Evil.example:80/path?q HTTP/1.1"
    reading = read_request_head(head("Host: good.example", line=line))
    assert reading.spoken == (asked("evil.example"), host("good.example"))
    assert reading.marks == {"http", "absolute-form"}
    assert reading.unread is None


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
        b"DESCRIBE rtsp://a.example RTSP/1.0\r\n",
        b"get key\r\n",
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


def test_the_preface_of_http2_is_known() -> None:
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


def read(stream: bytes) -> Reading:
    """What a stream says, all its requests."""
    return read_on(stream, read_opening)


def said(stream: bytes) -> list[str]:
    return [word.host for word in read(stream).spoken]


FIELDS = b"Host: good.example\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"connect evil.example:443 HTTP/1.1\r\n",
        b"CONNECT\tevil.example:443\tHTTP/1.1\r\n",
        b"CONNECT  evil.example:443 \t HTTP/1.1 \r\n",
        b" CONNECT evil.example:443 HTTP/1.1\r\n",
        b"CONNECT evil.example:443 HTTP/2.0\r\n",
        b"CONNECT evil.example:443 http/1.1\r\n",
        b"CONNECT evil.example:443 HTTP/01.1\r\n",
        b"GET http:/evil.example/ HTTP/1.1\r\n",
        b"GET http:\\\\evil.example/ HTTP/1.1\r\n",
        b"GET http:evil.example/ HTTP/1.1\r\n",
        b"GET https://evil.example/ HTTP/1.1\r\n",
        b"get HTTP://evil.example?x HTTP/1.0\r\n",
    ],
)
def test_a_proxy_is_asked_in_any_spelling_that_one_may_accept(line: bytes) -> None:
    reading = read_request_head(line + FIELDS)
    assert reading.spoken == (asked("evil.example"), host("good.example"))
    assert reading.unread is None


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT evil.example:443\r\n",
        b"GET http://evil.example/\r\n",
        b"get http://evil.example\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\rHost: a.example\r\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\rHost: a.example\r\rx",
        b"GET evil.example:80 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_only_some_proxies_take_is_spoken_and_counted(line: bytes) -> None:
    reading = read_request_head(line)
    assert asked("evil.example") in reading.spoken
    assert reading.unread is Unread.MALFORMED


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT evil.example HTTP/x\r\n",
        b"GET one two three\r\n",
        b"OPTIONS rtsp://evil.example RTSP/1.0\r\n",
        b"CONNECT \r\n",
        b"GET index.html HTTP/1.1\r\n\r\n",
    ],
)
def test_what_begins_like_a_request_and_is_none_is_counted(line: bytes) -> None:
    reading = read_request_head(line)
    assert (reading.spoken, reading.unread) == ((), Unread.MALFORMED)


@pytest.mark.parametrize("line", [b"get key\r\n", b"GETTING there\r\n", b"set GET 0 0 5\r\n"])
def test_the_words_of_another_protocol_are_no_request(line: bytes) -> None:
    assert read_request_head(line) == NOTHING


@pytest.mark.parametrize(
    ("authority", "names"),
    [
        ("good.example@evil.example:443", ["good.example", "evil.example"]),
        ("evil.example\\@good.example", ["evil.example", "good.example"]),
        ("evil.example\0.good.example:443", ["evil.example", ".good.example"]),
        ("evil.example:443 good.example:443", ["evil.example", "good.example"]),
        ("[::1]evil.example:443", ["::1", "evil.example"]),
        ("evil.example:443:good.example", ["evil.example"]),
        ("evil.example:4x3", ["evil.example"]),
        ("user@evil.example", ["evil.example"]),
        ("evil.example/good.example", ["evil.example", "good.example"]),
        (":443", []),
    ],
)
def test_an_authority_of_two_readings_speaks_both_and_is_counted(
    authority: str, names: list[str]
) -> None:
    reading = read_request_head(head(line=f"CONNECT {authority} HTTP/1.1"))
    assert [word.host for word in reading.spoken] == names
    assert reading.unread is Unread.MALFORMED


@pytest.mark.parametrize(
    "authority", ["a.example:443", "[2001:db8::1]:443", "[::1]", "127.0.0.1:8080", "printer"]
)
def test_an_ordinary_authority_is_not_counted(authority: str) -> None:
    assert read_request_head(head(line=f"CONNECT {authority} HTTP/1.1")).unread is None


def test_an_absolute_target_with_a_user_names_one_host_and_is_counted() -> None:
    reading = read_request_head(head(line="GET http://user:pw@evil.example/ HTTP/1.1"))
    assert reading == Reading(
        (asked("evil.example"),), frozenset(("http", "absolute-form")), Unread.MALFORMED
    )


def test_two_urls_in_one_target_are_both_spoken() -> None:
    reading = read_request_head(head(line="GET http://a.example http://b.example/ HTTP/1.1"))
    assert reading.spoken == (asked("a.example"), asked("b.example"))
    assert reading.unread is Unread.MALFORMED


SECOND = b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"


@pytest.mark.parametrize(
    "first",
    [
        head("Host: a.example"),
        head("Host: a.example", "Content-Length: 5", line="POST / HTTP/1.1") + b"hello",
        head("Host: a.example", "Transfer-Encoding: chunked", line="POST / HTTP/1.1")
        + b"5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        head("Host: a.example", line="HEAD / HTTP/1.1") + b"\r\n",
        head(line="CONNECT a.example:80 HTTP/1.1"),
    ],
)
def test_a_request_behind_another_is_spoken(first: bytes) -> None:
    assert said(first + SECOND) == ["a.example", "evil.example", "evil.example"]
    assert said(first + SECOND + SECOND)[3:] == ["evil.example"] * 2
    assert read(first + SECOND[:-2]).hungry


@pytest.mark.parametrize(
    "first",
    [
        head("Host: a.example", f"Content-Length: {len(SECOND)}", line="POST / HTTP/1.1"),
        head("Host: a.example", "Content-Length: 9999", line="POST / HTTP/1.1"),
        head("Host: a.example", "Transfer-Encoding: chunked", line="POST / HTTP/1.1")
        + b"%x\r\n" % len(SECOND),
    ],
)
def test_a_body_that_looks_like_a_request_is_none(first: bytes) -> None:
    reading = read(first + SECOND)
    assert [word.host for word in reading.spoken] == ["a.example"]
    assert reading.unread is None


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 0"),
        ("Content-Length: five",),
    ],
)
def test_a_body_of_two_lengths_is_counted(fields: tuple[str, ...]) -> None:
    assert read_request_head(head(*fields, line="POST / HTTP/1.1")).unread is Unread.MALFORMED


def test_a_body_that_is_not_there_is_counted_and_not_held() -> None:
    first = head("Host: a.example", "Content-Length: 9999", line="POST / HTTP/1.1")
    reading = read(first + b"x" * 100)
    assert (reading.hungry, reading.consumed) == (False, len(first) + 9999)
    assert reading.then is read_further


def test_a_chunk_that_is_not_there_is_counted_and_not_held() -> None:
    first = head("Host: a.example", "Transfer-Encoding: chunked", line="POST / HTTP/1.1")
    reading = read(first + b"ffff\r\nxx")
    assert (reading.hungry, reading.consumed) == (False, len(first) + 6 + 0xFFFF)
    assert reading.then is not None
    assert said_by(reading.then, b"\r\n0\r\n\r\n" + SECOND) == ["evil.example"] * 2


def said_by(reader: Reader, stream: bytes) -> list[str]:
    return [word.host for word in read_on(stream, reader).spoken]


def test_a_chunk_without_size_is_counted() -> None:
    first = head("Host: a.example", "Transfer-Encoding: chunked", line="POST / HTTP/1.1")
    assert read(first + b"hello\r\n").unread is Unread.MALFORMED


QUESTION = dns_query("q.example")
ASKS = head(
    "Host: a.example",
    "content-type: Application/DNS-Message",
    f"Content-Length: {len(QUESTION)}",
    line="POST /dns-query HTTP/1.1",
)


def test_a_question_to_the_dns_in_a_body_is_spoken() -> None:
    asked = ["a.example", "q.example"]
    assert said(ASKS + QUESTION + SECOND)[:2] == asked
    assert said(ASKS + QUESTION + SECOND)[2:] == ["evil.example"] * 2
    begun = read(ASKS + QUESTION[:-1])
    assert (begun.hungry, begun.optional, begun.consumed) == (True, False, len(ASKS))
    assert begun.then is not None
    assert said_by(begun.then, QUESTION) == ["q.example"]


def test_a_body_of_another_type_is_passed_over() -> None:
    assert said(ASKS.replace(b"DNS-M", b"X-M") + QUESTION) == ["a.example"]


def test_a_question_in_a_path_is_spoken() -> None:
    line = b"GET /q?dns=%s HTTP/1.1\r\nHost: a.example\r\n\r\n"
    assert said(line % urlsafe_b64encode(QUESTION)) == ["q.example", "a.example"]


@pytest.mark.parametrize(("left", "unread"), [(None, None), (-5, Unread.MALFORMED)])
def test_what_cannot_be_read_of_a_question_in_a_path_is_counted(
    left: int | None, unread: Unread | None
) -> None:
    coded = urlsafe_b64encode(QUESTION).rstrip(b"=")[:left]
    assert read(b"GET /q?dns=%s HTTP/1.1\r\nHost: a.example\r\n\r\n" % coded).unread is unread


def test_a_question_in_chunks_or_too_long_is_counted() -> None:
    length = f"Content-Length: {len(QUESTION)}".encode()
    for other in (b"Transfer-Encoding: chunked", b"Content-Length: 9999"):
        assert read(ASKS.replace(length, other)).unread is Unread.TRUNCATED


@pytest.mark.parametrize("coding", ["identity", "gzip", "chunked, gzip", ""])
def test_a_body_whose_end_nobody_tells_is_counted(coding: str) -> None:
    first = head("Host: a.example", f"Transfer-Encoding: {coding}", line="POST / HTTP/1.1")
    assert read(first + SECOND).unread is Unread.MALFORMED


def test_a_method_that_begins_like_a_number_is_no_chunk() -> None:
    first = head("Host: a.example", "Transfer-Encoding: gzip, chunked", line="POST / HTTP/1.1")
    assert read(first + head(line="CONNECT b.example:1 HTTP/1.1")).unread is Unread.MALFORMED


def test_any_number_of_requests_is_read() -> None:
    assert len(read(HEAD * 500).spoken) == 500


def test_what_follows_a_request_and_is_none_changes_nothing() -> None:
    for more in (b"hello world\n", b"\r\n", b"\x82\x05abcde"):
        assert read(HEAD + more) == read(HEAD)


def test_what_may_become_a_request_is_waited_for_and_not_missed() -> None:
    reading = read(HEAD + b"GE")
    assert (reading.hungry, reading.optional, reading.consumed) == (True, True, len(HEAD))


def test_a_tunnel_carries_any_protocol() -> None:
    tunnel = head(line="CONNECT proxy.example:80 HTTP/1.1")
    assert said(tunnel + SECOND) == ["proxy.example", "evil.example", "evil.example"]
    reading = read(tunnel)
    assert (reading.consumed, reading.then) == (len(tunnel), read_opening)


def test_behind_an_upgrade_to_http2_its_preface_is_read() -> None:
    upgraded = head("Host: a.example", "Connection: Upgrade", "Upgrade: h2c")
    assert "http2" in read(upgraded + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").marks


def test_a_target_that_is_missing_leaves_the_host() -> None:
    reading = read_request_head(head("Host: a.example", line="GET HTTP/1.1"))
    assert (reading.spoken, reading.unread) == ((host("a.example"),), Unread.MALFORMED)


@given(st.binary(), st.integers(0, 400))
def test_any_prefix_is_hungry_or_says_no_more_than_the_whole(body: bytes, size: int) -> None:
    post = head("Host: a.example", f"Content-Length: {len(body)}", line="POST / HTTP/1.1")
    whole = post + body + SECOND
    assert said(whole) == ["a.example", "evil.example", "evil.example"]
    cut = read(whole[:size])
    assert [word.host for word in cut.spoken] == said(whole)[: len(cut.spoken)]
    rest = whole[cut.consumed :] if cut.then else b""
    done = [word.host for word in cut.spoken[: cut.done]]
    assert cut.then is None or done + said_by(cut.then, rest) == said(whole)


@pytest.mark.parametrize("filler", [b"\r", b" ", b"\n ", b"\r\n\t", b"a ", b"Host:", b"[", b"@"])
def test_no_filler_makes_reading_slow(filler: bytes) -> None:
    many = filler * (MAX_HEAD // len(filler))
    began = time.process_time()
    for start in (
        b"GET ",
        b"GET / HTTP/1.1\r\n",
        b"CONNECT a.example:1 HTTP/1.1\r\nContent-Length:",
    ):
        read_request_head(start + many)
        read_request_head(start + many[:-200] + b" HTTP/1.1\r\n\r\n")
    assert time.process_time() - began < 1
