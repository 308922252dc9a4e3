"""Whose an address is, where the claim denies by name and no name leads to it."""

from ipaddress import ip_address
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.attempts import tried_place
from egress_audit.judge.unnamed import unnamed_ends
from egress_audit.model.audit import Match, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Deny
from egress_audit.model.flow import NameSource
from tests.builders.cases import LAN, LOOPBACK, OUTSIDE, case, claim, contact, named, near, question
from tests.builders.endpoints import entry, known
from tests.builders.runs import RESOLVER, attempt, run

DENIED = Deny(hosts=("bad.example", "*.bad.example"))
NO_BAD = claim(everything=True, deny=DENIED)
NEWS = entry("acme-news", "update-check")
LABEL = entry("acme-label", labels_only=True)


def unnamed(*rows: Observation, claim: Any = NO_BAD, **facts: Any) -> list[str]:
    return sorted(unnamed_ends(case(*rows, claim=claim, entries=(NEWS, LABEL), **facts)))


def test_a_contact_of_which_no_name_is_known_may_be_of_a_denied_host() -> None:
    assert unnamed(contact(OUTSIDE)) == [OUTSIDE]


@pytest.mark.parametrize("source", [NameSource.DNS_ANSWER, NameSource.TLS_SNI])
def test_one_that_has_a_name_is_judged_by_it(source: NameSource) -> None:
    assert unnamed(contact(OUTSIDE, named("good.example", source))) == []


@pytest.mark.parametrize(
    "name", [named("good.example", NameSource.PCAPNG_NRB), named(OUTSIDE, NameSource.HTTP_HOST)]
)
def test_a_name_that_only_the_file_has_or_an_address_in_place_of_one_is_none(name: Any) -> None:
    assert unnamed(contact(OUTSIDE, name)) == [OUTSIDE]


def test_a_claim_that_denies_no_host_asks_for_no_name() -> None:
    assert unnamed(contact(OUTSIDE), claim=claim(everything=True)) == []


def test_where_only_names_are_allowed_an_address_without_one_contradicts_anyhow() -> None:
    assert unnamed(contact(OUTSIDE), claim=claim(hosts=("good.example",), deny=DENIED)) == []


def test_what_is_allowed_by_prefix_needs_no_name() -> None:
    allowed = claim(everything=True, prefixes=("203.0.113.0/24",), deny=DENIED)
    assert unnamed(contact("203.0.113.9"), claim=allowed) == []


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "intranet"])
def test_a_name_that_says_no_more_than_the_address_is_none_unless_it_was_answered(
    host: str,
) -> None:
    for source in (NameSource.TLS_SNI, NameSource.HTTP_HOST):
        assert unnamed(contact(OUTSIDE, named(host, source))) == [OUTSIDE]
    assert unnamed(contact(OUTSIDE, named(host, NameSource.DNS_ANSWER))) == []


@pytest.mark.parametrize("address", [LOOPBACK, LAN])
def test_what_stays_near_needs_none(address: str) -> None:
    assert unnamed(contact(address)) == []


def test_a_resolver_is_for_what_it_is_asked() -> None:
    asked = question("good.example", resolvers=(OUTSIDE,))
    assert unnamed(asked, contact(OUTSIDE, far_p=53, proto=17)) == []
    ours = near(Scope.SIMULATED)
    assert unnamed(contact(RESOLVER, far_p=53, proto=17, destination=ours), run=run()) == []
    assert unnamed(contact(RESOLVER, far_p=80, destination=ours), run=run()) == [RESOLVER]


def test_whoever_is_called_at_its_port_and_asked_nothing_is_no_resolver() -> None:
    asked = question("good.example", resolvers=("198.51.100.53",))
    assert unnamed(asked, contact(OUTSIDE, far_p=53, proto=6)) == [OUTSIDE]


