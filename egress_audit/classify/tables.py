"""Curated tables in CSV: rows with their line numbers, and values by address prefix."""

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import Generic, TypeVar

from egress_audit.addresses import PrefixMap
from egress_audit.classify.list_sources import REINSTALL, described
from egress_audit.country_codes import COUNTRY_CODES
from egress_audit.csv_rows import Row, numbered_rows
from egress_audit.errors import ListUnreadable
from egress_audit.model.audit import ListUsed
from egress_audit.model.destination import Absent

Value = TypeVar("Value")


def table_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """Line number and cells by column of each row of a CSV table; more columns may stand there.

    Raises ListUnreadable, with file and line, for a file that is missing or is no UTF-8 CSV, for a
    missing column, and for a row that is longer or shorter than the header.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            yield from numbered_rows(stream, columns, partial(bad_row, path))
    except (OSError, UnicodeDecodeError) as error:
        raise ListUnreadable(f"cannot be read: {error}", where=str(path), hint=REINSTALL) from error


def bad_row(path: Path, line: int, what: str) -> ListUnreadable:
    """The error that says what is wrong with one line of a table."""
    return ListUnreadable(what, where=f"{path}:{line}", hint=REINSTALL)


def country_cell(path: Path, line: int, text: str) -> str | Absent:
    """A cell with an ISO 3166-1 alpha-2 code; NOT_FOUND for an empty one, which claims nothing."""
    if not text:
        return Absent.NOT_FOUND
    if not is_country(text):
        raise bad_row(path, line, f"{text!r} is no country code of ISO 3166-1")
    return text


def is_country(text: str) -> bool:
    """Whether a text is the code of a country. `EU`, `AP` and `ZZ`, which lists have for more than
    one country or for none, are not: two lists that agree on them would agree on no place."""
    return text in COUNTRY_CODES


class PrefixTable(Generic[Value]):
    """A table with a column `prefix`: the longest prefix that holds an address answers for it."""

    def __init__(
        self, path: Path, columns: tuple[str, ...], value_of: Callable[[Path, int, Row], Value]
    ) -> None:
        """`value_of` makes the value from file, line and cells, or raises `bad_row`."""
        self._path = path
        rows = {}
        for line, row in table_rows(path, ("prefix", *columns)):
            try:
                network = ip_network(row["prefix"])
            except ValueError as error:
                raise bad_row(path, line, f"{row['prefix']!r} is no prefix") from error
            if network in rows:
                raise bad_row(path, line, f"{network} stands here a second time")
            rows[network] = value_of(path, line, row)
        self._values = PrefixMap(rows.items())

    def get(self, address: IPv4Address | IPv6Address) -> Value | None:
        """The value of the longest prefix that holds the address; None if none does."""
        return self._values.get(address)

    @property
    def used(self) -> ListUsed | None:
        """What is known of the table itself; None if no SOURCES.yaml beside it says."""
        return described(self._path)
