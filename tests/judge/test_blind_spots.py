"""How a row of the table becomes a blind spot of one audit."""

from dataclasses import replace

import pytest

from egress_audit.judge.assertions import WORDS
from egress_audit.judge.blind_spots import Spot, always, never, some, spots_in
from egress_audit.judge.case import Case
from egress_audit.model.audit import BlindSpot
from egress_audit.model.destination import Absent
from tests.builders.cases import case
from tests.builders.runs import run


def three(_: Case) -> int | None:
    return 3


ROW = Spot(
    "loss", "Loss", "{count} frames", "no loss", "no-drops", "every claim", "again", three, always
)


def only(row: Spot, judged: Case) -> BlindSpot:
    (found,) = spots_in(judged, (row,))
    return found


def test_the_number_stands_in_the_sentence() -> None:
    found = only(ROW, case())
    assert (found.message, found.count) == ("3 frames", 3)


def test_a_row_that_is_not_there_is_not_told() -> None:
    assert list(spots_in(case(), (replace(ROW, present=lambda _: None),))) == []


def test_a_row_without_a_number_is_there_all_the_same() -> None:
    assert only(replace(ROW, present=lambda _: 0), case()).material


def test_its_own_assertion_lifts_it() -> None:
    found = only(ROW, case(asserted="no-drops"))
    assert found.lifted and not found.material


def test_another_assertion_does_not() -> None:
    found = only(ROW, case(asserted="unfiltered"))
    assert found.material and not found.lifted


def test_what_no_assertion_lifts_stays_with_all_of_them() -> None:
    found = only(replace(ROW, lifted_by=Absent.NOT_APPLICABLE), case(asserted="all"))
    assert found.material and not found.lifted


def test_what_is_in_nobodys_way_is_told_and_not_material() -> None:
    assert not only(replace(ROW, is_material=never), case()).material


# Of a run


@pytest.mark.parametrize("word", [word for word in WORDS if word != "exercised"])
def test_no_word_replaces_what_a_recording_of_ours_failed_to_show(word: str) -> None:
    found = only(replace(ROW, lifted_by=word), case(run=run(), asserted="all"))
    assert found.material and found.lifted_by is Absent.NOT_APPLICABLE


def test_a_person_may_know_that_the_program_was_used() -> None:
    used = replace(ROW, lifted_by="exercised")
    assert only(used, case(run=run(), asserted="exercised")).lifted
    assert not only(used, case(run=run(exit_status=1), asserted="exercised")).lifted
    assert only(used, case(run=run(exit_status=Absent.NOT_FOUND), asserted="exercised")).lifted


def test_which_ones_stand_in_the_sentence() -> None:
    named = replace(ROW, text="{count} ({what})", what=lambda _: some(["a", "b", "a", "c", "d"]))
    assert only(named, case()).message == "3 (a, b, c and 1 more)"


def test_a_run_of_ours_has_a_remedy_of_its_own() -> None:
    row = replace(ROW, remedy_of_run="see why")
    assert only(row, case(run=run())).remedy == "see why"
    assert only(row, case()).remedy == "again"


def test_without_one_it_has_that_of_every_capture() -> None:
    assert only(ROW, case(run=run())).remedy == "again"
