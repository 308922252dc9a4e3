"""A compiled catalogue from elsewhere, held to what is asked of the files that people write.

A newer one stands in for ours, and what it says can accuse a program or excuse it. So each row is
read as an entry of a YAML file is, with the same readers and refusals, and the whole has to be,
octet for octet, what the compiler makes of those entries: nothing in it goes unread.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from egress_audit.classify.catalogue_rows import Row, compiled, rows_in
from egress_audit.classify.catalogue_schema import ENTRY_KEYS, VENDOR_KEYS, PlacedEntry, entry_in
from egress_audit.classify.written_catalogues import refuse_contradictions
from egress_audit.errors import CatalogueInvalid
from egress_audit.periods import SECOND_NS
from egress_audit.yaml_tree import MAX_DEPTH, Item, Listing, Table, Word

FIRST_ROW = 2
"""The line of the first row, below the bracket."""
NEWER = "made for another version? update egress-audit, or compile it anew from its YAML files"

_KEYS = {field: key for key, (field, _) in {**VENDOR_KEYS, **ENTRY_KEYS}.items()}
"""By field of Entry, the key of a file that fills it."""
_DURATIONS = ("first_ns", "every_ns")


def refuse_unfit(path: Path) -> None:
    """Raises CatalogueInvalid, with the line, for a compiled catalogue that no compiler made, or
    one with an entry that a file could not have."""
    text = _text_of(path)
    try:
        rows = rows_in(text)
    except (ValueError, RecursionError) as error:
        raise _unfit("is no compiled catalogue", str(path)) from error
    placed = [_placed(row, f"{path}:{line}") for line, row in enumerate(rows, FIRST_ROW)]
    refuse_contradictions(placed)
    if compiled(item.entry for item in placed) != text:
        raise _unfit("is not what the compiler makes of its entries", str(path))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unfit("cannot be read", str(path)) from error


def _placed(row: Row, where: str) -> PlacedEntry:
    """The entry of a row, read as that of a file."""
    table = _table(dict(_as_written(row)), where, 0)
    for key in VENDOR_KEYS.keys() - table.entries.keys() - {"jurisdiction", "note"}:
        raise _unfit(f"`{key}` is missing", where)
    return PlacedEntry(where, entry_in(table, {}))


def _as_written(row: Row) -> Iterator[tuple[str, object]]:
    """The keys and values with which a file says the same; what is none of a row's stays."""
    for field, value in row.items():
        if field in _DURATIONS and isinstance(value, int):
            value = f"{value // SECOND_NS}s"
        elif field == "switch" and isinstance(value, dict):
            value = {name: _variables(name, inner) for name, inner in value.items()}
        yield _KEYS.get(field, field), value


def _variables(name: str, value: object) -> object:
    """Pairs of a name and its value as a mapping; anything else as it is."""
    if name != "variables" or not isinstance(value, list):
        return value
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2]
    return {str(one): other for one, other in pairs} if len(pairs) == len(value) else value


def _table(values: Mapping[str, object], where: str, depth: int) -> Table:
    entries = {key: _item(value, where, depth + 1) for key, value in values.items()}
    return Table(where, entries, dict.fromkeys(entries, where), CatalogueInvalid)


def _item(value: object, where: str, depth: int) -> Item:
    """A value of JSON as one of YAML; every part of a row stands in its line."""
    if depth > MAX_DEPTH:
        raise _unfit("lists in lists without end", where)
    if isinstance(value, dict):
        return _table(value, where, depth)
    if isinstance(value, list):
        items = tuple(_item(inner, where, depth + 1) for inner in value)
        return Listing(where, items, CatalogueInvalid)
    kind = "bool" if isinstance(value, bool) else type(value).__name__
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Word(where, text, kind, CatalogueInvalid)


def _unfit(what: str, where: str) -> CatalogueInvalid:
    return CatalogueInvalid(what, where=where, hint=NEWER)
