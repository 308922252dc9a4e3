"""What the catalogue makes of a contact or a question: purposes, vendors; and what it allows."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.rules import findings
from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Purpose
from egress_audit.model.claim import Deny
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import NameSource
from tests.builders.cases import (
    LOOPBACK,
    NO_CHINA,
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    fired,
    named,
    near,
    place,
    question,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import run

HOST = "stats.acme.example"
NO_TELEMETRY = claim(everything=True, deny=Deny(purposes=frozenset({Purpose.TELEMETRY})))
STATS, NEWS = entry("acme-stats"), entry("acme-news", "update-check")
LABEL = entry("acme-label", labels_only=True)
ENTRIES = (STATS, NEWS, LABEL)
ANSWERED = named(HOST, NameSource.DNS_ANSWER)
INVENTED = Destination(Scope.SIMULATED, *(Absent.SYNTHETIC,) * 9)

# EA013


@pytest.mark.parametrize(
    "row",
    [
        question(HOST, **known(HOST, STATS)),
        contact(OUTSIDE, named(HOST), **known(HOST, STATS)),
        contact(OUTSIDE, **known(OUTSIDE, STATS)),
        contact(LOOPBACK, named(HOST, NameSource.HTTP_CONNECT), **known(HOST, STATS)),
    ],
    ids=["asked", "named", "by its address", "through a proxy"],
)
def test_a_denied_purpose_fires(row: Any) -> None:
    assert fired(case(row, claim=NO_TELEMETRY, entries=ENTRIES)) == ["EA013"]


def test_another_purpose_does_not_fire() -> None:
    asked = question(HOST, **known(HOST, NEWS))
    assert fired(case(asked, claim=NO_TELEMETRY, entries=ENTRIES)) == []


def test_one_of_a_denied_and_another_purpose_is_undecided() -> None:
    asked = case(question(HOST, **known(HOST, STATS, NEWS)), claim=NO_TELEMETRY, entries=ENTRIES)
    assert fired(asked) == []
    assert concluded(asked).value == "INCONCLUSIVE"


def test_a_label_does_not_fire() -> None:
    asked = question(HOST, **known(HOST, LABEL))
    assert fired(case(asked, claim=NO_TELEMETRY, entries=ENTRIES)) == []


def test_a_label_beside_it_does_not_lift_a_finding() -> None:
    label = entry("acme-label", "auth", labels_only=True)
    asked = question(HOST, **known(HOST, STATS, label))
    assert fired(case(asked, claim=NO_TELEMETRY, entries=(STATS, label))) == ["EA013"]


def test_every_name_is_judged_by_itself() -> None:
    both = (Match("news.acme.example", ("acme-news",)), Match(HOST, ("acme-stats",)))
    there = contact(OUTSIDE, named("news.acme.example"), named(HOST), endpoints=both)
    (found,) = findings(case(there, claim=NO_TELEMETRY, entries=ENTRIES))
    assert found.message.endswith(f"also named {HOST}, known as telemetry of Acme")


def test_a_denied_purpose_counts_even_where_the_entry_is_allowed() -> None:
    both = claim(endpoints=("acme-stats",), deny=NO_TELEMETRY.deny)
    asked = question(HOST, **known(HOST, STATS))
    assert fired(case(asked, claim=both, entries=ENTRIES)) == ["EA013"]


def test_purposes_do_not_matter_to_a_claim_that_denies_none() -> None:
    asked = question(HOST, **known(HOST, STATS))
    assert fired(case(asked, claim=claim(everything=True), entries=ENTRIES)) == []


# EA014

CHINESE = entry("acme-china", jurisdiction="CN")
UNPLACED = place(controlled=Absent.NOT_FOUND, operator=Absent.NOT_FOUND, role=Absent.NOT_FOUND)


def vendor_fired(row: Any, *entries: Any) -> list[str]:
    fits = entries or (CHINESE,)
    row = replace(row, **known(HOST, *fits))
    return fired(case(row, claim=NO_CHINA, entries=fits))


@pytest.mark.parametrize(
    "row",
    [
        question(HOST),
        contact("198.18.0.9", ANSWERED, destination=INVENTED),
        contact("45.9.0.1", ANSWERED, destination=UNPLACED),
        contact("45.9.0.1", ANSWERED, destination=place(role="cdn-front")),
        contact("45.9.0.1", named(HOST), destination=place()),
        contact(LOOPBACK, named(HOST, NameSource.HTTP_CONNECT)),
    ],
    ids=["no answer", "invented", "in no list", "a front", "a cloud elsewhere", "through a proxy"],
)
def test_a_vendor_under_a_denied_jurisdiction_fires_whatever_the_address_tells(row: Any) -> None:
    assert vendor_fired(row) == ["EA014"]


def test_an_address_under_that_jurisdiction_is_not_told_twice() -> None:
    there = place(controlled="CN")
    asked = replace(question(HOST, "45.9.0.1"), answer_destinations=(there,))
    assert vendor_fired(contact("45.9.0.1", ANSWERED, destination=there)) == ["EA007"]
    assert vendor_fired(asked) == ["EA007"]


def test_a_vendor_elsewhere_does_not_fire_and_excuses_nothing() -> None:
    asked = case(
        replace(question(HOST), **known(HOST, STATS)), claim=NO_CHINA, entries=(STATS,), run=run()
    )
    assert fired(asked) == []
    assert concluded(asked).value == "INCONCLUSIVE"


@pytest.mark.parametrize("other", [STATS, entry("acme-open", jurisdiction=Absent.NOT_FOUND)])
def test_a_vendor_that_may_be_another_does_not_fire(other: Any) -> None:
    assert vendor_fired(question(HOST), CHINESE, other) == []


def test_a_vendor_by_a_label_alone_does_not_fire() -> None:
    assert vendor_fired(question(HOST), replace(CHINESE, labels_only=True)) == []


def test_vendors_do_not_matter_to_a_claim_that_denies_no_jurisdiction() -> None:
    asked = question(HOST, **known(HOST, CHINESE))
    assert fired(case(asked, claim=claim(everything=True), entries=(CHINESE,))) == []


# What entries allow


@pytest.mark.parametrize(
    "word", ["acme-news", "vendor:Acme", "product:Acme server", "purpose:update-check"]
)
def test_an_entry_allows_by_id_vendor_product_and_purpose(word: str) -> None:
    asked = question(HOST, **known(HOST, NEWS))
    there = contact(OUTSIDE, ANSWERED, **known(HOST, NEWS))
    assert fired(case(asked, there, claim=claim(endpoints=(word,)), entries=ENTRIES)) == []


@pytest.mark.parametrize("word", ["acme-stats", "vendor:acme", "product:Acme", "purpose:auth"])
def test_an_entry_allows_no_other(word: str) -> None:
    asked = question(HOST, **known(HOST, NEWS))
    assert fired(case(asked, claim=claim(endpoints=(word,)), entries=ENTRIES)) == ["EA002"]


def test_an_entry_does_not_allow_by_a_server_name_alone() -> None:
    there = contact(OUTSIDE, named(HOST), **known(HOST, NEWS))
    assert fired(case(there, claim=claim(endpoints=("acme-news",)), entries=ENTRIES)) == ["EA001"]


def test_an_entry_does_not_allow_what_may_be_another() -> None:
    asked = question(HOST, **known(HOST, STATS, NEWS))
    assert fired(case(asked, claim=claim(endpoints=("acme-news",)), entries=ENTRIES)) == ["EA002"]


def test_a_label_allows_nothing() -> None:
    asked = question(HOST, **known(HOST, LABEL))
    assert fired(case(asked, claim=claim(endpoints=("acme-label",)), entries=ENTRIES)) == ["EA002"]


def test_an_entry_allows_an_address_of_its_own() -> None:
    there = contact(OUTSIDE, **known(OUTSIDE, NEWS))
    assert fired(case(there, claim=claim(endpoints=("acme-news",)), entries=ENTRIES)) == []


def test_an_entry_does_not_open_the_metadata_service() -> None:
    there = contact("169.254.169.254", **known("169.254.169.254", NEWS))
    assert fired(case(there, claim=claim(endpoints=("acme-news",)), entries=ENTRIES)) == ["EA004"]


def test_a_proxy_may_be_asked_for_an_allowed_entry() -> None:
    proxied = contact(
        LOOPBACK,
        named(HOST, NameSource.HTTP_CONNECT),
        destination=near(Scope.LOOPBACK),
        **known(HOST, NEWS),
    )
    assert fired(case(proxied, claim=claim(endpoints=("acme-news",)), entries=ENTRIES)) == []
