"""What the catalogue calls a destination, in a few words."""

from egress_audit.model.catalogue import Entry
from egress_audit.report.known_as import known_as
from tests.builders.audit_parts import question
from tests.builders.endpoints import entry, known

HOST = "stats.acme.example"
LABEL = entry("acme-label", "auth", vendor="Other", labels_only=True)


def shown(*entries: Entry) -> str:
    seen = question(1, HOST, **known(HOST, *entries))
    return known_as(seen, {one.id: one for one in entries})


def test_an_entry_is_its_vendor_and_purpose() -> None:
    assert shown(entry()) == "Acme: telemetry"


def test_of_several_the_first_are_told_and_the_others_counted() -> None:
    several = [
        entry(f"{vendor}-{purpose}", purpose, vendor=vendor)
        for vendor, purpose in (("A", "auth"), ("B", "telemetry"), ("C", "auth"), ("A", "tunnel"))
    ]
    assert shown(*several) == "A, B +1: auth, telemetry +1"


def test_what_matches_nothing_has_no_words() -> None:
    assert known_as(question(1, HOST), {}) == ""


def test_a_label_is_told_with_a_question_mark() -> None:
    assert shown(LABEL) == "Other: auth?"


def test_a_label_gives_way_to_an_entry_that_accuses() -> None:
    assert shown(entry(), LABEL) == "Acme: telemetry"
