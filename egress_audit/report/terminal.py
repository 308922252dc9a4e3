"""The report for a terminal: verdict first, every line within the width, nothing obeyed."""

from egress_audit.model.audit import Audit, Verdict
from egress_audit.report.beside import NOTHING_BESIDE, Beside
from egress_audit.report.contents import sections_after_table, sections_before_table
from egress_audit.report.destination_table import table_section_lines
from egress_audit.report.safe_text import NO_BREAK, clean, middle_cut, width_of, wrapped
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import captures_named

MIN_WIDTH = 80
INDENT = 2
TERM_COLUMNS = range(13, 21)
"""Columns that terms may take; a longer one stands on a line of its own."""

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
VERDICT_COLOURS = {
    Verdict.VIOLATED: "\x1b[1;31m",
    Verdict.INCONCLUSIVE: "\x1b[1;33m",
    Verdict.HOLDS: "\x1b[1;32m",
}


def terminal_text(
    audit: Audit,
    *,
    inputs: tuple[str, ...],
    colour: bool = False,
    width: int = 100,
    beside: Beside = NOTHING_BESIDE,
) -> str:
    """The whole report; no line has more than `width` columns, which are at least MIN_WIDTH.

    `inputs`: names of the captures, for people. `colour` adds escape codes around words, and no
    word.
    """
    width = max(width, MIN_WIDTH)
    parts = [_headline(audit, captures_named(inputs), colour, width)]
    sections = sections_before_table(audit, beside, inputs)
    parts += [section_lines(section, colour, width) for section in sections]
    title, *table = table_section_lines(audit, width, beside)
    parts.append([bold(title, colour), *table])
    parts += [section_lines(section, colour, width) for section in sections_after_table(audit)]
    text = "\n\n".join("\n".join(part) for part in parts)
    return text.replace(NO_BREAK, " ") + "\n"


def _headline(audit: Audit, name: str, colour: bool, width: int) -> list[str]:
    """`VIOLATED  "offline"  capture.pcap`, then the headline."""
    verdict = audit.verdict.value
    claim = middle_cut(clean(audit.claim.name), 30)
    rest = f'"{claim}"  '
    file_name = middle_cut(clean(name), width - len(verdict) - 2 - width_of(rest))
    shown = coloured(verdict, VERDICT_COLOURS[audit.verdict], colour)
    return [f"{shown}  {rest}{file_name}", *indented(audit.headline, INDENT, width)]


def section_lines(section: Section, colour: bool, width: int) -> list[str]:
    """A section as lines: its title, and its entries with their terms on the left."""
    column = _text_column(section)
    title = f"{section.title}: {section.note}" if section.note else section.title
    lines = [line for entry in section.entries for line in _entry(entry, column, width)]
    return [*(bold(line, colour) for line in wrapped(title, width)), *lines]


def coloured(word: str, code: str, colour: bool) -> str:
    """The word between an escape code and its end, if there may be colour."""
    return f"{code}{word}{PLAIN}" if colour else word


def _text_column(section: Section) -> int:
    """Where the text beside the terms begins; in the same place wherever terms are short."""
    widths = [width_of(clean(entry.term)) for entry in section.entries]
    fitting = [width for width in widths if width in TERM_COLUMNS]
    return INDENT + max(fitting, default=TERM_COLUMNS.start) + 2


def _entry(entry: Entry, column: int, width: int) -> list[str]:
    """The term, and beside it everything that is said of it."""
    lines = [line for text in entry.lines if text for line in indented(text, column, width)]
    if entry.code:
        start = _code_column(entry.code, column, width) if lines else column
        lines += indented(entry.code, start, width)
    head = " " * INDENT + middle_cut(clean(entry.term), width - INDENT)
    if width_of(head) + 2 > column or not lines:
        return [head, *lines]
    first, *others = lines
    return [head + " " * (column - width_of(head)) + first[column:], *others]


def _code_column(code: str, column: int, width: int) -> int:
    """Where something to copy begins: further left if a word of it would be broken, as the hash of
    a capture in a terminal of 80 columns, since nobody can copy that."""
    shown = clean(code)
    if all(width_of(word) <= width - column for word in shown.split(" ")):
        return column
    return min(column, max(INDENT, width - width_of(shown)))


def indented(text: str, columns: int, width: int) -> list[str]:
    """The text as lines of at most `width` columns, all of which begin after so many."""
    return [" " * columns + line for line in wrapped(text, width - columns)]


def bold(text: str, colour: bool) -> str:
    """The text in bold, if there may be colour."""
    return f"{BOLD}{text}{PLAIN}" if colour else text
