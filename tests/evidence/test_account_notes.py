"""Tests of egress_audit/evidence/account_notes.py."""

import pytest

from egress_audit.evidence import account_notes
from egress_audit.evidence.account_notes import MAX_PROBLEMS, Notes


def test_problems_are_kept_up_to_a_bound_that_is_one_itself() -> None:
    notes = Notes()
    for number in range(MAX_PROBLEMS + 50):
        notes.problem(f"{number}")
    assert len(notes.problems) == MAX_PROBLEMS + 1
    assert notes.problems[-1] == "further problems, not counted"


def test_rows_past_the_bound_are_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_notes, "MAX_KEPT", 2)
    notes, rows = Notes(), list[str]()
    assert [notes.keep(rows, row, "removed") for row in "abcd"] == [True, True, False, False]
    assert rows == ["a", "b"]
    assert notes.problems == ["more than 2 events `removed`; the others are not read"]
