"""What a connection is: decided by its first bytes, or by silence and its port."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.dialogue import CLOSE, IDLE_NS, NOTHING_YET, PAUSE_NS
from egress_audit.record.internet.dns_answers import DnsAnswers
from egress_audit.record.internet.greetings import GREETING_NS
from egress_audit.record.internet.invented_names import InventedNames
from egress_audit.record.internet.opening import MAX_FIRST_LINE, Opening
from egress_audit.record.internet.settings import DnsPolicy

HELLO = b"\x16\3\1\0\6\1\0\0\2\3\3"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
QUERY = b"\0\7\1\0\0\1" + bytes(6) + b"\7example\3com\0\0\1\0\1"


def opening(port: int = 8080) -> Opening:
    """A connection to a port, on which nothing was said yet."""
    names = InventedNames("198.18.0.0/15", "fd00:e6e5::/64")
    return Opening(port, DnsAnswers(names, DnsPolicy.ANSWER))


def said(first: bytes, port: int = 8080) -> bytes:
    """What the server said to these bytes, come one by one."""
    connection, answer = opening(port), b""
    for at in range(len(first)):
        reply = connection.take(first[at : at + 1])
        answer += reply.data
        if reply.close:
            break
    return answer


@pytest.mark.parametrize("port", [443, 25, 53, 8080])
def test_tls_is_tls_on_any_port(port: int) -> None:
    assert said(HELLO, port) == ALERT


@pytest.mark.parametrize("port", [80, 22, 53, 5432])
def test_http_is_http_on_any_port(port: int) -> None:
    assert said(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", port).startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("method", [b"PROPFIND", b"M-SEARCH", b"X", b"PRINT", b"PRI"])
def test_any_method_is_http_if_the_line_says_its_version(method: bytes) -> None:
    assert b" 503 " in said(method + b" * HTTP/1.1\r\n\r\n")


def test_an_endless_request_line_of_a_known_method_is_http() -> None:
    connection = opening()
    connection.take(b"GET /" + b"x" * MAX_FIRST_LINE)
    assert connection.take(b" HTTP/1.1\r\n\r\n").data.startswith(b"HTTP/1.1 503")


def test_http_2_is_known_by_its_preface() -> None:
    assert said(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")[:4] == b"\0\0\6\4"


def test_proxies_are_known_by_their_version() -> None:
    assert said(b"\5\1\0") == b"\5\0"
    assert said(b"\4\1\0\x50\1\2\3\4\0")[:2] == b"\0\x5b"


def test_postgresql_is_known_by_its_first_message() -> None:
    assert said(b"\0\0\0\x08\x04\xd2\x16\x2f", 5432) == b"N"


def test_dns_is_spoken_on_its_port() -> None:
    assert said(len(QUERY).to_bytes(2, "big") + QUERY, 53)[2:4] == b"\0\7"
    assert said(len(QUERY).to_bytes(2, "big") + QUERY, 54) == b""


@pytest.mark.parametrize(
    "first",
    [b"hello\r\n", b"\xff\xfe\1", b"EHLO me\r\n", b"*1\r\n$4\r\nPING\r\n", b"\x16\x02", b"\5\0",
     b"\4\x09", bytes(9), b"A" * 20],
)  # fmt: skip
def test_bytes_that_nobody_understands_are_closed_after_a_pause(first: bytes) -> None:
    connection = opening()
    assert connection.take(first) == NOTHING_YET
    assert connection.patience_ns == PAUSE_NS
    assert connection.take(b"more") == NOTHING_YET
    assert connection.silence() == CLOSE


@pytest.mark.parametrize("first", [b"PING", b"\x16", b"\0\0", b"\r\n"])
def test_a_beginning_of_which_no_more_comes_is_closed_after_a_pause(first: bytes) -> None:
    connection = opening()
    connection.take(first)
    assert connection.patience_ns == PAUSE_NS
    assert connection.silence() == CLOSE


def test_a_request_that_has_begun_is_waited_for() -> None:
    connection = opening()
    connection.take(b"POST / HTTP/1.1\r\n")
    assert connection.patience_ns == IDLE_NS


def test_a_client_that_waits_is_greeted_where_servers_speak_first() -> None:
    connection = opening(25)
    assert connection.patience_ns == GREETING_NS
    assert connection.silence().data.startswith(b"220 ")
    assert connection.patience_ns == IDLE_NS
    assert connection.take(b"EHLO me\r\n").data.startswith(b"421 ")


def test_a_client_that_waits_elsewhere_may_wait_long() -> None:
    connection = opening(80)
    assert connection.patience_ns == IDLE_NS
    assert connection.silence() == CLOSE


def test_an_unknown_client_of_a_server_that_speaks_first_is_greeted_at_once() -> None:
    assert said(b"SSH-2.0-x\r\n", 22).startswith(b"SSH-2.0-")


def test_a_client_that_closes_at_once_is_closed() -> None:
    assert opening().end() == CLOSE
    begun = opening()
    begun.take(b"GET / HTTP/1.1\r\n")
    assert b" 503 " in begun.end().data


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=10),
    st.sampled_from([22, 53, 80, 443, 3306, 5432]),
)
def test_any_bytes_have_a_reply(pieces: list[bytes], port: int) -> None:
    connection = opening(port)
    for piece in pieces:
        if connection.take(piece).close:
            return
    connection.silence()
    connection.end()
