"""Rows of CSV files whose first line names the columns; each keeps its line number for errors."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping

from egress_audit.errors import EgressAuditError

Row = Mapping[str, str]
"""Cells by column."""


def numbered_rows(
    lines: Iterable[str], columns: tuple[str, ...], bad: Callable[[int, str], EgressAuditError]
) -> Iterator[tuple[int, Row]]:
    """Line number, from 1, and cells of each row. columns: must be there; more may stand there.

    lines: with their line breaks; bad: makes the error from a line number and what is wrong there.
    It is raised for what is no CSV, for a missing column, and for a row that is longer or shorter
    than the header.
    """
    reader = csv.DictReader(lines, strict=True)
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise bad(1, f"has no column {', '.join(missing)}")
        for row in reader:
            # DictReader files surplus cells under None and gives None to cells not there.
            if None in row or None in row.values():
                raise bad(reader.line_num, "has another number of cells than line 1")
            yield reader.line_num, row
    except csv.Error as error:
        raise bad(reader.reader.line_num, f"is no CSV ({error})") from error
