"""What could not be seen, and what a person states in its place."""

from dataclasses import replace

from egress_audit.report.unseen_section import asserted_section, unseen_section
from tests.builders.audits import (
    asserted_silence,
    hub_lookup,
    own_address_guess,
    silent_capture,
)


def test_beside_a_violation_material_blind_spots_are_named_and_no_more() -> None:
    section = unseen_section(hub_lookup())
    assert section.entries[0].lines == ("whole-run",)
    assert section.entries[1].lines[0].endswith("(not material to this claim)")
    assert section.note == "no effect on this verdict, but it could not be HOLDS"


def test_reasons_that_stand_above_are_not_told_twice() -> None:
    section = unseen_section(silent_capture())
    assert section.entries == ()
    assert section.note == "nothing besides the reasons above"


def test_other_blind_spots_of_an_inconclusive_audit_are_told() -> None:
    spots = (*silent_capture().blind_spots, own_address_guess())
    section = unseen_section(replace(silent_capture(), blind_spots=spots))
    assert [entry.term for entry in section.entries] == ["own-addresses"]
    assert section.note == "besides the reasons above"


def test_what_holds_has_nothing_material_unseen() -> None:
    section = unseen_section(asserted_silence())
    assert section.note == "nothing material is left beside what is asserted"
    assert section.entries == ()


def test_an_assertion_says_what_it_lifts() -> None:
    first, *_ = asserted_section(asserted_silence()).entries
    assert first.lines[1].startswith("lifts ")


def test_an_assertion_says_who_when_and_why_or_that_nobody_said() -> None:
    signed, unsigned = asserted_section(asserted_silence()).entries
    assert signed.lines[2] == "by A. Auditor; when: 2026-11-21; why: not stated"
    assert unsigned.lines[2] == "by nobody named; when: not stated; why: not stated"


def test_assertions_of_one_person_are_signed_once() -> None:
    audit = asserted_silence()
    same = tuple(replace(one, who="A. Auditor", when="2026-11-21") for one in audit.assertions)
    entries = asserted_section(replace(audit, assertions=same)).entries
    assert [entry.term for entry in entries][-1] == "signed"
    assert entries[-1].lines == ("by A. Auditor; when: 2026-11-21; why: not stated",)
