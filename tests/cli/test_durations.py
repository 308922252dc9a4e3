"""A stretch of time is written as people write it, and a number alone is none."""

import click
import pytest

from egress_audit.cli.durations import clock_text, seconds_of

OPTION = click.Option(["--observe"])


def seconds(text: str) -> float:
    return seconds_of(click.Context(click.Command("run")), OPTION, text)


@pytest.mark.parametrize(
    ("text", "length"),
    [("500ms", 0.5), ("90s", 90.0), ("5m", 300.0), ("2h", 7200.0), (" 1.5s ", 1.5)],
)
def test_a_number_with_its_unit_is_a_duration(text: str, length: float) -> None:
    assert seconds(text) == pytest.approx(length)


@pytest.mark.parametrize("text", ["", "60", "s", "0s", "0.000h", "-5s", "5 s", "1d", "1e3s", "٣s"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 500ms, 90s, 5m or 2h"):
        seconds(text)


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0:00"), (7.9, "0:07"), (750, "12:30"), (7200, "2:00:00")]
)
def test_a_clock_shows_hours_only_if_there_are_any(length: float, text: str) -> None:
    assert clock_text(length) == text
