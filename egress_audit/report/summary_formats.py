"""A summary of several captures as text, as Markdown and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import indent

from egress_audit.model.audit import Verdict
from egress_audit.model.destination import Absent
from egress_audit.report.beside import Envelope
from egress_audit.report.document import plain_envelope, shown_json
from egress_audit.report.markdown import escaped, section_text
from egress_audit.report.plain import Plain, plain
from egress_audit.report.safe_text import NO_BREAK, clean, middle_cut, width_of
from egress_audit.report.section import Entry, Section
from egress_audit.report.summary import Summary, SummaryRow
from egress_audit.report.terminal import (
    MIN_WIDTH,
    VERDICT_COLOURS,
    bold,
    coloured,
    indented,
    section_lines,
)
from egress_audit.report.words import counted, listed, short_number

SCHEMA = "egress-audit/audits/1"
HEADERS = ("Capture", "Verdict", "Findings", "Blind spots", "Frames", "Flows")
COLUMNS = (12, 8, 11, 6, 5)
"""Of everything beside the name."""
GAP = 2
MAX_NAMES = 20
"""Of files of one kind that were not judged."""
EACH, ALONE = "Each capture", "replay it alone for its whole report"
NO_COLOUR = "\x1b[1;33m"
"""Of the word for a capture that could not be judged."""


def summary_text(summary: Summary, *, claim: str, colour: bool = False, width: int = 100) -> str:
    """A table, worst first, then each capture's own line; no line has more than `width` columns."""
    width = max(width, MIN_WIDTH)
    shown = coloured(summary.word, _colour_of(summary.worst_first()[0]), colour)
    head = f'{shown}  "{middle_cut(clean(claim), 30)}"  {_captures(summary)}'
    rows = summary.worst_first()
    parts = [
        [head, *indented(summary.tally(), 2, width)],
        _table(rows, colour, width),
        [bold(f"{EACH}: {ALONE}", colour), *_each(rows, colour, width)],
    ]
    if summary.set_aside:
        parts.append(section_lines(_aside(summary), colour, width))
    return "\n\n".join("\n".join(part) for part in parts).replace(NO_BREAK, " ") + "\n"


def summary_markdown(summary: Summary, *, claim: str) -> str:
    """The same for a ticket or a pull request."""
    head = f"# {summary.word} “{escaped(claim)}” {_captures(summary)}"
    lines = [f"| {' | '.join(HEADERS)} |", "|---|---|--:|--:|--:|--:|"]
    lines += [
        f"| {' | '.join(escaped(cell) for cell in _cells(row))} |" for row in summary.worst_first()
    ]
    told = [Entry(f"{row.word} {row.name}", _told(row)) for row in summary.worst_first()]
    sections = [Section(EACH, tuple(told), ALONE)]
    if summary.set_aside:
        sections.append(_aside(summary))
    below = [section_text(section) for section in sections]
    text = "\n\n".join([head, escaped(summary.tally()), "\n".join(lines), *below])
    return text.replace(NO_BREAK, " ") + "\n"


def summary_json(summary: Summary, audits: Sequence[str], *, envelope: Envelope) -> str:
    """One object: the summary, and the document of each capture that was judged, in its order.

    audits: those documents, as `json_text` has them. Described by docs/schema/audits-1.json.
    """
    numbers = iter(range(len(audits)))
    rows = tuple(
        row if isinstance(row.verdict, Absent) else replace(row, audit=next(numbers))
        for row in summary.captures
    )
    whole: dict[str, Plain] = {
        "schema": SCHEMA,
        "envelope": plain_envelope(envelope),
        "summary": plain(replace(summary, captures=rows)),
        "audits": [],
    }
    text = shown_json(whole)
    if not audits:
        return text
    # Put in as text: there may be thousands, and each was written where it was made.
    inside = ",\n".join(indent(audit.rstrip("\n"), "    ") for audit in audits)
    return text.removesuffix("[]\n}\n") + f"[\n{inside}\n  ]\n}}\n"


def _captures(summary: Summary) -> str:
    return counted(len(summary.captures), "capture").replace(NO_BREAK, " ")


def _cells(row: SummaryRow) -> tuple[str, ...]:
    if isinstance(row.verdict, Absent):
        return row.name, row.word, "", "", "", ""
    counts = (row.findings, row.blind_spots, row.frames, row.flows)
    return row.name, row.word, *(short_number(count) for count in counts)


def _table(rows: Sequence[SummaryRow], colour: bool, width: int) -> list[str]:
    """A line for each capture, whose name gives way in its middle."""
    room = width - sum(COLUMNS) - GAP * len(COLUMNS)
    names = [middle_cut(clean(row.name), room) for row in rows]
    columns = max(width_of(name) for name in (*names, HEADERS[0]))
    lines = [
        bold(_line(HEADERS[0], HEADERS[1:], columns), colour),
        _line("-" * columns, ["-" * size for size in COLUMNS], columns),
    ]
    for row, name in zip(rows, names, strict=True):
        code = _colour_of(row) if colour else ""
        lines.append(_line(name, _cells(row)[1:], columns, code))
    return lines


def _line(name: str, cells: Sequence[str], columns: int, code: str = "") -> str:
    """One line of the table. code: the colour of its second cell."""
    word, *counts = cells
    verdict = coloured(word, code, bool(code)) + " " * (COLUMNS[0] - len(word))
    padded = [cell.rjust(size) for cell, size in zip(counts, COLUMNS[1:], strict=True)]
    name += " " * (columns - width_of(name))
    return (" " * GAP).join([name, verdict, *padded]).rstrip()


def _colour_of(row: SummaryRow) -> str:
    return NO_COLOUR if isinstance(row.verdict, Absent) else VERDICT_COLOURS[Verdict(row.verdict)]


def _each(rows: Sequence[SummaryRow], colour: bool, width: int) -> Iterator[str]:
    """Of each capture its verdict and name, and below them what is told of it."""
    for row in rows:
        name = middle_cut(clean(row.name), width - COLUMNS[0] - 2 * GAP)
        yield f"  {coloured(row.word, _colour_of(row), colour)}  {name}"
        for text in _told(row):
            yield from indented(text, 4, width)


def _told(row: SummaryRow) -> tuple[str, ...]:
    """The headline, and the first reason if that says more."""
    if isinstance(row.reason, Absent) or isinstance(row.because, Absent):
        return (row.headline,)
    if row.because in row.headline:
        return (f"{row.headline} ({row.reason})",)
    return row.headline, f"{row.reason}: {row.because}"


def _aside(summary: Summary) -> Section:
    """What lay beside the captures, by kind."""
    by_kind: dict[str, list[str]] = {}
    for each in summary.set_aside:
        by_kind.setdefault(each.what, []).append(each.name)
    entries = [
        Entry(what, (f"{counted(len(names), 'file')}: {listed(names, MAX_NAMES)}",))
        if len(names) > 1
        else Entry(what, (names[0],))
        for what, names in by_kind.items()
    ]
    note = "no captures, so without a verdict"
    if any(len(names) > MAX_NAMES for names in by_kind.values()):
        note += "; all by name: --format json"
    return Section("Not judged", tuple(entries), note)
