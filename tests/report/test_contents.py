"""The order of a report for people."""

from egress_audit.model.run import WrittenFile
from egress_audit.report.contents import sections_after_table, sections_before_table
from tests.builders.audits import asserted_silence, hub_lookup, run_at_home, silent_capture
from tests.builders.runs import attempt, run, setting


def test_the_claim_and_the_reasons_stand_before_what_was_watched() -> None:
    titles = [section.title for section in sections_before_table(hub_lookup())]
    assert titles == ["Claim", "Why", "Watched", "Could not be seen"]


def test_an_inconclusive_audit_says_what_would_settle_it() -> None:
    titles = [section.title for section in sections_before_table(silent_capture())]
    assert titles[1:3] == ["Why", "What would settle it"]


def test_assertions_have_a_section_where_there_are_some() -> None:
    titles = [section.title for section in sections_before_table(asserted_silence())]
    assert titles.index("Asserted") == titles.index("Why") + 1


def test_a_run_is_told_before_what_was_watched_of_it() -> None:
    opted = run(conditions=(setting("DO_NOT_TRACK", "1"),))
    titles = [section.title for section in sections_before_table(run_at_home(opted))]
    assert titles == [
        "Claim",
        "Why",
        "How it was run",
        "Conditions of this verdict",
        "Watched",
        "Could not be seen",
    ]


def test_behind_the_table_stands_what_is_in_no_row_of_it() -> None:
    there = run(
        attempts=(attempt(),), written_files=(WrittenFile("/tmp/x", 1),), cannot_see=("RDMA",)
    )
    assert [section.title for section in sections_after_table(run_at_home(there))] == [
        "Attempts without a packet",
        "Not the program's",
        "Files written",
        "Not seen in this run",
        "Judged with",
    ]


def test_of_a_plain_capture_only_the_lists_and_rules_stand_there() -> None:
    titles = [section.title for section in sections_after_table(hub_lookup())]
    assert titles == ["Judged with"]
