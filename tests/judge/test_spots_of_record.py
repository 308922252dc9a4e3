"""What a bundle can lack as a record: each blind spot there, and its twin where it is not."""

from typing import Any

import pytest

from egress_audit.judge.spots_of_record import SPOTS_OF_RECORD
from egress_audit.model.destination import Absent
from tests.builders.cases import ALL, case, concluded, spots
from tests.builders.runs import recording, run

PRESENT: dict[str, dict[str, Any]] = {
    "record-unfinished": {"run": run(closed_ns=Absent.NOT_FOUND, ended_by="lost")},
    "bundle-altered": {"run": run(), "recording": recording(altered=("events.jsonl",))},
    "record-damaged": {"run": run(), "recording": recording(problems=("line 3 is cut",))},
    "owners-missing": {"run": run(), "recording": recording(unattributed=2)},
}
TWINS: dict[str, dict[str, Any]] = {
    "record-unfinished": {"run": run()},
    "bundle-altered": {"run": run(), "recording": recording()},
    "record-damaged": {"run": run(), "recording": recording()},
    "owners-missing": {"run": run(), "recording": recording(unattributed=0)},
}


@pytest.mark.parametrize("spot", SPOTS_OF_RECORD, ids=lambda spot: spot.id)
def test_it_is_there_and_no_assertion_lifts_it(spot: Any) -> None:
    found = spots(case(asserted=ALL, **PRESENT[spot.id]))[spot.id]
    assert found.material and "{" not in found.message


@pytest.mark.parametrize("spot", SPOTS_OF_RECORD, ids=lambda spot: spot.id)
def test_its_twin_is_not(spot: Any) -> None:
    judged = case(**TWINS[spot.id])
    assert spot.id not in spots(judged)
    assert concluded(judged).value == "HOLDS"


@pytest.mark.parametrize("spot", SPOTS_OF_RECORD, ids=lambda spot: spot.id)
def test_a_plain_capture_never_has_it(spot: Any) -> None:
    assert spot.id not in spots(case())


def test_a_record_that_ends_without_its_last_line_was_not_finished() -> None:
    assert "record-unfinished" in spots(case(run=run(), recording=recording(complete=False)))


def test_what_was_changed_and_what_is_damaged_is_named() -> None:
    wrong = recording(altered=("events.jsonl has another sha256",), problems=("line 3 is cut",))
    found = spots(case(run=run(), recording=wrong))
    assert "events.jsonl" in found["bundle-altered"].message
    assert "line 3" in found["record-damaged"].message
