"""Places and denied names where our own DNS invented the addresses; else see test_rules.py."""

from dataclasses import replace

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.rules import findings
from egress_audit.model.claim import Allow, Claim, Deny
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Network
from tests.builders.cases import (
    ADDRESS_LIST,
    LAN,
    NO_CHINA,
    case,
    claim,
    concluded,
    contact,
    fired,
    named,
    network,
    place,
    question,
    spots,
)
from tests.builders.runs import attempt, run

INVENTED = Destination(Scope.SIMULATED, *(Absent.SYNTHETIC,) * 9)
UNKNOWN = Destination(Scope.GLOBAL, *(Absent.NOT_FOUND,) * 9)
DENIES_RANGE = claim(everything=True, deny=Deny(prefixes=(network("198.18.0.0/15"),)))


def test_an_invented_address_lies_in_no_denied_prefix() -> None:
    there = contact("198.18.0.9", destination=INVENTED)
    asked = replace(question("a.example", "198.18.0.9"), answer_destinations=(INVENTED,))
    assert fired(case(there, asked, claim=DENIES_RANGE, run=run())) == []


def test_an_address_of_that_range_that_nobody_invented_does() -> None:
    assert fired(case(contact("198.18.0.9"), claim=DENIES_RANGE, run=run())) == ["EA009"]


def test_the_name_of_an_invented_address_can_be_denied() -> None:
    there = contact("198.18.0.9", named("bad.example"), destination=INVENTED)
    denies = claim(everything=True, deny=Deny(hosts=("bad.example",)))
    assert fired(case(there, claim=denies, run=run())) == ["EA009"]


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (("a.example", "bad.example"), "a.example at 203.0.113.9:443, also called bad.example"),
        (("bad.example", "a.example"), "bad.example at 203.0.113.9:443"),
    ],
)
def test_a_denied_name_is_told_where_another_one_stands_first(
    hosts: tuple[str, ...], told: str
) -> None:
    there = contact("203.0.113.9", *map(named, hosts))
    denies = claim(everything=True, deny=Deny(hosts=("bad.example",)))
    [finding] = findings(case(there, claim=denies))
    words = finding.message.replace(" (documentation)", "")
    assert words == f"opened 1 connection to {told}, which the profile denies"


@pytest.mark.parametrize(
    ("aliases", "ids"), [(("cdn.example", "bad.example"), ["EA009"]), (("cdn.example",), [])]
)
def test_a_question_that_is_led_on_to_a_denied_name_contradicts(
    aliases: tuple[str, ...], ids: list[str]
) -> None:
    denies = claim(everything=True, deny=Deny(hosts=("bad.example",)))
    asked = case(question("a.example"), claim=denies)
    led = replace(asked, aliases={"a.example": aliases, "b.example": ("bad.example",)})
    assert fired(led) == ids


def test_an_invented_address_is_in_no_denied_country() -> None:
    there = contact("198.18.0.9", destination=INVENTED)
    assert fired(case(there, claim=NO_CHINA, run=run())) == []


@pytest.mark.parametrize("net", [Network.OPEN, Network.SIMULATED])
def test_a_real_address_is_where_it_is_on_any_network(net: Network) -> None:
    there = contact("45.9.0.1", destination=place(located="CN"))
    assert fired(case(there, claim=NO_CHINA, run=run(network=net))) == ["EA006"]


# Attempts without a packet

THERE = "45.9.0.1"
TRIED = (attempt(THERE, call="sendto"),)
OPEN_RUN = run(network=Network.OPEN, attempts=TRIED)


def allowing(located: str) -> Claim:
    """A claim that allows one country alone."""
    return replace(claim(), allow=Allow(located=frozenset({located})))


DENIED = {
    "EA006": (NO_CHINA, place(located="CN")),
    "EA007": (NO_CHINA, place(controlled="CN")),
    "EA008": (claim(everything=True, deny=Deny(categories=frozenset({"cloud"}))), place()),
    "EA009": (claim(everything=True, deny=Deny(prefixes=(network("45.9.0.0/16"),))), place()),
    "EA015": (allowing(located="DE"), place()),
}


@pytest.mark.parametrize("rule", DENIED)
def test_what_was_refused_before_it_became_a_packet_is_placed_by_its_address(rule: str) -> None:
    judging, there = DENIED[rule]
    judged = case(claim=judging, run=OPEN_RUN, places={THERE: there})
    assert fired(judged) == [rule]
    (found,) = findings(judged)
    assert found.message.startswith(f"tried to reach {THERE}:443 (sendto, refused before")
    assert found.frames.total == 0


@pytest.mark.parametrize("judging", [NO_CHINA, allowing(located="SE")], ids=["denied", "allowed"])
def test_in_another_place_it_is_no_contradiction(judging: Claim) -> None:
    judged = case(claim=judging, run=OPEN_RUN, places={THERE: place()}, lists=(ADDRESS_LIST,))
    assert concluded(judged).value == "HOLDS"


@pytest.mark.parametrize(
    ("judging", "spot"),
    [
        (NO_CHINA, "location-unknown"),
        (NO_CHINA, "control-unknown"),
        (claim(everything=True, deny=Deny(categories=frozenset({"isp"}))), "category-unknown"),
        (allowing(located="SE"), "place-undecided"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_in_an_unknown_place_it_leaves_the_claim_open(
    judging: Claim, spot: str, listed: bool
) -> None:
    places = {THERE: UNKNOWN} if listed else {}
    judged = case(claim=judging, run=OPEN_RUN, places=places)
    assert fired(judged) == []
    assert spots(judged)[spot].material


def test_a_packet_to_it_is_judged_by_its_own_row() -> None:
    seen = contact(THERE, destination=place(located="CN"))
    judged = case(seen, claim=NO_CHINA, run=OPEN_RUN, places={THERE: place(located="CN")})
    assert fired(judged) == ["EA006"]


def test_a_route_that_was_asked_for_is_no_attempt() -> None:
    probed = run(network=Network.OPEN, attempts=(attempt(THERE, type="dgram"),))
    judged = case(claim=NO_CHINA, run=probed, places={THERE: place(located="CN")})
    assert fired(judged) == []


def test_an_invented_address_that_was_tried_has_no_place() -> None:
    invented = run(attempts=TRIED, synthetic={THERE: "a.example"})
    judged = case(claim=NO_CHINA, run=invented, places={THERE: place(located="CN")})
    assert fired(judged) == []


# What a proxy was asked for

PROXIED = contact(LAN, named(THERE, NameSource.HTTP_CONNECT), far_p=3128)


@pytest.mark.parametrize("rule", ["EA006", "EA007", "EA008", "EA015"])
def test_an_address_that_a_proxy_was_asked_for_is_placed(rule: str) -> None:
    judging, there = DENIED[rule]
    wide = replace(judging, allow=replace(judging.allow, scopes=frozenset({Scope.LAN})))
    judged = case(PROXIED, claim=wide, places={THERE: there})
    assert fired(judged) == [rule]
    assert f"which was asked for {THERE}, " in findings(judged)[0].message


def test_one_elsewhere_is_no_contradiction() -> None:
    assert fired(case(PROXIED, claim=NO_CHINA, places={THERE: place()})) == []
