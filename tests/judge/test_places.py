"""What a claim allows by place: allowed, forbidden, or not known."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.country_codes import EUROPEAN_UNION
from egress_audit.judge.case import Tried
from egress_audit.judge.places import (
    attempts_left_to_places,
    is_covered,
    left_to_places,
    objection,
    permitted,
)
from egress_audit.judge.rules import findings
from egress_audit.model.audit import Match, Observation, Verdict
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Allow, Claim, Deny
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Network
from tests.builders.cases import (
    LAN,
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    fired,
    named,
    network,
    place,
    question,
    rest,
    spots,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import attempt, run

SWEDEN = Allow(located=frozenset({"SE"}))
SWEDISH = Allow(controlled=frozenset({"SE"}))
EXAMPLE = Allow(operators=frozenset({"Example"}))
BOTH = Allow(located=frozenset({"SE"}), controlled=frozenset({"SE"}))
UNKNOWN = place(located=Absent.NOT_FOUND, located_confidence=Absent.NOT_FOUND)
UNOWNED = place(controlled=Absent.NOT_FOUND, operator=Absent.NOT_FOUND, role=Absent.NOT_FOUND)
ANYCAST = place(located_confidence=Confidence.NONE)
FRONT = place(role="cdn-front", located_confidence=Confidence.NONE)
ANSWERED = NameSource.DNS_ANSWER


def allowing(*scopes: Scope, **places: Any) -> Claim:
    """A claim that allows loopback, some scopes, and what else is given."""
    return replace(claim(), allow=Allow(scopes=frozenset({Scope.LOOPBACK, *scopes}), **places))


IN_SWEDEN = allowing(located=frozenset({"SE"}))


def to(there: Destination, *names: Any) -> Observation:
    return contact("45.9.0.1", *names, destination=there)


def leading_to(there: Destination) -> Observation:
    return replace(question("a.example", "45.9.0.1"), answer_destinations=(there,))


# Three answers


@pytest.mark.parametrize("allow", [SWEDEN, SWEDISH, EXAMPLE, BOTH])
def test_a_place_that_is_surely_an_allowed_one_is_permitted(allow: Allow) -> None:
    assert permitted(place(), allow) is True


@pytest.mark.parametrize(
    ("there", "allow"),
    [
        (place(located="US"), SWEDEN),
        (place(controlled="US"), SWEDISH),
        (place(operator="Other"), EXAMPLE),
        (place(located="US"), BOTH),
        (place(controlled="US"), BOTH),
    ],
)
def test_a_place_that_is_surely_another_one_is_not(there: Destination, allow: Allow) -> None:
    assert permitted(there, allow) is False


@pytest.mark.parametrize(
    ("there", "allow"),
    [
        (UNKNOWN, SWEDEN),
        (ANYCAST, SWEDEN),
        (place(located_confidence=Confidence.LOW, located_alt="DK"), SWEDEN),
        (place(located="US", located_confidence=Confidence.LOW), SWEDEN),
        (UNOWNED, SWEDISH),
        (UNOWNED, EXAMPLE),
        (UNKNOWN, BOTH),
        (UNOWNED, BOTH),
    ],
)
def test_a_place_that_is_not_known_is_neither(there: Destination, allow: Allow) -> None:
    assert permitted(there, allow) is None


def test_one_surely_wrong_place_is_a_no_whatever_else_is_unknown() -> None:
    assert permitted(replace(UNKNOWN, controlled="US"), BOTH) is False
    assert permitted(replace(UNOWNED, located="US"), BOTH) is False


@pytest.mark.parametrize("allow", [SWEDEN, SWEDISH, EXAMPLE])
def test_who_stands_behind_a_front_of_an_allowed_operator_is_unknown(allow: Allow) -> None:
    assert permitted(FRONT, allow) is None


@pytest.mark.parametrize("allow", [SWEDISH, EXAMPLE])
def test_a_front_of_another_operator_is_another_operator(allow: Allow) -> None:
    assert permitted(replace(FRONT, operator="Other", controlled="US"), allow) is False


# Why not


@pytest.mark.parametrize(
    ("there", "allow", "why"),
    [
        (place(located="US"), SWEDEN, "located in US, and not in SE"),
        (
            place(controlled="US"),
            BOTH,
            "operated by Example, controlled from US, and not from SE",
        ),
        (place(operator="Other"), EXAMPLE, "operated by Other, and not by Example"),
    ],
)
def test_an_objection_names_the_first_of_its_places_that_is_another(
    there: Destination, allow: Allow, why: str
) -> None:
    assert objection(there, allow) == why


def test_of_many_allowed_countries_a_sentence_lists_a_few() -> None:
    many = Allow(located=frozenset({"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI"}))
    assert objection(place(located="US"), many) == (
        "located in US, and not in AT, BE, BG, CY and 6 more"
    )


def test_the_european_union_is_told_by_its_name() -> None:
    union = Allow(located=EUROPEAN_UNION)
    assert objection(place(located="US"), union) == (
        "located in US, and not in the EU (27 countries)"
    )


def test_countries_beside_the_union_are_told_with_it_and_those_of_a_part_of_it_by_their_codes() -> (
    None
):
    more, less = Allow(located=EUROPEAN_UNION | {"NO"}), Allow(located=frozenset({"SE", "NO"}))
    assert objection(place(located="US"), more).endswith("not in the EU (27 countries), NO")
    assert objection(place(located="US"), less).endswith("not in NO, SE")


# What is left to places


@pytest.mark.parametrize("row", [to(place(located="US")), leading_to(place(located="US"))])
def test_what_is_surely_elsewhere_contradicts_the_claim(row: Observation) -> None:
    assert fired(case(row, claim=IN_SWEDEN)) == ["EA015"]


@pytest.mark.parametrize("row", [to(place()), leading_to(place())])
def test_what_is_surely_there_does_not(row: Observation) -> None:
    judged = case(row, claim=IN_SWEDEN)
    assert fired(judged) == []
    assert "place-undecided" not in spots(judged)


@pytest.mark.parametrize("row", [to(UNKNOWN), leading_to(ANYCAST)])
def test_what_may_be_elsewhere_leaves_the_claim_undecided(row: Observation) -> None:
    judged = case(row, claim=IN_SWEDEN, asserted="all")
    assert fired(judged) == []
    assert spots(judged)["place-undecided"].material
    assert concluded(judged) is Verdict.INCONCLUSIVE


def test_an_answer_elsewhere_is_told_once_for_each_question() -> None:
    asked = replace(
        question("a.example", "45.9.0.1", "45.9.0.2"),
        answer_destinations=(place(located="US"), place(located="US")),
    )
    assert fired(case(asked, claim=IN_SWEDEN)) == ["EA015"]


def test_the_name_that_was_asked_for_is_not_held_against_a_claim_by_place() -> None:
    assert fired(case(question("a.example"), claim=IN_SWEDEN)) == []


def test_a_name_without_an_answer_leaves_it_undecided() -> None:
    assert spots(case(question("a.example"), claim=IN_SWEDEN))["question-unplaced"].material


def test_the_local_network_is_no_place_and_needs_its_scope() -> None:
    assert fired(case(contact(LAN), claim=IN_SWEDEN)) == ["EA003"]
    with_lan = allowing(Scope.LAN, located=frozenset({"SE"}))
    assert fired(case(contact(LAN), claim=with_lan)) == []


def test_a_metadata_service_has_no_place_and_needs_its_scope() -> None:
    assert fired(case(contact("169.254.169.254"), claim=IN_SWEDEN)) == ["EA004"]


def test_a_provider_s_network_is_of_unknown_place() -> None:
    judged = case(contact("100.64.0.9"), claim=IN_SWEDEN)
    assert fired(judged) == []
    assert "place-undecided" in spots(judged)


@pytest.mark.parametrize(
    "beside",
    [
        {"prefixes": (network("45.9.0.0/16"),)},
        {"hosts": ("a.example",)},
    ],
)
def test_what_a_prefix_or_host_allows_may_be_anywhere(beside: Any) -> None:
    by_both = allowing(located=frozenset({"SE"}), **beside)
    seen = to(place(located="US"), named("a.example", ANSWERED))
    asked = replace(question("a.example", "45.9.0.1"), answer_destinations=(place(located="US"),))
    assert fired(case(seen, asked, claim=by_both)) == []


def test_a_server_name_alone_allows_nothing() -> None:
    by_both = allowing(located=frozenset({"SE"}), hosts=("a.example",))
    seen = to(place(located="US"), named("a.example"))
    assert fired(case(seen, claim=by_both)) == ["EA015"]


def test_what_is_denied_is_denied_in_an_allowed_place() -> None:
    denies = replace(IN_SWEDEN, deny=Deny(hosts=("bad.example",)))
    assert fired(case(to(place(), named("bad.example")), claim=denies)) == ["EA009"]


def test_a_claim_by_place_depends_on_the_lists_and_on_names() -> None:
    assert "lists-missing" in spots(case(claim=IN_SWEDEN))
    assert spots(case(claim=IN_SWEDEN, hidden_names={"QUIC": 1}))["names-hidden"].material


def test_a_destination_beyond_the_rows_is_not_forbidden_for_its_scope() -> None:
    judged = case(rest(global_=3), claim=IN_SWEDEN)
    assert fired(judged) == []
    assert spots(judged)["rows-dropped"].material


def test_an_invented_address_has_no_place_and_a_simulated_network_leaves_it_undecided() -> None:
    invented = Destination(Scope.SIMULATED, *(Absent.SYNTHETIC,) * 9)
    judged = case(
        contact("198.18.0.9", destination=invented),
        claim=IN_SWEDEN,
        run=run(network=Network.SIMULATED),
    )
    assert fired(judged) == []
    assert spots(judged)["places-simulated"].material
    assert "place-undecided" not in spots(judged)


def test_a_claim_that_allows_nothing_by_place_leaves_nothing_to_it() -> None:
    assert list(left_to_places(case(to(place()), claim=claim()))) == []


# Attempts without a packet


def test_an_attempt_without_a_packet_is_to_an_unknown_place() -> None:
    judged = case(claim=IN_SWEDEN, run=run(attempts=(attempt(address="45.9.0.1"),)))
    assert fired(judged) == []
    assert spots(judged)["place-undecided"].material


def test_an_attempt_with_a_packet_is_judged_by_its_packet() -> None:
    tried = run(attempts=(attempt(address="45.9.0.1", port=443),))
    assert "place-undecided" not in spots(case(to(place()), claim=IN_SWEDEN, run=tried))


def test_an_attempt_on_the_local_network_is_forbidden_and_not_undecided() -> None:
    judged = case(claim=IN_SWEDEN, run=run(attempts=(attempt(address=LAN),)))
    assert fired(judged) == ["EA012"]
    assert attempts_left_to_places(judged) == {}


def test_an_attempt_says_nothing_of_a_claim_that_allows_nothing_by_place() -> None:
    judged = case(claim=claim(everything=True), run=run(attempts=(attempt(),)))
    assert attempts_left_to_places(judged) == {}


# Whose names they are


UNDER_SWEDEN = allowing(controlled=frozenset({"SE"}))
SWEDISH_VENDOR, FOREIGN = entry(), entry("other-stats", vendor="Other", jurisdiction="US")
HOST = "stats.acme.example"


def of(*entries: Entry, claim: Claim = UNDER_SWEDEN, host: str = HOST) -> list[str]:
    """The rules that fire for a contact in Sweden under a name of these vendors."""
    seen = replace(to(place(), named(host, ANSWERED)), **known(host, *entries))
    return fired(case(seen, claim=claim, entries=entries))


def test_a_vendor_elsewhere_contradicts_wherever_its_machine_stands() -> None:
    assert of(FOREIGN) == ["EA015"]


def test_a_vendor_of_an_allowed_country_does_not() -> None:
    assert of(SWEDISH_VENDOR) == []


def test_a_name_that_may_be_of_an_allowed_vendor_does_not() -> None:
    assert of(SWEDISH_VENDOR, FOREIGN) == []


def test_a_vendor_of_unknown_jurisdiction_is_not_surely_elsewhere() -> None:
    assert of(replace(FOREIGN, jurisdiction=Absent.NOT_FOUND)) == []


def test_a_label_accuses_nobody() -> None:
    assert of(replace(FOREIGN, labels_only=True)) == []


def test_vendors_do_not_matter_to_a_claim_of_location_alone() -> None:
    assert of(FOREIGN, claim=IN_SWEDEN) == []


def test_a_vendor_whose_host_is_allowed_may_be_anywhere() -> None:
    assert of(FOREIGN, claim=allowing(controlled=frozenset({"SE"}), hosts=(HOST,))) == []


def test_an_address_of_a_vendor_elsewhere_contradicts_unless_its_prefix_is_allowed() -> None:
    assert of(FOREIGN, host="45.9.0.1") == ["EA015"]
    allowed = allowing(controlled=frozenset({"SE"}), prefixes=(network("45.9.0.0/16"),))
    assert of(FOREIGN, host="45.9.0.1", claim=allowed) == []


def test_a_row_is_told_once_though_address_and_name_are_elsewhere() -> None:
    seen = replace(to(place(controlled="US"), named(HOST, ANSWERED)), **known(HOST, FOREIGN))
    assert fired(case(seen, claim=UNDER_SWEDEN, entries=(FOREIGN,))) == ["EA015"]


def tried_of(*entries: Entry, claim: Claim = UNDER_SWEDEN, by: str = OUTSIDE, **noted: Any) -> Any:
    """An attempt without a packet on an address in Sweden that these vendors may have."""
    there = {Tried(OUTSIDE, 443): (Match(by, tuple(one.id for one in entries)),)}
    tried = run(**({"network": Network.OPEN, "attempts": (attempt(OUTSIDE),)} | noted))
    where = {OUTSIDE: place()}
    return case(claim=claim, run=tried, entries=entries, tried=there, places=where)


def test_an_attempt_on_a_vendor_elsewhere_contradicts_too() -> None:
    (found,) = findings(tried_of(FOREIGN))
    assert found.rule == "EA015"
    assert found.message.endswith(
        "a packet), of Other, controlled from US, and not from SE (known by address)"
    )
    assert fired(tried_of(FOREIGN, by=HOST, synthetic={OUTSIDE: HOST})) == ["EA015"]


@pytest.mark.parametrize(
    "entries",
    [
        (SWEDISH_VENDOR,),
        (SWEDISH_VENDOR, FOREIGN),
        (replace(FOREIGN, jurisdiction=Absent.NOT_FOUND),),
        (replace(FOREIGN, labels_only=True),),
    ],
    ids=["allowed", "one allowed", "unknown", "label"],
)
def test_an_attempt_on_a_vendor_that_is_not_surely_elsewhere_does_not(entries: Any) -> None:
    assert fired(tried_of(*entries)) == []


def test_nor_one_that_the_claim_allows_otherwise_or_of_location_alone() -> None:
    allowed = allowing(controlled=frozenset({"SE"}), prefixes=(network("203.0.113.0/24"),))
    assert fired(tried_of(FOREIGN, claim=allowed)) == []
    assert fired(tried_of(FOREIGN, claim=IN_SWEDEN)) == []


def test_nor_the_connect_of_a_datagram_socket() -> None:
    assert fired(tried_of(FOREIGN, attempts=(attempt(OUTSIDE, type="dgram"),))) == []


def test_an_attempt_is_told_once_though_address_and_vendor_are_elsewhere() -> None:
    judged = replace(tried_of(FOREIGN), named={OUTSIDE: place(controlled="US")})
    assert fired(judged) == ["EA015"]


@pytest.mark.parametrize(("granted", "covered"), [((), False), (("45.9.0.1",), True)])
def test_an_address_may_be_covered_as_an_entry_of_the_catalogue(
    granted: tuple[str, ...], covered: bool
) -> None:
    assert is_covered("45.9.0.1", claim().allow, granted) is covered


def test_what_our_dns_invented_has_no_place_that_could_be_another_one() -> None:
    tried = (attempt("45.9.0.1"), attempt("198.18.0.7"))
    noted = run(attempts=tried, synthetic={"198.18.0.7": "a.example"})
    judged = case(claim=IN_SWEDEN, run=noted)
    assert list(attempts_left_to_places(judged)) == ["45.9.0.1"]


def test_a_metadata_service_has_no_place() -> None:
    rows = (contact("169.254.169.254"), contact("45.9.0.1"))
    left = left_to_places(case(*rows, claim=IN_SWEDEN))
    assert [end.address for end in left] == ["45.9.0.1"]
