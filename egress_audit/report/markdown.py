"""The report as GitHub-flavoured Markdown, for a ticket or a pull request.

Source: GitHub Flavored Markdown §4.10 (tables), §6.1 (escapes), §6.9 (autolinks).
"""

import re

from egress_audit.model.audit import Audit
from egress_audit.report.beside import NOTHING_BESIDE, Beside
from egress_audit.report.contents import sections_after_table, sections_before_table
from egress_audit.report.destination_rows import MAX_ROWS, Row, count_of_rows, destination_rows
from egress_audit.report.places import LEGEND
from egress_audit.report.safe_text import NO_BREAK, bounded, clean
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import captures_named, counted, number

HEADERS = ("", "Far end", "Countries, AS, operator", "Packets", "Bytes", "First seen, UTC")
MARK = "**!**"

_SPECIAL = re.compile(r"[\\`*_\[\]<>|#~&!$]")
"""What Markdown, or GitHub's formulas, would obey inside a line."""
_LINKED = re.compile(r"@|://|www(?=\.)")
"""What GitHub would make a mention or a link of; an empty comment after it prevents that."""
_BREAK = "<br>"


def markdown_text(audit: Audit, *, inputs: tuple[str, ...], beside: Beside = NOTHING_BESIDE) -> str:
    """The whole report; `inputs`: names of the captures, for people."""
    name = captures_named(inputs)
    head = f"# {audit.verdict.value} “{escaped(audit.claim.name)}” {escaped(name)}"
    blocks = [head, escaped(audit.headline)]
    blocks += [section_text(section) for section in sections_before_table(audit, beside, inputs)]
    blocks += [
        _table(audit, beside),
        *(section_text(section) for section in sections_after_table(audit)),
    ]
    return "\n\n".join(blocks).replace(NO_BREAK, " ") + "\n"


def escaped(text: str) -> str:
    """`text` as Markdown that shows it and obeys none of it; fits into a cell of a table."""
    safe = _SPECIAL.sub(r"\\\g<0>", bounded(text))
    return _LINKED.sub(r"\g<0><!-- -->", safe)


def section_text(section: Section) -> str:
    """A section as a heading and a list."""
    title = f"## {escaped(section.title)}"
    if section.note:
        title += f": {escaped(section.note)}"
    items = "\n".join(_item(entry) for entry in section.entries)
    return f"{title}\n\n{items}" if items else title


def _item(entry: Entry) -> str:
    parts = [escaped(line) for line in entry.lines]
    if entry.code:
        code = clean(entry.code).replace("`", "'")
        parts.append(f"`{code}`")
    return f"- **{escaped(entry.term)}**: {_BREAK.join(parts)}"


def _table(audit: Audit, beside: Beside) -> str:
    rows = destination_rows(audit, beside)
    if not rows:
        return "## Destinations: none was seen"
    every = count_of_rows(audit)
    total = counted(every, "row")
    lines = [f"## Destinations: {total}, worst first", ""]
    lines += [f"{MARK} contradicts the claim; {escaped(LEGEND)}", ""]
    lines += [_line(HEADERS), "|---|---|---|--:|--:|--:|", *(_line(_cells(row)) for row in rows)]
    beyond = every - MAX_ROWS
    if beyond > 0:
        lines += ["", f"… and {number(beyond)} more rows: `--format json`"]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    groups = (row.far_end, row.place, row.packets, row.ip_bytes, row.first_seen)
    mark = MARK if row.violates else ""
    return (mark, *(_BREAK.join(escaped(text) for text in group) for group in groups))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
