"""The verdict, and the whole table of blind spots walked from one end to the other."""

import pytest

from egress_audit.judge.assertions import WORDS
from egress_audit.judge.verdict import BLIND_SPOTS, blind_spots, verdict
from egress_audit.model.audit import Finding, Frames, Verdict
from egress_audit.model.destination import Absent
from tests.builders.audit_parts import blind_spot
from tests.builders.cases import OUTSIDE, case, concluded, contact

FOUND = Finding("EA001", "sent it", (1,), Frames((1,), 1))
MATERIAL = blind_spot(material=True)
IMMATERIAL = blind_spot(material=False)
FILE_RECORDS = ("damage", "drops-recorded", "filter-recorded", "snaplen-cut", "one-way")


def test_one_finding_is_enough_whatever_was_not_seen() -> None:
    assert verdict([FOUND], [MATERIAL]) is Verdict.VIOLATED


def test_a_material_blind_spot_leaves_it_open() -> None:
    assert verdict([], [IMMATERIAL, MATERIAL]) is Verdict.INCONCLUSIVE


def test_it_holds_where_nothing_material_is_left() -> None:
    assert verdict([], [IMMATERIAL]) is Verdict.HOLDS
    assert verdict([], []) is Verdict.HOLDS


@pytest.mark.parametrize(
    ("concludes", "code"), [("HOLDS", 0), ("VIOLATED", 10), ("INCONCLUSIVE", 11)]
)
def test_every_verdict_has_its_exit_code(concludes: str, code: int) -> None:
    assert Verdict(concludes).exit_code == code


def test_a_contact_is_a_violation_on_a_plain_capture() -> None:
    assert concluded(case(contact(OUTSIDE))) is Verdict.VIOLATED


def test_silence_on_a_plain_capture_is_not_proof() -> None:
    assert concluded(case()) is Verdict.INCONCLUSIVE


def test_material_blind_spots_are_told_first() -> None:
    told = [spot.material for spot in blind_spots(case(frames_without_time=1, asserted="no-drops"))]
    assert told == sorted(told, reverse=True)
    assert {True, False} == set(told)


# The table


def test_no_id_stands_twice_in_the_table() -> None:
    ids = [spot.id for spot in BLIND_SPOTS]
    assert len(ids) == len(set(ids))


def test_every_assertion_lifts_at_least_one_blind_spot() -> None:
    assert {spot.lifted_by for spot in BLIND_SPOTS} == {*WORDS, Absent.NOT_APPLICABLE}


@pytest.mark.parametrize("spot_id", FILE_RECORDS)
def test_what_the_file_records_is_lifted_by_nothing(spot_id: str) -> None:
    row = next(spot for spot in BLIND_SPOTS if spot.id == spot_id)
    assert row.lifted_by is Absent.NOT_APPLICABLE


@pytest.mark.parametrize("spot", BLIND_SPOTS, ids=lambda spot: spot.id)
def test_every_row_reads_as_a_line_of_the_report_and_of_the_manual(spot: object) -> None:
    row = next(known for known in BLIND_SPOTS if known is spot)
    assert row.text.format(count=3, what="them")
    assert len(row.text) < 200 and not row.text.endswith(".")
    assert len(row.title) < 60 and row.title[0].isupper()
    for words in (row.disproof, row.material_to, row.remedy):
        assert words and len(words) < 140 and not words.endswith(".")
    assert row.id == row.id.lower() and " " not in row.id
