"""What is shown while a program runs: where it stands, and where it wanted to go.

A few rows at the foot of the terminal, drawn by the recorder's process between two packets: at most
twice a second, without waiting, and without a thread.
"""

import codecs
import os
import select
import sys
import time
from typing import TYPE_CHECKING

from egress_audit.cli.bottom_rows import BottomRows
from egress_audit.cli.durations import clock_text
from egress_audit.cli.output import NO_TERMINALS

if TYPE_CHECKING:
    from rich.text import Text

    from egress_audit.record.progress import Status

PAUSE_S = 0.5
MOST_DESTINATIONS = 5
LONGEST_PLACE = 60
LONGEST_PHASE = 24
DNS = ":53"
USUAL_PHASES = ("", "run", "before the start")


def is_wanted() -> bool:
    """True if standard error is a terminal on which rows can be drawn."""
    if sys.stderr is None or os.environ.get("TERM", "") in NO_TERMINALS:
        return False
    return sys.stderr.isatty()


class LiveView:
    """The rows, and when they are drawn anew."""

    def __init__(self) -> None:
        # Before the fork, since this takes longer than a program may be kept waiting.
        import rich.console
        import rich.text  # noqa: F401

        self._rows = BottomRows(sys.stderr.fileno())
        self._drawn_at = -PAUSE_S
        self._step = ""

    def tick(self, status: "Status") -> None:
        """Draws, unless that was done a moment ago; called in the recorder's process."""
        now = time.monotonic()
        if now - self._drawn_at < PAUSE_S and status.step == self._step:
            return
        room = self._rows.size()
        if room is None:
            return
        self._drawn_at, self._step = now, status.step
        columns, rows = room
        self._rows.show([rendered(line, columns) for line in view_lines(status, rows)])

    def close(self) -> None:
        """Leaves the terminal as it was; called by whoever started the recorder."""
        self._rows.close()


def rendered(line: "Text", columns: int) -> str:
    """The line with its colours, cut to the width; without colours if NO_COLOR says so."""
    from rich.console import Console

    # One column stays free: in the last one some terminals wrap.
    console = Console(force_terminal=True, width=max(columns - 1, 1), highlight=False)
    with console.capture() as capture:
        console.print(line, end="", no_wrap=True, overflow="ellipsis", crop=True)
    return capture.get()


def view_lines(status: "Status", most: int) -> "list[Text]":
    """The rows, at most so many: one of numbers, and the places that got the most packets."""
    lines = [_summary(status)]
    ranked = sorted(status.destinations.items(), key=lambda item: (-item[1], item[0]))
    room = min(most - 1, MOST_DESTINATIONS)
    shown = ranked if len(ranked) <= room else ranked[: max(room - 1, 0)]
    if shown:
        lines += _destinations(shown)
    if room > 0 and len(shown) < len(ranked):
        lines.append(_text((f"  … and {_counted(len(ranked) - len(shown), 'more place')}", "dim")))
    return lines


def _summary(status: "Status") -> "Text":
    """`── egress-audit ─ running ─ 0:12, 0:48 left ─ 3 processes ─ 41 packets ─ 0 dropped ──`."""
    parts = [("egress-audit", "bold"), (_step_words(status), "bold cyan")]
    if status.drops:  # In front, since a narrow terminal cuts the end off.
        parts.append((f"{status.drops:,} dropped", "bold red"))
    if status.elapsed_s:
        left = max(status.observe_s - status.elapsed_s, 0.0)
        parts.append((f"{clock_text(status.elapsed_s)}, {clock_text(left)} left", ""))
    parts.append((_counted(status.processes, "process", "processes"), ""))
    if status.destinations:
        parts.append((_counted(len(status.destinations), "destination"), "bold yellow"))
    parts.append((_counted(status.packets, "packet"), ""))
    if not status.drops:
        parts.append(("0 dropped", ""))
    line = _text(("── ", "dim"))
    for place, (words, style) in enumerate(parts):
        line.append(" ─ " if place else "", "dim")
        line.append(words, style)
    line.append(" ──", "dim")
    return line


def _step_words(status: "Status") -> str:
    """The step, and the phase if it says more; a program can name phases itself."""
    from egress_audit.report.safe_text import clean, middle_cut

    step = str(status.step)
    if status.phase in USUAL_PHASES:
        return step
    return f"{step}: {middle_cut(clean(status.phase), LONGEST_PHASE)}"


def _destinations(ranked: list[tuple[str, int]]) -> "list[Text]":
    from egress_audit.report.safe_text import middle_cut, narrow

    # A name comes from the program, and may hold anything.
    places = [(middle_cut(narrow(place), LONGEST_PLACE), packets) for place, packets in ranked]
    places = [(f"{p} (names)" if p.endswith(DNS) else p, packets) for p, packets in places]
    width = max(len(place) for place, _ in places)
    digits = max(len(f"{packets:,}") for _, packets in places)
    return [
        _text(
            ("  → ", "yellow"),
            (place.ljust(width), ""),
            (f"  {packets:>{digits},} packet{'' if packets == 1 else 's'}", "dim"),
        )
        for place, packets in places
    ]


def _counted(count: int, word: str, plural: str = "") -> str:
    return f"{count:,} {word if count == 1 else plural or word + 's'}"


def _text(*parts: tuple[str, str]) -> "Text":
    from rich.text import Text

    return Text.assemble(*parts)


class ExerciseOutput:
    """What the exerciser prints, passed on to standard error without anything a terminal obeys."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, part: bytes) -> None:
        """Prints a part; dropped if nobody can take it now, since the recorder may not wait."""
        from egress_audit.report.safe_text import clean

        if sys.stderr is None or not select.select([], [sys.stderr], [], 0)[1]:
            return
        text = "\n".join(clean(line) for line in self._decoder.decode(part).split("\n"))
        os.write(sys.stderr.fileno(), text.encode("utf-8"))
