"""What `lists` says of an address, of ages and of nothing."""

from dataclasses import replace
from datetime import date

import pytest

from egress_audit.addresses import Scope
from egress_audit.api import LookedUp
from egress_audit.cli.list_words import (
    imported_text,
    looked_up_json,
    looked_up_text,
    shown_text,
    undone_words,
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


FRONT = replace(
    TOKYO,
    located=Absent.NOT_APPLICABLE,
    located_confidence=Confidence.NONE,
    controlled="US",
    role="cdn-front",
)


def test_a_front_says_why_it_is_unknown_from_where_it_is_controlled() -> None:
    told = " ".join("".join(looked_up_text([LookedUp("9.1.1.1", FRONT)])).split())
    behind = "(terminates at Example (US); origin not observable from the address)"
    assert f"controlled from there: unknown {behind}" in told


def test_a_front_that_is_controlled_from_china_needs_no_reason() -> None:
    found = replace(FRONT, controlled="CN")
    told = " ".join("".join(looked_up_text([LookedUp("9.1.1.1", found)])).split())
    assert told.endswith("controlled from there: yes")


def test_the_dissenting_source_is_in_both_formats() -> None:
    found = replace(TOKYO, located_confidence=Confidence.LOW, located_alt="US")
    assert "JP or US (low" in "".join(looked_up_text([LookedUp("9.1.1.1", found)]))
    assert '"located_alt": "US"' in "".join(looked_up_json([LookedUp("9.1.1.1", found)]))


def test_no_announcement_is_told_in_place_of_an_as() -> None:
    told = "".join(looked_up_text([LookedUp("9.1.1.1", replace(TOKYO, asn=Absent.NOT_FOUND))]))
    assert "no announcement of this address" in told


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


@pytest.mark.parametrize(("rows", "told"), [(1, "1 range,"), (1200, "1 200 ranges,")])
def test_one_range_is_told_as_one(rows: int, told: str) -> None:
    said = imported_text({"name": "a", "rows": rows, "date": "2026-06-01"})
    assert told in said.replace("\N{NO-BREAK SPACE}", " ")


def test_an_undo_without_an_update_claims_nothing() -> None:
    assert undone_words("text", undone=False).startswith("Nothing to undo: ")
    assert '"undone": false' in undone_words("json", undone=False)


def test_an_undo_says_what_counts_again() -> None:
    assert "in use again" in undone_words("text", undone=True)
    assert '"undone": true' in undone_words("json", undone=True)


def test_an_address_that_embeds_another_names_it() -> None:
    assert "embeds      8.8.8.8" in "".join(looked_up_text([LookedUp("64:ff9b::808:808", TOKYO)]))
    assert "embeds" not in "".join(looked_up_text([LookedUp("2001:db8::1", TOKYO)]))
