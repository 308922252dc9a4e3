"""Where words go, and whether they are coloured."""

import io
import os
import sys
from pathlib import Path

import click
import pytest

from egress_audit.cli.output import deliver, held, refuse_terminal, terminal_width, wants_colour
from egress_audit.errors import EgressAuditError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert wants_colour(None)


@pytest.mark.parametrize("kind", ["dumb", "unknown", ""])
def test_a_terminal_that_obeys_nothing_is_not_coloured(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert not wants_colour(None)


def test_a_terminal_whose_user_wants_no_colour_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert not wants_colour(None)


def test_a_file_is_not_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert not wants_colour("report.txt")


def test_a_pipe_is_not_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not wants_colour(None)


class Window(Terminal):
    """A terminal of so many columns, which `sized` makes it say."""

    def fileno(self) -> int:
        return 99


@pytest.mark.parametrize(("columns", "width"), [(0, 100), (40, 80), (120, 120), (400, 160)])
def test_a_report_is_as_wide_as_its_terminal_within_bounds(
    columns: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((columns, 24)))
    monkeypatch.setattr(sys, "stdout", Window())
    assert terminal_width(None) == width
    assert terminal_width("report.txt") == 100


def test_a_report_for_no_terminal_has_a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert terminal_width(None) == 100


def test_text_goes_to_the_file_as_utf8(tmp_path: Path) -> None:
    deliver("→\n", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == b"\xe2\x86\x92\n"


def test_a_folder_is_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(EgressAuditError, match="cannot be written"):
        deliver("x", str(tmp_path))


def test_nobody_is_asked_to_type_a_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(click.UsageError):
        refuse_terminal("-")


def test_a_piped_capture_is_welcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    refuse_terminal("-")


def test_a_link_that_is_put_in_the_place_of_an_output_leads_nowhere(tmp_path: Path) -> None:
    target, output = tmp_path / "of somebody else", tmp_path / "report.txt"
    target.write_text("theirs", encoding="utf-8")
    with held([str(output), None, "-"]) as (kept, *others):
        output.unlink()
        output.symlink_to(target)
        deliver("ours", kept)
    assert others == [None, "-"]
    assert target.read_text(encoding="utf-8") == "theirs"


def test_an_output_of_before_is_replaced_as_a_whole(tmp_path: Path) -> None:
    output = tmp_path / "report.txt"
    output.write_text("a longer one of yesterday", encoding="utf-8")
    with held([str(output)]) as (kept,):
        deliver("short", kept)
    assert output.read_text(encoding="utf-8") == "short"


def test_an_output_that_came_to_nothing_is_not_left_behind(tmp_path: Path) -> None:
    output = tmp_path / "report.txt"
    with pytest.raises(EgressAuditError), held([str(output)]):
        raise EgressAuditError("no audit")
    assert not output.exists()


def test_an_output_that_cannot_be_written_is_named_as_it_was_given() -> None:
    with pytest.raises(EgressAuditError) as refused, held(("/dev/full", None)) as (place, _):
        deliver("word\n", place)
    assert refused.value.where == "/dev/full"


def test_what_goes_wrong_elsewhere_keeps_its_place(tmp_path: Path) -> None:
    with pytest.raises(EgressAuditError) as refused, held((str(tmp_path / "out"),)):
        raise EgressAuditError("cannot be read", where="elsewhere")
    assert refused.value.where == "elsewhere"
