"""What the catalogue makes of a contact or a question: purposes, vendors; and what it allows."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.case import Case, Tried
from egress_audit.judge.headline import headline
from egress_audit.judge.rules import findings
from egress_audit.judge.verdict import blind_spots
from egress_audit.model.audit import Match, Verdict
from egress_audit.model.catalogue import Purpose
from egress_audit.model.claim import Deny
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Network, Role
from tests.builders.cases import (
    LOOPBACK,
    NO_CHINA,
    NOWHERE,
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
    spots,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import EXERCISER, attempt, owner, run

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


# EA013 and EA014 of what was tried without a packet

OTHER_HOST = "news.acme.example"
UNASKED = {"synthetic": {OUTSIDE: HOST}}
OPEN = entry("acme-open", jurisdiction=Absent.NOT_FOUND)
NO_SWEDEN = claim(everything=True, deny=Deny(controlled=frozenset({"SE"})))


def tried_as(*entries: Any, by: str = OUTSIDE, type: str = "stream") -> Any:
    """What the catalogue knows of the address that was tried, or of its name."""
    return {Tried(OUTSIDE, 443, type): (Match(by, tuple(one.id for one in entries)),)}


def tried(
    known_of_it: Any, *rows: Any, claim: Any = NO_TELEMETRY, places: Any = NOWHERE, **changes: Any
) -> Case:
    """An attempt on OUTSIDE, unless `changes` of the run say otherwise."""
    noted = run(**({"network": Network.OPEN, "attempts": (attempt(OUTSIDE),)} | changes))
    fits = (*ENTRIES, CHINESE, OPEN)
    return case(*rows, run=noted, entries=fits, tried=known_of_it, claim=claim, places=places)


def test_an_address_of_a_denied_purpose_that_was_tried_fires() -> None:
    judged = tried(tried_as(STATS))
    (found,) = findings(judged)
    assert found.message == (
        f"tried to reach {OUTSIDE}:443 (connect, refused before it became a packet), "
        "known as telemetry of Acme"
    )
    assert (found.rule, concluded(judged)) == ("EA013", Verdict.VIOLATED)


def test_so_does_one_that_our_dns_invented_for_a_name_of_that_purpose() -> None:
    assert fired(tried(tried_as(STATS, by=HOST), **UNASKED)) == ["EA013"]


def test_so_does_one_that_the_claim_allows_by_its_prefix() -> None:
    allowed = claim(prefixes=("203.0.113.0/24",), deny=NO_TELEMETRY.deny)
    assert fired(tried(tried_as(STATS), claim=allowed)) == ["EA013"]


@pytest.mark.parametrize("entries", [(NEWS,), (LABEL,), ()], ids=["other", "label", "none"])
def test_an_address_that_is_not_known_for_a_denied_purpose_does_not_fire(entries: Any) -> None:
    judged = tried(tried_as(*entries) if entries else {})
    assert (fired(judged), list(spots(judged))) == ([], ["purpose-unknown"])


@pytest.mark.parametrize("allow", [{"everything": True}, {"prefixes": ("203.0.113.0/24",)}])
def test_an_address_that_several_purposes_share_is_undecided(allow: Any) -> None:
    judged = tried(tried_as(STATS, NEWS), claim=claim(deny=NO_TELEMETRY.deny, **allow))
    assert (fired(judged), list(spots(judged))) == ([], ["purpose-undecided"])


def test_an_address_that_was_tried_is_nothing_to_a_claim_that_denies_no_purpose() -> None:
    judged = tried(tried_as(STATS), claim=claim(everything=True))
    assert (fired(judged), concluded(judged)) == ([], Verdict.HOLDS)


def test_the_connect_of_a_datagram_socket_does_not_fire() -> None:
    probe = attempt(OUTSIDE, type="dgram")
    there = tried_as(STATS, type="dgram")
    assert fired(tried(there, attempts=(probe,))) == []
    sent = replace(probe, call="sendto")
    assert fired(tried(there, attempts=(sent,))) == ["EA013"]


def test_what_fits_a_datagram_does_not_fire_for_a_connection() -> None:
    both = attempt(OUTSIDE, call="sendto", type="dgram"), attempt(OUTSIDE)
    (found,) = findings(tried(tried_as(STATS, type="dgram"), attempts=both))
    assert "(sendto, refused" in found.message


def test_what_our_exerciser_tried_does_not_fire() -> None:
    assert fired(tried(tried_as(STATS), attempts=(attempt(process=EXERCISER),))) == []


def test_an_address_that_a_packet_went_to_is_left_to_its_row() -> None:
    assert fired(tried(tried_as(STATS), contact(OUTSIDE))) == []


def led_by(*answered: Any, known_names: tuple[str, ...], claim: Any = NO_TELEMETRY) -> list[str]:
    """What fires for an attempt on an address that is an answer to questions, beside what fires for
    these; of some names the catalogue knows a denied purpose."""
    matches = tuple(Match(name, ("acme-stats",)) for name in known_names)
    return fired(tried({Tried(OUTSIDE, 443): matches}, *answered, claim=claim))


@pytest.mark.parametrize("judging", [NO_TELEMETRY, NO_SWEDEN])
def test_of_several_names_all_are_known_for_it_or_none_fires(judging: Any) -> None:
    asked = question(HOST, OUTSIDE), question(OTHER_HOST, OUTSIDE)
    rule = "EA013" if judging is NO_TELEMETRY else "EA014"
    assert led_by(*asked, known_names=(HOST, OTHER_HOST), claim=judging) == [rule]
    assert led_by(*asked, known_names=(HOST,), claim=judging) == []


def test_a_name_that_only_our_exerciser_asked_for_does_not_fire() -> None:
    theirs = question(HOST, OUTSIDE, owner=owner(Role.EXERCISER))
    assert led_by(theirs, known_names=(HOST,)) == []
    assert led_by(replace(theirs, owner=owner()), known_names=(HOST,)) == ["EA013"]


def test_an_address_of_a_vendor_under_a_denied_jurisdiction_that_was_tried_fires() -> None:
    (found,) = findings(tried(tried_as(CHINESE), claim=NO_CHINA))
    assert (found.rule, found.frames.total) == ("EA014", 0)
    assert found.message.endswith(", of Acme, controlled from CN (known by address)")


def test_so_does_one_that_our_dns_invented_for_a_name_of_such_a_vendor() -> None:
    (found,) = findings(tried(tried_as(CHINESE, by=HOST), claim=NO_CHINA, **UNASKED))
    assert found.message.endswith(", of Acme, controlled from CN (known by name)")


@pytest.mark.parametrize(
    "entries",
    [(STATS,), (CHINESE, STATS), (CHINESE, OPEN), (LABEL,)],
    ids=["elsewhere", "one elsewhere", "one unknown", "label"],
)
def test_a_vendor_that_may_be_elsewhere_does_not_fire_for_an_attempt(entries: Any) -> None:
    assert fired(tried(tried_as(*entries), claim=NO_CHINA, places={OUTSIDE: place()})) == []


def test_what_ea007_says_of_an_attempt_is_not_told_twice() -> None:
    there = {OUTSIDE: place(controlled="CN")}
    assert fired(tried(tried_as(CHINESE), claim=NO_CHINA, places=there)) == ["EA007"]


def test_a_place_that_two_rules_found_is_one_destination() -> None:
    judged = tried(tried_as(STATS), claim=claim(deny=NO_TELEMETRY.deny))
    assert fired(judged) == ["EA012", "EA013"]
    told = headline(judged, Verdict.VIOLATED, findings(judged), blind_spots(judged))
    assert "more destination" not in told


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
