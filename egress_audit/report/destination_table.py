"""The table of destinations as lines for a terminal; each row several lines high."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from egress_audit.model.audit import Audit
from egress_audit.report.beside import NOTHING_BESIDE, Beside
from egress_audit.report.destination_rows import MAX_ROWS, Row, count_of_rows, destination_rows
from egress_audit.report.places import LEGEND
from egress_audit.report.safe_text import middle_cut, narrow, wrapped
from egress_audit.report.words import counted, number

TITLE = "Destinations"
HEADERS = ("", "Far end", "Countries, AS, operator", "Packets", "Bytes", "First, UTC")
ALIGNMENT = ("left", "left", "left", "right", "right", "right")
MARK = "!"
MARK_LEGEND = f"{MARK} contradicts the claim"

PLACE_COLUMNS = 23
TIME_COLUMNS = 10
OTHER_COLUMNS = 1 + PLACE_COLUMNS + 9 + 5 + TIME_COLUMNS + 5 * 2
"""Of mark, place, packets, bytes, first seen, and the gaps between all six columns."""
CELL_LINES = 3
"""Lines that one text may fill in its cell; what is longer gives way in its middle."""


def table_section_lines(audit: Audit, width: int, beside: Beside = NOTHING_BESIDE) -> list[str]:
    """The title, the legend, the table, and how many rows were left out."""
    rows = destination_rows(audit, beside)
    if not rows:
        return [f"{TITLE}: none was seen"]
    every = count_of_rows(audit)
    total = counted(every, "row")
    lines = [f"{TITLE}: {total}, worst first", *_legend(rows, width), "", *_table(rows, width)]
    beyond = every - MAX_ROWS
    if beyond > 0:
        lines += ["", f"   … and {number(beyond)} more rows: --format json"]
    return lines


def _legend(rows: list[Row], width: int) -> list[str]:
    """What the marks mean that these rows use."""
    lines = [MARK_LEGEND] if any(row.violates for row in rows) else []
    if any(" / " in line for row in rows for line in row.place):
        lines.append(LEGEND)
    return [f"  {line}" for text in lines for line in wrapped(text, width - 2)]


def _table(rows: list[Row], width: int) -> list[str]:
    far_end_columns = width - OTHER_COLUMNS
    cells = [HEADERS, *(_cells(row, far_end_columns) for row in rows)]
    widths = [max(map(_cell_width, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, tuple("-" * width for width in widths))
    return [line for row in cells for line in _row_lines(row, widths)]


def _row_lines(row: tuple[str, ...], widths: Sequence[int]) -> Iterator[str]:
    """The lines of a row, whose cells begin side by side. Not by way of tabulate, which takes as
    long to import as all the rest of a report."""
    for texts in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
        padded = (
            text.rjust(width) if alignment == "right" else text.ljust(width)
            for text, alignment, width in zip(texts, ALIGNMENT, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _cell_width(cell: str) -> int:
    return max(len(line) for line in cell.split("\n"))


def _cells(row: Row, far_end_columns: int) -> tuple[str, ...]:
    return (
        MARK if row.violates else "",
        _cell(row.far_end, far_end_columns, hanging=1),
        _cell(row.place, PLACE_COLUMNS),
        "\n".join(row.packets),
        "\n".join(row.ip_bytes),
        "\n".join(middle_cut(text, TIME_COLUMNS) for text in row.first_seen),
    )


def _cell(texts: tuple[str, ...], columns: int, hanging: int = 0) -> str:
    """The lines of a cell; all but the first text are indented by `hanging` columns."""
    lines: list[str] = []
    for text in texts:
        indent = " " * hanging if lines else ""
        room = columns - len(indent)
        lines += [
            indent + line for line in wrapped(middle_cut(narrow(text), CELL_LINES * room), room)
        ]
    return "\n".join(lines)
