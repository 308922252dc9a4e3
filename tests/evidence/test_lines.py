"""Tests of egress_audit/evidence/lines.py."""

import pytest

from egress_audit.evidence.lines import CUT, MAX_TEXT, one_line


def test_ordinary_text_stays_as_it_is() -> None:
    assert one_line("/usr/bin/Größe 模型") == "/usr/bin/Größe 模型"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("\udc80", "\\udc80"), ("a\u202eb", "a\\u202eb")],
    ids=["newline", "escape", "no-utf-8", "right-to-left"],
)
def test_what_could_forge_a_line_is_written_as_an_escape(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_text_that_is_too_long_says_that_it_was_cut() -> None:
    assert one_line("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert one_line("x" * (MAX_TEXT + 1)) == "x" * (MAX_TEXT - 1) + CUT
