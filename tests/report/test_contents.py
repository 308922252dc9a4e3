"""The order of a report for people."""

from egress_audit.report.contents import sections_before_table
from tests.builders.audits import asserted_silence, hub_lookup, silent_capture


def test_the_claim_and_the_reasons_stand_before_what_was_watched() -> None:
    titles = [section.title for section in sections_before_table(hub_lookup())]
    assert titles == ["Claim", "Why", "Watched", "Could not be seen"]


def test_an_inconclusive_audit_says_what_would_settle_it() -> None:
    titles = [section.title for section in sections_before_table(silent_capture())]
    assert titles[1:3] == ["Why", "What would settle it"]


def test_assertions_have_a_section_where_there_are_some() -> None:
    titles = [section.title for section in sections_before_table(asserted_silence())]
    assert titles.index("Asserted") == titles.index("Why") + 1
