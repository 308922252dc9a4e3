"""What a person may state, and that it is bound to one named set of captures."""

import pytest

from egress_audit.errors import ExitCode, WrongUsage
from egress_audit.judge.assertions import WORDS, assertions_of
from egress_audit.model.destination import Absent

HASHES = ("aa" * 32, "bb" * 32)


def test_there_are_six_words() -> None:
    assert list(WORDS) == [
        "whole-run",
        "no-drops",
        "single-host",
        "exercised",
        "all-interfaces",
        "unfiltered",
    ]


def test_all_means_each_of_them() -> None:
    assert [made.word for made in assertions_of(["all"], evidence=HASHES)] == list(WORDS)


def test_the_order_is_the_tables_and_a_word_counts_once() -> None:
    words = ["unfiltered", " whole-run ", "unfiltered", ""]
    made = assertions_of(words, evidence=HASHES)
    assert [assertion.word for assertion in made] == ["whole-run", "unfiltered"]


def test_nothing_is_asserted_by_default() -> None:
    assert assertions_of([], evidence=HASHES) == ()


def test_an_assertion_says_what_it_states_and_of_which_captures() -> None:
    (made,) = assertions_of(["no-drops"], evidence=HASHES)
    assert made.meaning == WORDS["no-drops"]
    assert made.evidence == HASHES


def test_an_assertion_carries_who_when_and_why_or_says_that_nobody_said() -> None:
    (signed,) = assertions_of(
        ["no-drops"], evidence=HASHES, who="A. Auditor", when="today", why="x"
    )
    (bare,) = assertions_of(["no-drops"], evidence=HASHES)
    assert (signed.who, signed.when, signed.why) == ("A. Auditor", "today", "x")
    assert {bare.who, bare.when, bare.why} == {Absent.NOT_FOUND}


def test_of_a_capture_without_a_sha256_nothing_can_be_asserted() -> None:
    for evidence in ((Absent.NOT_ASKED,), (*HASHES, Absent.NOT_ASKED)):
        with pytest.raises(WrongUsage, match="by its sha256"):
            assertions_of(["no-drops"], evidence=evidence)
        assert assertions_of([], evidence=evidence) == ()


def test_an_unknown_word_is_wrong_usage_and_told_its_neighbour() -> None:
    with pytest.raises(WrongUsage, match="did you mean no-drops") as caught:
        assertions_of(["no-drop"], evidence=HASHES)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "whole-run" in caught.value.hint


def test_a_word_that_resembles_none_is_told_all() -> None:
    with pytest.raises(WrongUsage, match="known: whole-run"):
        assertions_of(["zzz"], evidence=HASHES)
