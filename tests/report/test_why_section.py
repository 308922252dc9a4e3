"""Why the verdict is what it is."""

from dataclasses import replace

import pytest

from egress_audit.model.audit import Frames, Owner
from egress_audit.model.destination import Absent
from egress_audit.model.run import Role
from egress_audit.report.why_section import MAX_FINDINGS, remedies_section, why_section
from tests.builders.audit_parts import blind_spot, observation
from tests.builders.audits import asserted_silence, hub_lookup, own_address_guess, silent_capture
from tests.builders.runs import owner


def test_a_finding_has_rule_message_frames_and_a_filter() -> None:
    entry = why_section(hub_lookup()).entries[0]
    assert entry.term == "EA001"
    assert entry.lines == (
        "opened 19 TLS connections to huggingface.co (198.18.0.2, port 443)",
        "frames 7, 60, 70, 80, 90, 100 … (19 in all); as a Wireshark display filter:",
    )
    assert entry.code.startswith("frame.number in {7, 60, 70,")


def test_a_filter_that_lacks_frames_says_so() -> None:
    lines = why_section(hub_lookup()).entries[1].lines
    assert "the first 20 of 38 as a Wireshark display filter" in lines[1]


def test_a_finding_without_frames_has_no_filter() -> None:
    finding = replace(hub_lookup().findings[0], frames=Frames((), 0))
    (entry,) = why_section(replace(hub_lookup(), findings=(finding,))).entries
    assert entry.lines[1:] == ("in no frame",)
    assert entry.code == ""


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("custom block", "; Wireshark may also number 1 block without a frame"),
        ("systemd journal export block", "; Wireshark may also number 1 block without a frame"),
        ("sysdig block", "; Wireshark may also number 1 block without a frame"),
        ("decryption secrets block", "; as a Wireshark display filter:"),
    ],
)
def test_no_filter_is_given_where_wireshark_numbers_more_than_frames(kind: str, told: str) -> None:
    audit = hub_lookup()
    coverage = replace(audit.coverage, skipped_blocks={kind: 1})
    entry = why_section(replace(audit, coverage=coverage)).entries[0]
    assert entry.lines[-1].endswith(told)
    assert bool(entry.code) == ("filter" in told)


def test_findings_past_the_bound_are_counted() -> None:
    many = hub_lookup().findings * MAX_FINDINGS
    entries = why_section(replace(hub_lookup(), findings=many)).entries
    assert len(entries) == MAX_FINDINGS + 1
    assert "20 more findings" in entries[-1].lines[0]


def test_the_reasons_of_an_inconclusive_audit_are_its_material_blind_spots() -> None:
    audit = silent_capture()
    lines = [line for entry in why_section(audit).entries for line in entry.lines]
    assert sorted(line.partition(":")[0] for line in lines) == sorted(
        spot.id for spot in audit.blind_spots if spot.material
    )


def test_reasons_stand_beside_the_word_that_would_lift_them() -> None:
    entries = {entry.term: entry.lines for entry in why_section(silent_capture()).entries}
    assert next(iter(entries)) == "none lifts"
    assert set(entries) == {"none lifts", "whole-run", "no-drops"}


def test_a_remedy_that_settles_several_reasons_is_told_once() -> None:
    audit = silent_capture()
    spots = (*audit.blind_spots, replace(audit.blind_spots[0], id="end"))
    terms = [entry.term for entry in remedies_section(replace(audit, blind_spots=spots)).entries]
    assert terms == ["2 of them", "drops", "no-frames"]


def test_what_is_not_material_needs_no_remedy() -> None:
    audit = replace(silent_capture(), blind_spots=(own_address_guess(),))
    assert remedies_section(audit).entries == ()


def test_an_audit_that_holds_has_nothing_against_it() -> None:
    section = why_section(asserted_silence())
    assert section.entries == ()
    assert section.note.startswith("nothing contradicts the claim")


def test_what_no_assertion_lifts_stands_under_its_own_id() -> None:
    spots = (blind_spot("devices", lifted_by=Absent.NOT_APPLICABLE, remedy="look"),)
    audit = replace(silent_capture(), blind_spots=spots)
    section = why_section(audit)
    assert [entry.term for entry in section.entries] == ["devices"]
    assert "no assertion" in section.note
    assert remedies_section(audit).note == "evidence"


EXPLAINED = (
    "who: Acme server; at the other end: Acme (SE)",
    "why: telemetry",
    "how to switch it off: QUIET=1",
)


def test_a_finding_that_the_catalogue_knows_is_explained_before_its_frames() -> None:
    finding = replace(hub_lookup().findings[0], explanation=EXPLAINED)
    (entry,) = why_section(replace(hub_lookup(), findings=(finding,))).entries
    assert entry.lines[1:4] == EXPLAINED
    assert entry.lines[4].startswith("frames 7, 60")


def test_what_was_explained_once_is_not_explained_again() -> None:
    findings = tuple(replace(one, explanation=EXPLAINED) for one in hub_lookup().findings)
    _, again = why_section(replace(hub_lookup(), findings=findings)).entries
    assert again.lines[1:3] == (
        "who: Acme server; at the other end: Acme (SE)",
        "why, and how to switch it off: as above, at EA001, frame 7",
    )


def reasons(port: int, asked_by: Owner | Absent = Absent.NOT_FOUND) -> tuple[str, ...]:
    """What is said of a contact with the resolver of hub_lookup, at this port."""
    audit, there = hub_lookup(), "10.87.0.1"
    rows = (
        *(
            replace(seen, resolvers=(there,) if seen.resolvers else (), owner=asked_by)
            for seen in audit.observations
        ),
        observation(3, far_h=there, far_p=port),
    )
    finding = replace(audit.findings[0], observations=(3,))
    (entry,) = why_section(replace(audit, observations=rows, findings=(finding,))).entries
    return entry.lines[1:-1]


def test_a_contact_with_a_resolver_is_explained_by_the_names_it_was_asked_for() -> None:
    assert reasons(53) == ("why: a resolver, asked for huggingface.co",)


def test_a_name_that_our_probes_asked_for_explains_no_contact_of_the_program() -> None:
    assert reasons(53, owner(Role.PROBE)) == ()
    assert reasons(53, owner()) == ("why: a resolver, asked for huggingface.co",)


def test_another_service_at_the_address_of_a_resolver_is_not_taken_for_it() -> None:
    assert reasons(443) == ()


def test_a_blind_spot_that_the_catalogue_knows_is_explained_below_it() -> None:
    for lifted_by in ("whole-run", Absent.NOT_APPLICABLE):
        spots = (blind_spot("purpose", lifted_by=lifted_by, explanation=EXPLAINED),)
        (entry,) = why_section(replace(silent_capture(), blind_spots=spots)).entries
        assert entry.lines[1:] == EXPLAINED


def test_a_blind_spot_that_it_does_not_know_is_told_alone() -> None:
    (entry,) = why_section(replace(silent_capture(), blind_spots=(blind_spot(),))).entries
    assert len(entry.lines) == 1
