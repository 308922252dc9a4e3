"""Sections of what stands beside an audit."""

from dataclasses import replace

from egress_audit.model.audit import Finding, Frames
from egress_audit.report.beside import AddressLabel, FrameOrigin
from egress_audit.report.beside_sections import (
    MAX_LABELS,
    distinct,
    labels_section,
    origins_section,
)
from egress_audit.report.safe_text import NO_BREAK
from tests.builders.audits import hub_lookup, silent_capture

ORIGINS = (FrameOrigin(3, 0, 2), FrameOrigin(4, 1, 1), FrameOrigin(9, 0, 5))
CITING = replace(
    hub_lookup(), findings=(Finding("EA001", "opened 3 connections", (), Frames((3, 4, 9), 3)),)
)


def test_each_cited_frame_is_told_with_its_number_in_its_own_file() -> None:
    section = origins_section(CITING, ORIGINS, ("a.pcap", "b.pcap"))
    assert section is not None
    lines = [line.replace(NO_BREAK, " ") for line in section.entries[0].lines]
    assert lines == ["a.pcap: 3 is 2, 9 is 5", "b.pcap: 4 is 1"]


def test_captures_of_the_same_name_are_told_apart() -> None:
    assert distinct(["x", "y", "x", "x"]) == ["x", "y", "x (2)", "x (3)"]


def test_where_no_frame_is_cited_there_is_no_section() -> None:
    assert origins_section(silent_capture(), (), ("a", "b")) is None


def test_labels_say_that_they_are_no_evidence() -> None:
    section = labels_section((AddressLabel("10.0.0.1", "gw", "router"),))
    assert "no evidence" in section.note
    assert (section.entries[0].term, section.entries[0].lines) == ("10.0.0.1", ("gw, router",))


def test_labels_that_fit_no_address_are_told_too() -> None:
    assert "none of these addresses" in labels_section(()).note


def test_many_labels_are_counted() -> None:
    many = tuple(AddressLabel(f"10.0.0.{n}", "x", "") for n in range(MAX_LABELS + 2))
    assert "2 more" in labels_section(many).entries[-1].lines[0]
