"""What several captures come to."""

from dataclasses import replace

import pytest

from egress_audit.model.audit import Verdict
from egress_audit.report.summary import (
    NO_AUDIT,
    SummaryRow,
    row_of,
    row_without_audit,
    summary_of,
)
from tests.builders.audits import hub_lookup, silent_capture

VIOLATED = row_of("bad.pcap", hub_lookup())
INCONCLUSIVE = row_of("mute.pcap", silent_capture())
HOLDS = row_of("good.pcap", replace(silent_capture(), verdict=Verdict.HOLDS, blind_spots=()))
UNREADABLE = row_without_audit("cut.pcap", "is empty")


@pytest.mark.parametrize(
    ("rows", "code", "word"),
    [
        ([HOLDS], 0, "HOLDS"),
        ([HOLDS, INCONCLUSIVE], 11, "INCONCLUSIVE"),
        ([INCONCLUSIVE, UNREADABLE, HOLDS], 12, NO_AUDIT),
        ([UNREADABLE, INCONCLUSIVE, VIOLATED], 10, "VIOLATED"),
    ],
)
def test_ten_goes_over_twelve_over_eleven_over_nought(
    rows: list[SummaryRow], code: int, word: str
) -> None:
    summary = summary_of(rows)
    assert (summary.exit_code, summary.word) == (code, word)


def test_people_see_the_worst_first_and_equals_in_the_order_given() -> None:
    other = replace(VIOLATED, name="a.pcap")
    summary = summary_of([HOLDS, INCONCLUSIVE, VIOLATED, UNREADABLE, other])
    shown = [row.name for row in summary.worst_first()]
    assert shown == ["bad.pcap", "a.pcap", "cut.pcap", "mute.pcap", "good.pcap"]
    assert summary.tally() == "2 VIOLATED, 1 NO AUDIT, 1 INCONCLUSIVE, 1 HOLDS"


def test_the_first_reason_is_the_first_finding() -> None:
    finding = hub_lookup().findings[0]
    assert (VIOLATED.reason, VIOLATED.because) == (finding.rule, finding.message)


def test_where_nothing_was_found_it_is_the_first_material_blind_spot() -> None:
    spot = next(spot for spot in silent_capture().blind_spots if spot.material)
    assert (INCONCLUSIVE.reason, INCONCLUSIVE.because) == (spot.id, spot.message)
