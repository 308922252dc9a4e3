"""A stretch of time as a person writes it: `500ms`, `90s`, `5m`, `2h`."""

import re

import click

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WRITTEN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)")


def seconds_of(ctx: click.Context, param: click.Parameter, text: str) -> float:
    """Callback of an option: seconds, never zero. Raises BadParameter for what is no duration."""
    written = _WRITTEN.fullmatch(text.strip())
    seconds = float(written[1]) * SECONDS[written[2]] if written else 0.0
    if not seconds:
        raise click.BadParameter(f"{text!r} is no duration: write 500ms, 90s, 5m or 2h", ctx, param)
    return seconds


def clock_text(seconds: float) -> str:
    """`0:07`, `12:30`, `2:00:00`: whole seconds, rounded down."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
