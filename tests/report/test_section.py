"""What a report for people is made of."""

from egress_audit.report.section import Entry, Section


def test_a_section_needs_no_note_and_an_entry_no_code() -> None:
    section = Section("Watched", (Entry("Frames", ("418",)),))
    assert section.note == ""
    assert section.entries[0].code == ""
