"""What `lists` says of an address, of ages and of nothing."""

from dataclasses import replace
from datetime import date

import pytest

from egress_audit.addresses import Scope
from egress_audit.api import LookedUp
from egress_audit.cli.list_words import (
    looked_up_json,
    looked_up_text,
    shown_text,
    updated_text,
)
from egress_audit.keeping.shown import shown_lists
from egress_audit.model.destination import Absent, Confidence, Destination
from tests.builders.audit_parts import UNKNOWN

TOKYO = Destination(
    Scope.GLOBAL, "JP", Confidence.HIGH, Absent.NOT_FOUND, "US", "CN", 64500, "Example Inc.",
    "Example", "cloud",
)  # fmt: skip


@pytest.mark.parametrize(
    ("found", "words"),
    [(TOKYO, "JP (high confidence: sources agree)"), (UNKNOWN, "not in the lists")],
)
def test_a_place_is_told_with_how_sure_it_is(found: Destination, words: str) -> None:
    told = " ".join("".join(looked_up_text([LookedUp("9.1.1.1", found)])).split())
    assert f"located {words} " in told


def test_an_unknown_address_has_two_unknown_answers_about_china() -> None:
    text = "".join(looked_up_text([LookedUp("192.0.1.1", UNKNOWN)]))
    assert "located there: unknown; controlled from there: unknown" in text


def test_a_hostile_name_reaches_no_terminal() -> None:
    hostile = replace(TOKYO, organisation="\x1b[31mred\u202e")
    text = "".join(looked_up_text([LookedUp("192.0.1.1", hostile)]))
    assert "\x1b" not in text and "\u202e" not in text
    assert "\x1b" not in "".join(looked_up_json([LookedUp("192.0.1.1", hostile)]))


@pytest.mark.parametrize(
    ("day", "says"), [(date(2026, 9, 30), "OLD"), (date(2027, 9, 30), "STALE: past 365 days")]
)
def test_an_old_list_is_called_so(day: date, says: str) -> None:
    first = next(one for one in shown_lists(day) if one.name == "addresses")
    assert says in shown_text([first])


def test_a_list_that_was_changed_is_called_so() -> None:
    first = next(one for one in shown_lists(date(2026, 6, 2)) if one.name == "addresses")
    assert "NOT as described" in " ".join(shown_text([replace(first, intact=False)]).split())


def test_an_update_of_nothing_says_so() -> None:
    assert "in use already" in updated_text([])
