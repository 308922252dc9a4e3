"""Observations as clauses that a person can quote."""

import pytest

from egress_audit.judge import phrases
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from tests.builders.cases import LAN, OUTSIDE, contact, named, place, question, rest
from tests.builders.endpoints import entry


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"A": 1}, "1 A question"),
        ({"A": 2}, "2 A questions"),
        ({"A": 19, "AAAA": 19}, "19 A and 19 AAAA questions"),
        ({"A": 1, "AAAA": 2, "HTTPS": 3}, "1 A, 2 AAAA and 3 HTTPS questions"),
    ],
)
def test_questions_are_told_by_type(counts: dict[str, int], words: str) -> None:
    assert phrases.questions_asked(question(questions=counts)) == words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("a", "a"),
        ("ab", "a or b"),
        ("abcd", "a, b, c or d"),
        ("abcde", "a, b, c or one of 2 more"),
        ("aab", "a or b"),
    ],
)
def test_of_many_the_first_are_told_and_more_than_one_is_counted(words: str, told: str) -> None:
    assert phrases.either(words) == told


def test_a_question_is_asked_for_a_name() -> None:
    asked = "asked for example.org (1 A question)"
    assert phrases.clause(question("example.org")) == asked


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "opened 1 connection to it"),
        ({"flows": 19, "tls_flows": 19}, "opened 19 TLS connections to it"),
        ({"flows": 2, "tls_flows": 1}, "opened 2 connections to it"),
        ({"conn_states": {"S0": 1}}, "tried to open 1 connection to it"),
        ({"flows": 2, "conn_states": {"S0": 1, "REJ": 1}}, "tried to open 2 connections to it"),
        (
            {"flows": 2, "conn_states": {"S0": 1, "SF": 1}},
            "opened 1 connection to it, and tried to open 1 more",
        ),
        (
            {"flows": 2, "tls_flows": 1, "conn_states": {"REJ": 1, "SF": 1}},
            "opened 1 TLS connection to it, and tried to open 1 more",
        ),
        ({"conn_states": {"RSTOS0": 1}}, "tried to open 1 connection to it"),
        ({"conn_states": {"OTH": 1}, "pkts_out": 1}, "sent 1 TCP packet to it"),
        ({"flows": 2, "conn_states": {"OTH": 1, "SH": 1}}, "sent 10 TCP packets in 2 flows to it"),
        (
            {"flows": 4, "conn_states": {"OTH": 1, "S0": 1, "SF": 2}},
            "opened 2 connections to it, sent packets over 1 more, and tried to open 1 more",
        ),
        (
            {"flows": 2, "tls_flows": 2, "conn_states": {"OTH": 1, "SF": 1}},
            "opened 1 TLS connection to it, and sent packets over 1 more",
        ),
        (
            {"flows": 2, "conn_states": {"OTH": 1, "S0": 1}},
            "sent packets over 1 connection to it, and tried to open 1 more",
        ),
        ({"proto": 17, "pkts_out": 1}, "sent 1 UDP packet to it"),
        ({"proto": 1, "pkts_out": 3}, "sent 3 ICMP packets to it"),
        ({"proto": 99, "pkts_out": 3}, "sent 3 IP protocol 99 packets to it"),
    ],
)
def test_what_was_done_is_told_by_protocol_and_success(
    changes: dict[str, object], words: str
) -> None:
    assert phrases.contact(contact(OUTSIDE, **changes), whom="it") == words


@pytest.mark.parametrize(
    ("address", "port", "proto", "words"),
    [
        ("203.0.113.9", 443, 6, "203.0.113.9:443"),
        ("2001:db8::9", 443, 6, "[2001:db8::9]:443"),
        ("203.0.113.9", 8, 1, "203.0.113.9"),
        ("203.0.113.9", Absent.NOT_APPLICABLE, 47, "203.0.113.9"),
    ],
)
def test_an_endpoint_has_a_port_where_there_is_one(
    address: str, port: int | Absent, proto: int, words: str
) -> None:
    assert phrases.endpoint(contact(address, far_p=port, proto=proto)) == words


def test_summed_rows_have_no_endpoint() -> None:
    assert phrases.endpoint(rest(global_=1)) == "further destinations"


def test_whom_says_name_address_and_kind_of_place() -> None:
    there = contact(OUTSIDE, named("a.example"))
    assert phrases.whom(there) == "a.example at 203.0.113.9:443 (documentation)"
    assert phrases.whom(contact(LAN)) == "192.168.1.7:443 (lan)"
    assert phrases.whom(contact("45.9.0.1", destination=place())) == "45.9.0.1:443 (internet)"


@pytest.mark.parametrize("told", [NameSource.SOCKS, NameSource.HTTP_CONNECT])
def test_a_name_that_a_proxy_is_told_is_not_at_the_proxy(told: NameSource) -> None:
    words = "a.example through 192.168.1.7:443 (lan)"
    assert phrases.whom(contact(LAN, named("a.example", told))) == words
    said_inside = named("203.0.113.9", NameSource.SOCKS), named("a.example", NameSource.HTTP_HOST)
    assert phrases.whom(contact(LAN, *said_inside)) == words


def test_a_name_that_no_proxy_is_told_is_at_its_address() -> None:
    assert phrases.whom(contact(LAN, named("a.example", NameSource.HTTP_HOST))) == (
        "a.example at 192.168.1.7:443 (lan)"
    )


def test_the_name_that_the_program_used_is_the_best_one() -> None:
    answered = named("cdn.example", NameSource.DNS_ANSWER)
    used = named("a.example", NameSource.TLS_SNI)
    assert phrases.best_name(contact(OUTSIDE, answered, used)) == "a.example"
    assert phrases.best_name(contact(OUTSIDE, answered)) == "cdn.example"
    assert phrases.best_name(contact(OUTSIDE)) == ""


def test_names_are_told_with_how_they_are_known() -> None:
    uses = [named("a.example", NameSource.TLS_SNI, NameSource.DNS_ANSWER), named("b.example")]
    assert phrases.used_names(uses) == "a.example (tls-sni/dns-answer), b.example (tls-sni)"


def test_vendors_are_told_with_whose_law_they_follow_and_by_what_they_are_known() -> None:
    both = entry(), entry("acme-news"), entry("other", vendor="Other", jurisdiction="US")
    assert phrases.of_vendors(both, "a.example") == (
        "of Acme or Other, controlled from SE or US (known by name)"
    )
    assert phrases.of_vendors(both[:1], OUTSIDE, ", and not from DE") == (
        "of Acme, controlled from SE, and not from DE (known by address)"
    )
