"""A request may ask for a name in its body or in its path, whatever its authority."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_over_http import MAX_QUESTION, asked_by, asked_in, may_ask
from egress_audit.names.reading import Spoken, Unread
from tests.builders.captures import dns_query

QUESTION = dns_query("q.example")
CODED = urlsafe_b64encode(QUESTION).rstrip(b"=")
ASKED = (Spoken("q.example", NameSource.DNS_QUERY, qtype="A"),)


@pytest.mark.parametrize("path", [b"/q?dns=%s", b"/q?ct&dns=%s", b"/q?dns=%s&x=1", b"/q?dns=%s=="])
def test_a_question_in_a_path_is_spoken(path: bytes) -> None:
    assert asked_in(path % CODED) == (ASKED, False)


@pytest.mark.parametrize(
    "path", [b"/", b"/q?dns=8.8.8.8", b"/q?dns=", b"/q?dnsx=%s" % CODED, b"/q?dns=" + b"a" * 33]
)
def test_what_is_no_question_is_not(path: bytes) -> None:
    assert asked_in(path) == ((), False)


@pytest.mark.parametrize("beginning", [b"Cj5g9kWaPenQ", b"uFw7Tx0AIt8g", b"AAAAAP__AAAA"])
def test_a_parameter_that_begins_like_no_message_asks_nothing(beginning: bytes) -> None:
    assert asked_in(b"/q?dns=" + beginning + CODED[16:]) == ((), False)


@pytest.mark.parametrize("coded", [CODED[:-4], CODED + b"AAAA", CODED + b"A" * (4 * MAX_QUESTION)])
def test_a_question_in_a_path_that_is_not_whole_or_too_long_is_told(coded: bytes) -> None:
    assert asked_in(b"/q?dns=" + coded)[1]


@pytest.mark.parametrize(
    ("target", "host"), [(b"a.Example", "a.example"), (b"2001%3Adb8%3A%3A1", "2001:db8::1")]
)
def test_the_host_that_a_proxy_is_asked_to_send_udp_to_is_spoken(target: bytes, host: str) -> None:
    path = b"/.well-known/masque/udp/%s/443/" % target
    assert asked_in(path) == ((Spoken(host, NameSource.HTTP_CONNECT),), False)


def test_a_path_that_only_begins_like_that_of_a_proxy_names_nobody() -> None:
    assert asked_in(b"/.well-known/masque/udp/a.example/") == ((), False)


def test_a_message_asks_and_what_is_missing_of_it_is_told() -> None:
    assert asked_by(QUESTION) == (ASKED, None)
    assert asked_by(QUESTION[:-1]) == ((), Unread.MALFORMED)


@given(st.binary(max_size=80))
def test_any_path_is_read_without_raising(noise: bytes) -> None:
    asked_in(b"/?dns=" + noise)
    asked_in(b"/?dns=" + urlsafe_b64encode(noise))


def test_of_most_heads_nothing_else_is_asked() -> None:
    assert not may_ask(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert may_ask(b"POST / HTTP/1.1\r\nContent-Type: Application/DNS-Message\r\n\r\n")
