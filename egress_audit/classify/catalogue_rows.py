"""Entries as rows of plain values, as the compiled catalogue holds them, and back.

A row has the fields of Entry that are not as they are by default. Building an Entry costs more than
finding it, so rows stay rows until they match.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from ipaddress import ip_network
from typing import Any

from egress_audit.model.catalogue import Entry, Purpose, Switch, Verified
from egress_audit.model.destination import Absent

Row = Mapping[str, Any]

_DEFAULTS = {field.name: field.default for field in fields(Entry) if field.default is not MISSING}


def row_of(entry: Entry) -> Row:
    """The row of an entry."""
    row: dict[str, Any] = {
        field.name: getattr(entry, field.name)
        for field in fields(Entry)
        if getattr(entry, field.name) != _DEFAULTS.get(field.name, MISSING)
    }
    if "prefixes" in row:
        row["prefixes"] = [str(network) for network in row["prefixes"]]
    if not isinstance(entry.switch, Absent):
        plain = {
            "how": entry.switch.how,
            "variables": [list(pair) for pair in entry.switch.variables],
            "fails": list(entry.switch.fails),
        }
        row["switch"] = {key: value for key, value in plain.items() if value}
    return row


def entry_of(row: Row) -> Entry:
    """The entry of a row."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    values["purpose"] = Purpose(row["purpose"])
    values["verified"] = Verified(row["verified"])
    if "prefixes" in row:
        values["prefixes"] = tuple(ip_network(prefix) for prefix in row["prefixes"])
    if "switch" in row:
        switch = row["switch"]
        values["switch"] = Switch(
            how=switch["how"],
            variables=tuple((name, value) for name, value in switch.get("variables", ())),
            fails=tuple(switch.get("fails", ())),
        )
    return Entry(**values)


def compiled(entries: Iterable[Entry]) -> str:
    """The text of the compiled catalogue: a JSON list, one row a line, in the order of the ids."""
    lines = [
        json.dumps(row_of(entry), ensure_ascii=False, separators=(",", ":"))
        for entry in sorted(entries, key=lambda entry: entry.id)
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def rows_in(text: str | bytes) -> Sequence[Row]:
    """The rows of a compiled catalogue. Raises ValueError if it is none."""
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise ValueError("no list of rows with an id")
    return rows
