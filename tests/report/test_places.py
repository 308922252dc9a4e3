"""Where a destination is and whose."""

from dataclasses import replace

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.audit import Kind
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.report.places import countries, holder, located_words, place_lines, place_of
from tests.builders.audit_parts import ALIBABA, CLOUDFLARE, UNKNOWN, near, observation, question

SURE = replace(CLOUDFLARE, located_confidence=Confidence.HIGH)
ALONE = replace(SURE, located_confidence=Confidence.LOW)


@pytest.mark.parametrize(
    ("destination", "shown"),
    [
        (SURE, "US / US / US"),
        (ALONE, "US~ / US / US"),
        (ALIBABA, "SG or CN~ / SG / CN"),
        (CLOUDFLARE, "* / US / US"),
        (UNKNOWN, "? / ? / ?"),
    ],
)
def test_doubt_about_a_country_is_shown(destination: Destination, shown: str) -> None:
    assert countries(destination) == shown


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        (SURE, "US (high confidence: sources agree)"),
        (ALONE, "US (low confidence: nothing confirms it)"),
        (ALIBABA, "SG or CN (low confidence: sources differ)"),
        (
            CLOUDFLARE,
            "no one place: terminates at Cloudflare (US); origin not observable from the address",
        ),
        (replace(CLOUDFLARE, role="anycast-dns"), "no one place: anycast"),
        (UNKNOWN, Absent.NOT_FOUND),
    ],
)
def test_a_place_is_told_with_how_sure_it_is(destination: Destination, words: str) -> None:
    assert located_words(destination) == words


def test_the_operator_stands_before_the_holder_of_the_as() -> None:
    assert holder(CLOUDFLARE) == "AS13335 Cloudflare (cdn-front)"
    unlisted = replace(CLOUDFLARE, operator=Absent.NOT_FOUND, role=Absent.NOT_FOUND)
    assert holder(unlisted) == "AS13335 Cloudflare, Inc."


def test_an_unknown_holder_is_said_to_be_unknown() -> None:
    assert holder(UNKNOWN) == "AS, operator unknown"
    assert holder(replace(UNKNOWN, asn=64500)) == "AS64500 of unknown holder"


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.GLOBAL])
def test_an_address_outside_the_lists_has_a_scope_and_no_country(scope: Scope) -> None:
    (line,) = place_of(near(scope))
    assert "/" not in line


def test_a_question_shows_the_place_of_each_answer_once() -> None:
    asked = question(1, "a.example", answer_destinations=(CLOUDFLARE, CLOUDFLARE))
    assert place_lines(asked) == ("a name", "→ * / US / US", "→ AS13335 Cloudflare (cdn-front)")


def test_a_question_with_answers_in_many_places_says_that_there_are_more() -> None:
    places = (CLOUDFLARE, ALIBABA, UNKNOWN)
    assert place_lines(question(1, "a.example", answer_destinations=places))[-1] == "…"


def test_the_rest_has_no_place() -> None:
    assert place_lines(observation(kind=Kind.REST)) == ()