@pytest.mark.parametrize("proto", [1, 33, 132], ids=["ICMP of type 53", "DCCP", "SCTP"])
def test_what_carries_no_question_that_is_read_is_for_no_resolver(proto: int) -> None:
    asked = question("good.example", resolvers=(OUTSIDE,))
    assert unnamed(asked, contact(OUTSIDE, far_p=53, proto=proto)) == [OUTSIDE]


ASKED_FOR = named("203.0.113.9", NameSource.HTTP_CONNECT)


@pytest.mark.parametrize("proxy", [LOOPBACK, LAN])
@pytest.mark.parametrize("beside", [(), (named("good.example", NameSource.SOCKS),)])
def test_an_address_that_a_proxy_was_asked_for_may_be_of_a_denied_host(
    proxy: str, beside: Any
) -> None:
    assert unnamed(contact(proxy, ASKED_FOR, *beside)) == ["203.0.113.9"]


ODD = ("3405803785", "0xcb.0.0x71.9", "203.0.28937", "0xcb007109.")


@pytest.mark.parametrize("host", ODD)
def test_an_address_in_another_notation_is_no_name(host: str) -> None:
    assert unnamed(contact(OUTSIDE, named(host, NameSource.HTTP_HOST))) == [OUTSIDE]
    assert unnamed(contact(LAN, named(host, NameSource.HTTP_CONNECT))) == [host]


@pytest.mark.parametrize(
    "host", ["3.good.example", "0x.good.example", "b.1and1", "b.0xygen", "a.b2"]
)
def test_a_name_with_numbers_in_front_of_its_end_is_one(host: str) -> None:
    assert unnamed(contact(OUTSIDE, named(host, NameSource.HTTP_HOST))) == []
    assert unnamed(contact(LAN, named(host, NameSource.HTTP_CONNECT))) == []


def test_what_was_said_through_the_proxy_or_leads_there_names_it() -> None:
    assert unnamed(contact(LAN, ASKED_FOR, named("good.example", NameSource.TLS_SNI))) == []
    assert unnamed(question("good.example", "203.0.113.9"), contact(LAN, ASKED_FOR)) == []


@pytest.mark.parametrize(("use", "left"), [(NEWS, []), (LABEL, ["203.0.113.9"])])
def test_so_does_the_catalogue_unless_it_merely_labels_it(use: Entry, left: list[str]) -> None:
    there = contact(LAN, ASKED_FOR, **known("203.0.113.9", use))
    assert unnamed(there) == left


def test_so_does_a_prefix_of_the_claim_and_what_stays_near_needs_no_name() -> None:
    allowed = claim(everything=True, prefixes=("203.0.113.0/24",), deny=DENIED)
    assert unnamed(contact(LAN, ASKED_FOR), claim=allowed) == []
    assert unnamed(contact(LAN, named("10.0.0.77", NameSource.HTTP_CONNECT))) == []


def test_an_address_that_the_catalogue_knows_needs_none_unless_it_merely_labels_it() -> None:
    assert unnamed(contact(OUTSIDE, **known(OUTSIDE, NEWS))) == []
    assert unnamed(contact(OUTSIDE, **known(OUTSIDE, LABEL))) == [OUTSIDE]


def test_an_address_that_was_tried_without_a_packet_may_be_of_a_denied_host() -> None:
    assert unnamed(run=run(attempts=(attempt(OUTSIDE),))) == [OUTSIDE]


def test_the_name_that_led_to_a_try_speaks_for_it() -> None:
    asked = question("good.example", OUTSIDE)
    assert unnamed(asked, run=run(attempts=(attempt(OUTSIDE),))) == []


@pytest.mark.parametrize(("entry", "left"), [("acme-news", []), ("acme-label", [OUTSIDE])])
def test_what_the_catalogue_knows_of_an_address_speaks_for_a_try(
    entry: str, left: list[str]
) -> None:
    tried = attempt(OUTSIDE)
    matches = {tried_place(tried, ip_address(OUTSIDE)): (Match(OUTSIDE, (entry,)),)}
    assert unnamed(run=run(attempts=(tried,)), tried=matches) == left
