"""Text that a terminal can be given."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.report.safe_text import (
    NO_BREAK,
    clean,
    middle_cut,
    narrow,
    width_of,
    wrapped,
)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x9b31m", r"\x9b31m"),
        ("moc.\u202elive", r"moc.\u202elive"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\udcff", r"\udcff"),
        ("\u2028", r"\u2028"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


def test_letters_of_the_world_stay_as_they_are() -> None:
    for text in ("Zürich", "模型离线", "Việt Nam", "ที่", "без сети"):
        assert clean(unicodedata.normalize("NFD", text)) == text


def test_a_pile_of_marks_on_one_letter_is_cut_to_two() -> None:
    assert clean("x" + "\u0332" * 4) == "x\u0332\u0332" + r"\u0332" * 2


def test_a_wide_character_takes_two_columns_and_a_mark_none() -> None:
    assert width_of("ab") == 2
    assert width_of("模型") == 4
    assert width_of("x\u0332") == 1


def test_a_narrow_text_has_as_many_columns_as_characters() -> None:
    text = narrow("模x\u0332é")
    assert text == r"\u6a21x\u0332é"
    assert width_of(text) == len(text)


def test_lines_break_at_spaces() -> None:
    assert wrapped("one two three", 8) == ["one two", "three"]


def test_a_number_is_not_torn_from_its_unit() -> None:
    assert wrapped(f"aaaa 12{NO_BREAK}408", 9) == ["aaaa", f"12{NO_BREAK}408"]


def test_a_host_name_longer_than_the_line_is_broken_behind_a_dot() -> None:
    assert wrapped("a1.frankfurt.example.net", 23) == ["a1.frankfurt.example.", "net"]
    assert wrapped("a.frankfurt-and-main", 12) == ["a.frankfurt-", "and-main"]


def test_a_word_longer_than_the_line_is_broken() -> None:
    assert wrapped("ab abcdefgh", 4) == ["ab", "abcd", "efgh"]


def test_an_empty_text_is_one_empty_line() -> None:
    assert wrapped("", 10) == [""]


def test_a_word_that_no_host_name_could_be_is_cut() -> None:
    assert len(wrapped("x" * 100_000, 100)) == 3


@pytest.mark.parametrize("flood", ["a b " * 16_000, "模" * 32_000])
def test_no_text_floods_the_report(flood: str) -> None:
    assert len(wrapped(flood, 80)) < 30


def test_the_middle_gives_way() -> None:
    assert middle_cut("abcdefghij", 7) == "abc…hij"
    assert middle_cut("abcdefghij", 6) == "abc…ij"
    assert middle_cut("abcdefghij", 10) == "abcdefghij"


@given(st.text(max_size=80), st.integers(min_value=2, max_value=30))
def test_no_line_is_wider_than_asked(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert width_of(middle_cut(clean(text), width)) <= width


@given(st.text(max_size=80))
def test_clean_text_has_no_control_character_and_stays_clean(text: str) -> None:
    once = clean(text)
    assert not {unicodedata.category(character) for character in once} & {"Cc", "Cf", "Cs", "Zl"}
    assert clean(once) == once


def test_a_mark_behind_an_escape_is_escaped_as_well() -> None:
    assert clean("\x0f\u0307") == "\\x0f\\u0307"
    assert clean(clean("\x0f\u0307")) == "\\x0f\\u0307"
