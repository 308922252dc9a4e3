"""A bar for those who wait, and for nobody else."""

import io
import sys
import time

import pytest

from egress_audit.cli.progress import PATIENCE_S, Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *, waited: bool = True, **values: str
) -> str:
    """What stands on standard error after a reading that took longer than anybody's patience."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in ({"TERM": "xterm", "COLUMNS": "80"} | values).items():
        monkeypatch.setenv(name, value)
    with Progress(4000, "captures") as progress:
        progress.show(1)
        now[0] += PATIENCE_S + 1 if waited else PATIENCE_S / 2
        progress.show(1234)
    return stream.getvalue()


def test_what_lasts_is_told_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1,234/4,000 captures" in shown(monkeypatch, Screen())


def test_what_is_done_at_once_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, Screen(), waited=False) == ""


def test_nothing_moves_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO()) == ""


def test_a_dumb_terminal_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, Screen(), TERM="dumb") == ""


def test_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Screen(), NO_COLOR="1")
    assert "captures" in text
    assert "\x1b[3" not in text
