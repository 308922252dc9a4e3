"""What the catalogue says a destination is for, and whether the claim denies that."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.case import Case
from egress_audit.judge.purposes import (
    Decision,
    decision,
    denied_matches,
    purposes_open,
    undecided_matches,
    unknown_purposes,
)
from egress_audit.model.audit import Match, Observation
from egress_audit.model.catalogue import Entry, Purpose, Verified
from egress_audit.model.claim import Claim, Deny
from egress_audit.model.flow import NameSource
from tests.builders.cases import LAN, LOOPBACK, OUTSIDE, case, claim, contact, named, question
from tests.builders.endpoints import entry, known
from tests.builders.runs import RESOLVER, attempt, run

HOST = "stats.acme.example"
NO_TELEMETRY = claim(everything=True, deny=Deny(purposes=frozenset({Purpose.TELEMETRY})))
STATS, NEWS = entry("acme-stats"), entry("acme-news", "update-check")
LABEL = entry("acme-label", labels_only=True)
OLD = entry("acme-old", "update-check", versions=">=2")
ANSWERED = named(HOST, NameSource.DNS_ANSWER)
SAID = named(HOST, NameSource.TLS_SNI)


@pytest.mark.parametrize(
    ("entries", "decided"),
    [
        ((), Decision.UNKNOWN),
        ((STATS,), Decision.DENIED),
        ((NEWS,), Decision.OTHER),
        ((STATS, NEWS), Decision.UNDECIDED),
        ((OLD,), Decision.NOT_COVERED),
        ((OLD, NEWS), Decision.OTHER),
    ],
)
def test_what_entries_come_to(entries: tuple[Entry, ...], decided: Decision) -> None:
    assert decision(HOST, list(entries), NO_TELEMETRY) is decided


def test_a_purpose_known_of_some_versions_accuses() -> None:
    assert decision(HOST, [entry(versions=">=2")], NO_TELEMETRY) is Decision.DENIED


ANYBODY = entry("anybody", "tunnel", labels_only=True)


@pytest.mark.parametrize("label", [ANYBODY, LABEL], ids=["anybody's", "a denied purpose"])
def test_a_label_does_not_let_another_purpose_excuse(label: Entry) -> None:
    assert decision(HOST, [NEWS], NO_TELEMETRY, [label]) is Decision.UNKNOWN


def test_what_anybody_may_call_is_denied_to_nobody_for_sure() -> None:
    checked = entry("acme-check", "connectivity", labels_only=True)
    assert decision(HOST, [STATS], NO_TELEMETRY, [ANYBODY]) is Decision.UNDECIDED
    assert decision(HOST, [STATS], NO_TELEMETRY, [LABEL, checked]) is Decision.DENIED
    assert decision(HOST, [STATS], NO_TELEMETRY, [LABEL]) is Decision.DENIED
    tunnels = claim(deny=Deny(purposes=frozenset({Purpose.TELEMETRY, Purpose.TUNNEL})))
    assert decision(HOST, [STATS], tunnels, [ANYBODY]) is Decision.DENIED


@pytest.mark.parametrize("verified", [Verified.CURATED, Verified.DOCUMENTS])
def test_a_list_of_domains_does_not_say_what_each_name_below_is_for(verified: Verified) -> None:
    whose = entry("acme", "hosted-inference", hosts=("*.acme.example",), verified=verified)
    assert decision(HOST, [whose], NO_TELEMETRY) is Decision.UNKNOWN
    assert decision("acme.example.", [whose], NO_TELEMETRY) is Decision.OTHER
    assert decision(HOST, [replace(whose, hosts=(HOST,))], NO_TELEMETRY) is Decision.OTHER
    assert decision(HOST, [whose, NEWS], NO_TELEMETRY) is Decision.OTHER
    assert decision(OUTSIDE, [whose], NO_TELEMETRY) is Decision.OTHER


def test_a_pattern_by_which_a_program_makes_names_does() -> None:
    made = entry("acme", "hosted-inference", hosts=("*.acme.example",), verified=Verified.CODE)
    assert decision(HOST, [made], NO_TELEMETRY) is Decision.OTHER


def test_so_does_a_domain_of_the_operating_system_and_one_of_what_is_denied() -> None:
    listed: dict[str, Any] = {"hosts": ("*.acme.example",), "verified": Verified.CURATED}
    assert decision(HOST, [entry("time", "os-noise", **listed)], NO_TELEMETRY) is Decision.OTHER
    assert decision(HOST, [entry("stats", **listed)], NO_TELEMETRY) is Decision.DENIED


def test_an_undecided_name_is_told_with_what_anybody_may_do_there() -> None:
    match = Match(HOST, ("acme-stats", "anybody", "acme-label"))
    told = purposes_open(case(entries=(STATS, ANYBODY, LABEL)), match)
    assert told == {Purpose.TELEMETRY, Purpose.TUNNEL}


def test_a_label_with_another_purpose_does() -> None:
    more = entry("acme-more", "auth", labels_only=True)
    assert decision(HOST, [NEWS], NO_TELEMETRY, [more]) is Decision.OTHER


def test_a_tunnel_may_carry_what_is_denied() -> None:
    tunnel = entry("acme-tunnel", "tunnel")
    assert decision(HOST, [tunnel], NO_TELEMETRY) is Decision.UNKNOWN
    assert decision(HOST, [NEWS, tunnel], NO_TELEMETRY) is Decision.UNKNOWN


def judged(*rows: Observation, **changes: Any) -> Case:
    plain: dict[str, Any] = {"claim": NO_TELEMETRY, "entries": (STATS, NEWS, LABEL, OLD)}
    return case(*rows, **(plain | changes))


def undecided(*rows: Observation, **changes: Any) -> list[str]:
    return list(undecided_matches(judged(*rows, **changes)))


def unknown(*rows: Observation, **changes: Any) -> list[str]:
    return list(unknown_purposes(judged(*rows, **changes)))


def test_a_name_with_two_purposes_of_which_one_is_denied_is_undecided() -> None:
    assert undecided(question(HOST, **known(HOST, STATS, NEWS))) == [HOST]


def test_a_name_of_one_purpose_is_not() -> None:
    one = question(HOST, **known(HOST, NEWS))
    other = question(HOST, **known(HOST, STATS))
    assert undecided(one, other) == []


def test_nothing_is_undecided_where_no_purpose_is_denied() -> None:
    both = question(HOST, **known(HOST, STATS, NEWS))
    assert undecided(both, claim=claim(everything=True)) == []


def test_an_allowed_host_may_still_be_called_for_what_is_denied() -> None:
    hosts = claim(hosts=(HOST,), deny=NO_TELEMETRY.deny)
    assert undecided(question(HOST, **known(HOST, STATS, NEWS)), claim=hosts) == [HOST]


def test_a_label_decides_nothing_beside_a_denied_purpose() -> None:
    both = judged(question(HOST, **known(HOST, STATS, LABEL)))
    (seen,) = both.questions()
    assert list(denied_matches(both, seen)) == [Match(HOST, ("acme-stats", "acme-label"))]


def test_a_name_without_an_entry_is_for_nobody_knows_what() -> None:
    there = contact(OUTSIDE, named("b.example"))
    assert unknown(question("a.example"), there, contact("203.0.113.7")) == [
        "a.example",
        "b.example",
        "203.0.113.7",
    ]


def test_a_name_with_a_label_alone_is_too() -> None:
    assert unknown(question(HOST, **known(HOST, LABEL))) == [HOST]


def test_a_name_with_an_entry_for_something_else_is_known() -> None:
    assert unknown(question(HOST, **known(HOST, NEWS))) == []


def test_an_entry_of_some_versions_excuses_nothing() -> None:
    assert unknown_purposes(judged(question(HOST, **known(HOST, OLD)))) == {HOST: [OLD]}


def test_what_is_denied_or_undecided_is_not_told_as_unknown_too() -> None:
    rows = question(HOST, **known(HOST, STATS)), question(HOST, **known(HOST, STATS, NEWS))
    assert unknown(*rows) == []


def test_a_contact_is_known_by_a_name_that_an_answer_gave() -> None:
    assert unknown(contact(OUTSIDE, ANSWERED, **known(HOST, NEWS))) == []


def test_a_contact_is_not_known_by_what_the_program_itself_wrote() -> None:
    assert unknown(contact(OUTSIDE, SAID, **known(HOST, NEWS))) == [OUTSIDE]


def test_a_contact_is_known_by_its_address() -> None:
    assert unknown(contact(OUTSIDE, **known(OUTSIDE, NEWS))) == []


def test_an_address_does_not_speak_for_a_name_that_was_said_to_it() -> None:
    assert unknown(contact(OUTSIDE, SAID, **known(OUTSIDE, NEWS))) == [HOST]


@pytest.mark.parametrize("address", [LOOPBACK, LAN])
def test_what_stays_near_has_no_purpose(address: str) -> None:
    assert unknown(contact(address)) == []


def test_what_a_proxy_is_asked_for_has_one() -> None:
    proxied = contact(LOOPBACK, named("a.example", NameSource.HTTP_CONNECT))
    assert unknown(proxied) == ["a.example"]


@pytest.mark.parametrize("host", ["localhost", "1.0.0.127.in-addr.arpa"])
def test_names_of_the_machine_itself_have_none(host: str) -> None:
    assert unknown(question(host)) == []


def test_our_own_resolver_is_for_what_it_was_asked() -> None:
    assert unknown(contact(RESOLVER, far_p=53, proto=17), run=run()) == []


def test_an_address_that_was_tried_without_a_packet_is_for_nobody_knows_what() -> None:
    assert unknown(run=run(attempts=(attempt(OUTSIDE),))) == [OUTSIDE]


def test_the_name_that_led_to_a_try_speaks_for_it() -> None:
    asked = question(HOST, OUTSIDE, **known(HOST, NEWS))
    assert unknown(asked, run=run(attempts=(attempt(OUTSIDE),))) == []


@pytest.mark.parametrize(
    "allows",
    [
        claim(everything=True, prefixes=("203.0.113.0/24",), deny=NO_TELEMETRY.deny),
        claim(Scope.DOCUMENTATION, everything=True, deny=NO_TELEMETRY.deny),
        claim(everything=True, hosts=(HOST,), deny=NO_TELEMETRY.deny),
        claim(everything=True, endpoints=("acme-old",), deny=NO_TELEMETRY.deny),
        claim(prefixes=("198.51.100.0/24",), deny=NO_TELEMETRY.deny),
        claim(everything=True),
    ],
    ids=["prefix", "scope", "host", "entry", "not allowed at all", "nothing denied"],
)
def test_what_the_claim_decides_otherwise_needs_no_purpose(allows: Claim) -> None:
    assert unknown(contact(OUTSIDE, ANSWERED, **known(HOST, OLD)), claim=allows) == []


def test_a_host_of_anybodys_is_not_known_by_who_is_known_to_call_it() -> None:
    news, anybody = replace(NEWS, hosts=(HOST,)), replace(ANYBODY, hosts=(HOST,))
    asked = question(HOST, **known(HOST, news, anybody))
    assert unknown(asked, entries=(news, anybody)) == [HOST]
    around = replace(anybody, hosts=("*.acme.example",))
    assert unknown(asked, entries=(news, around)) == []
