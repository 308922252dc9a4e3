"""Blind spots that depend on the claim: hidden names, unknown places, answers that are missing."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.spots_of_claim import SPOTS_OF_CLAIM
from egress_audit.model.audit import Direction
from egress_audit.model.claim import Allow, Claim, Deny
from egress_audit.model.destination import Absent, Confidence
from egress_audit.model.flow import NameSource
from tests.builders.cases import (
    ADDRESS_LIST,
    DAY_NS,
    LAN,
    LOOPBACK,
    NO_CHINA,
    OFFLINE,
    OUTSIDE,
    START_NS,
    case,
    claim,
    concluded,
    contact,
    lifted_by,
    named,
    place,
    question,
    rest,
    spots,
)

NO_TELECOM = claim(everything=True, deny=Deny(categories=frozenset({"state-telecom"})))
NO_BAD = claim(everything=True, deny=Deny(hosts=("bad.example",)))
SWEDISH = replace(claim(), allow=Allow(controlled=frozenset({"SE"})))
NOWHERE = place(located=Absent.NOT_FOUND, located_confidence=Absent.NOT_FOUND)
UNOWNED = place(controlled=Absent.NOT_FOUND, operator=Absent.NOT_FOUND, role=Absent.NOT_FOUND)
ELSEWHERE = contact("45.9.0.1", destination=place())
OLD = replace(ADDRESS_LIST, date="2025-10-01")
"""More than a year before the captures of audit_parts.py end."""

PRESENT: dict[str, dict[str, Any]] = {
    "names-hidden": {"claim": NO_CHINA, "hidden_names": {"QUIC": 3}},
    "names-unread": {"unread_heads": {"cut by snaplen": 3}},
    "name-unknown": {"claim": NO_BAD, "rows": (ELSEWHERE,)},
    "names-dropped": {"names_dropped": 3},
    "rows-dropped": {"rows": (rest(loopback=3),)},
    "location-unknown": {"claim": NO_CHINA, "rows": (contact("45.9.0.1", destination=NOWHERE),)},
    "control-unknown": {"claim": NO_CHINA, "rows": (contact("45.9.0.1", destination=UNOWNED),)},
    "category-unknown": {"claim": NO_TELECOM, "rows": (contact("45.9.0.1", destination=UNOWNED),)},
    "place-undecided": {"claim": SWEDISH, "rows": (contact("45.9.0.1", destination=UNOWNED),)},
    "question-unplaced": {"claim": NO_CHINA, "rows": (question(),)},
    "lists-missing": {"claim": NO_CHINA},
    "lists-stale": {"claim": NO_CHINA, "lists": (OLD,)},
}
ABSENT: dict[str, dict[str, Any]] = {
    "names-hidden": {"claim": NO_CHINA},
    "names-unread": {},
    "name-unknown": {"claim": NO_BAD, "rows": (contact(OUTSIDE, named("good.example")),)},
    "names-dropped": {},
    "rows-dropped": {"rows": (contact(LOOPBACK),)},
    "location-unknown": {"claim": NO_CHINA, "rows": (ELSEWHERE,)},
    "control-unknown": {"claim": NO_CHINA, "rows": (ELSEWHERE,)},
    "category-unknown": {"claim": NO_TELECOM, "rows": (ELSEWHERE,)},
    "place-undecided": {"claim": SWEDISH, "rows": (ELSEWHERE,)},
    "question-unplaced": {"claim": NO_CHINA, "rows": (question("a.example", "192.168.1.9"),)},
    "lists-missing": {"claim": NO_CHINA, "lists": (ADDRESS_LIST,)},
    "lists-stale": {"claim": NO_CHINA, "lists": (ADDRESS_LIST,)},
}


def made(rows: tuple[Any, ...] = (), **changes: Any) -> Any:
    return case(*rows, **changes)


@pytest.mark.parametrize("spot", SPOTS_OF_CLAIM, ids=lambda spot: spot.id)
def test_a_spot_is_there_when_the_claim_meets_what_it_cannot_know(spot: Any) -> None:
    assert spots(made(**PRESENT[spot.id]))[spot.id].material


@pytest.mark.parametrize("spot", SPOTS_OF_CLAIM, ids=lambda spot: spot.id)
def test_a_spot_is_not_there_when_everything_is_known(spot: Any) -> None:
    assert spot.id not in spots(made(**ABSENT[spot.id]))


@pytest.mark.parametrize("spot", SPOTS_OF_CLAIM, ids=lambda spot: spot.id)
def test_no_assertion_makes_known_what_is_unknown(spot: Any) -> None:
    assert lifted_by(spot.id, made(**PRESENT[spot.id])) == []


@pytest.mark.parametrize("spot_id", ["location-unknown", "control-unknown", "category-unknown"])
def test_places_are_no_matter_to_a_claim_that_denies_none(spot_id: str) -> None:
    lost = contact("45.9.0.1", destination=replace(NOWHERE, role=Absent.NOT_FOUND))
    assert spot_id not in spots(case(lost, claim=claim(everything=True)))


def test_an_operator_that_nobody_knows_may_be_a_denied_one() -> None:
    denying = claim(everything=True, deny=Deny(operators=frozenset({"Another"})))
    lost = contact("45.9.0.1", destination=UNOWNED)
    assert spots(case(lost, claim=denying))["category-unknown"].material
    assert "category-unknown" not in spots(case(ELSEWHERE, claim=denying))


@pytest.mark.parametrize("spot_id", ["question-unplaced", "lists-missing", "lists-stale"])
def test_lists_are_no_matter_to_a_claim_that_does_not_ask_them(spot_id: str) -> None:
    assert spot_id not in spots(case(question(), lists=(OLD,)))
    assert spot_id not in spots(case(question()))


@pytest.mark.parametrize(
    "spot_id", ["location-unknown", "control-unknown", "category-unknown", "place-undecided"]
)
def test_the_addresses_that_nobody_can_place_are_told(spot_id: str) -> None:
    one = spots(made(**PRESENT[spot_id]))[spot_id]
    assert one.message.endswith(": 1 (45.9.0.1)")
    (row,) = PRESENT[spot_id]["rows"]
    rows = tuple(replace(row, far_h=f"45.9.0.{n}") for n in range(1, 6))
    several = spots(made(**(PRESENT[spot_id] | {"rows": rows})))[spot_id]
    assert several.message.endswith(": 5 (45.9.0.1, 45.9.0.2, 45.9.0.3 and 2 more)")


def test_the_names_that_lead_nowhere_are_told() -> None:
    spot = spots(made(**PRESENT["question-unplaced"]))["question-unplaced"]
    assert spot.message.endswith(": 1 (example.org)")


# Hidden names


@pytest.mark.parametrize(
    "depends",
    [
        claim(everything=True),
        claim(Scope.LAN),
        claim(prefixes=("203.0.113.0/24",)),
        claim(hosts=("example.org",)),
        claim(deny=Deny(hosts=("bad.example",))),
    ],
    ids=["any", "a scope", "a prefix", "a host", "a denied host"],
)
def test_a_hidden_name_matters_wherever_something_off_the_machine_is_allowed(
    depends: Claim,
) -> None:
    hidden = {"DNS over TLS": 1}
    found = case(claim=depends, asserted="all", hidden_names=hidden)
    assert spots(found)["names-hidden"].material


def test_a_hidden_name_outside_says_no_more_than_its_address_where_nothing_there_is_allowed() -> (
    None
):
    assert "names-hidden" not in spots(case(hidden_names={"QUIC": 1}))


def test_a_proxy_on_this_machine_whose_protocol_hides_names_leaves_it_open() -> None:
    socks = {"SOCKS": 1}
    found = case(asserted="all", hidden_names=socks, hidden_near=socks)
    assert concluded(found).value == "INCONCLUSIVE"


# Bounds


def test_recorded_names_beyond_the_bound_matter_where_names_are_denied() -> None:
    denies = claim(everything=True, deny=Deny(hosts=("bad.example",)))
    assert spots(case(claim=denies, host_records_beyond=2))["names-dropped"].count == 2
    assert "names-dropped" not in spots(case(host_records_beyond=2))


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.RECEIVED])
def test_rows_of_what_came_from_outside_are_in_nobodys_way(direction: Direction) -> None:
    found = spots(case(rest(direction, global_=3)))["rows-dropped"]
    assert found.count == 3 and not found.material


@pytest.mark.parametrize("direction", [Direction.OUTBOUND, Direction.INTERNAL])
def test_a_name_could_hide_in_summed_rows_even_if_their_scope_is_allowed(
    direction: Direction,
) -> None:
    found = case(rest(direction, loopback=3), asserted="all")
    assert concluded(found).value == "INCONCLUSIVE"


# Unknown is never "no"


@pytest.mark.parametrize(
    "changes",
    [
        {"located": Absent.NOT_FOUND, "located_confidence": Absent.NOT_FOUND},
        {"located_confidence": Confidence.LOW, "located_alt": "CN"},
        {"located_confidence": Confidence.LOW, "located_alt": "NO"},
        {"located_confidence": Confidence.NONE},
    ],
    ids=["no data", "sources differ", "both elsewhere", "anycast or CDN"],
)
def test_a_doubtful_place_is_unknown(changes: dict[str, Any]) -> None:
    doubtful = contact("45.9.0.1", destination=place(**changes))
    assert spots(case(doubtful, claim=NO_CHINA))["location-unknown"].count == 1


@pytest.mark.parametrize("role", ["cdn-front", "proxy"])
@pytest.mark.parametrize(
    ("spot_id", "asks"), [("control-unknown", NO_CHINA), ("category-unknown", NO_TELECOM)]
)
def test_who_stands_behind_a_front_is_unknown(role: str, spot_id: str, asks: Claim) -> None:
    front = contact("45.9.0.1", destination=place(role=role))
    assert spot_id in spots(case(front, claim=asks))


@pytest.mark.parametrize("address", ["100.64.0.9", "198.18.0.9", "203.0.113.9", "240.0.0.9"])
@pytest.mark.parametrize(
    ("spot_id", "asks"),
    [
        ("location-unknown", NO_CHINA),
        ("control-unknown", NO_CHINA),
        ("category-unknown", NO_TELECOM),
    ],
)
def test_an_address_that_no_list_has_is_unknown_and_never_near(
    address: str, spot_id: str, asks: Claim
) -> None:
    assert spot_id in spots(case(contact(address), claim=asks))


def test_a_synthetic_address_has_no_place() -> None:
    none = (Absent.SYNTHETIC,) * 9
    invented = contact("198.18.0.9", destination=type(place())(Scope.SIMULATED, *none))
    found = spots(case(invented, claim=NO_CHINA))
    assert {"location-unknown", "control-unknown"} <= found.keys()


def test_what_stays_on_the_network_is_in_no_country() -> None:
    found = spots(case(contact(LAN), claim=NO_CHINA))
    assert not {"location-unknown", "control-unknown"} & found.keys()


def test_an_address_counts_once_however_it_is_met() -> None:
    asked = replace(question("a.example", "45.9.0.1"), answer_destinations=(NOWHERE,))
    both = case(contact("45.9.0.1", destination=NOWHERE), asked, claim=NO_CHINA)
    assert spots(both)["location-unknown"].count == 1


def test_an_answer_of_unknown_place_is_unknown_without_a_contact() -> None:
    asked = replace(question("a.example", "45.9.0.1"), answer_destinations=(NOWHERE,))
    assert "location-unknown" in spots(case(asked, claim=NO_CHINA))


# Names that lead nobody knows where


@pytest.mark.parametrize("source", [NameSource.HTTP_CONNECT, NameSource.SOCKS])
@pytest.mark.parametrize("carrier", [LOOPBACK, LAN, "45.9.0.1"])
def test_a_name_that_a_proxy_was_asked_for_has_no_place(source: NameSource, carrier: str) -> None:
    there = contact(carrier, named("hidden.example", source))
    there = replace(there, destination=place()) if carrier == "45.9.0.1" else there
    assert spots(case(there, claim=NO_CHINA))["question-unplaced"].count == 1


def test_a_name_that_was_answered_has_the_place_of_the_answer() -> None:
    proxied = contact(LOOPBACK, named("a.example", NameSource.HTTP_CONNECT))
    asked = question("a.example", "192.168.1.9")
    assert "question-unplaced" not in spots(case(proxied, asked, claim=NO_CHINA))


def test_a_host_field_without_an_answer_may_be_a_request_to_a_proxy() -> None:
    said = contact("45.9.0.1", named("a.example", NameSource.HTTP_HOST), destination=place())
    proven = (NameSource.HTTP_HOST, NameSource.DNS_ANSWER)
    known = contact("45.9.0.1", named("a.example", *proven), destination=place())
    assert "question-unplaced" in spots(case(said, claim=NO_CHINA))
    assert "question-unplaced" not in spots(case(known, claim=NO_CHINA))


def test_a_server_name_is_of_the_place_of_its_address() -> None:
    said = contact("45.9.0.1", named("a.example", NameSource.TLS_SNI), destination=place())
    assert "question-unplaced" not in spots(case(said, claim=NO_CHINA))


def test_the_machines_own_name_leads_to_the_machine() -> None:
    assert "question-unplaced" not in spots(case(question("localhost"), claim=NO_CHINA))


def test_a_name_without_an_answer_could_lead_into_a_denied_prefix() -> None:
    denies = claim(everything=True, deny=Deny(prefixes=NO_PREFIX))
    assert "question-unplaced" in spots(case(question(), claim=denies))


NO_PREFIX = claim(prefixes=("203.0.113.0/24",)).allow.prefixes


# The age of lists


def test_the_limit_is_the_profiles_and_the_end_is_the_evidences() -> None:
    year = replace(ADDRESS_LIST, date="2026-06-01")
    assert "lists-stale" not in spots(case(claim=NO_CHINA, lists=(year,)))
    later = case(claim=NO_CHINA, lists=(year,), last_ts_ns=START_NS + 300 * DAY_NS)
    assert "lists-stale" in spots(later)


def test_a_claim_of_silence_does_not_mind_stale_lists() -> None:
    assert "lists-stale" not in spots(case(claim=OFFLINE, lists=(OLD,)))
