"""What is known of each list in use, for a person: where it is, its date, its rows, its age."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from egress_audit.classify.destination import address_lists
from egress_audit.classify.list_sources import LISTS, described, entries_of
from egress_audit.classify.user_lists import REPLACEABLE, current_list, user_folder
from egress_audit.errors import ListUnreadable
from egress_audit.values import dataclass

OLD_DAYS, STALE_DAYS = 90, 365
"""14 months change the AS of 4 % of addresses and of 14 % of ranges."""


@dataclass(frozen=True, slots=True)
class ShownList:
    """A list in use, in the order in which lists are asked."""

    name: str
    path: Path
    source: str
    """embedded, updated or imported."""
    date: str
    """Of the data, YYYY-MM-DD."""
    age_days: int
    age: str
    """fresh; old past 90 days; stale past 365."""
    licence: str
    attribution: str
    sha256: str
    intact: bool
    """Whether the file is the one that its SOURCES.yaml describes."""
    rows: int
    origins: tuple[str, ...]


def shown_lists(today: date) -> list[ShownList]:
    """Every list in use, its age counted to `today`. A verdict counts it to the last packet.

    Raises ListUnreadable if one cannot be used.
    """
    return [_shown(path, today) for path in _paths()]


def _paths() -> Iterator[Path]:
    """The address lists as they are asked, then the tables of the program."""
    addresses = address_lists()
    yield from addresses
    for entry in entries_of(LISTS):
        name = str(entry["file"])
        path = current_list(name) if name in REPLACEABLE else LISTS / name
        if path not in addresses:
            yield path


def _shown(path: Path, today: date) -> ShownList:
    entry = next((e for e in entries_of(path.parent) if e.get("file") == path.name), None)
    used = described(path)
    if entry is None or used is None:
        raise ListUnreadable("stands in no SOURCES.yaml", where=str(path), hint="import it again")
    days = (today - date.fromisoformat(used.date)).days
    return ShownList(
        name=used.name,
        path=path,
        source=_source_of(path),
        date=used.date,
        age_days=days,
        age="stale" if days > STALE_DAYS else "old" if days > OLD_DAYS else "fresh",
        licence=used.licence,
        attribution=used.attribution.strip(),
        sha256=used.sha256,
        intact=used.sha256 == entry.get("sha256"),
        rows=_rows_of(path, entry),
        origins=tuple(_origins_of(entry)),
    )


def _source_of(path: Path) -> str:
    if path.parent == LISTS:
        return "embedded"
    return "imported" if path.parent == user_folder() else "updated"


def _rows_of(path: Path, entry: dict[str, Any]) -> int:
    """Rows of a list: as written down when it was made, else those of a table but its header."""
    if isinstance(rows := entry.get("rows"), int):
        return rows
    with path.open("rb") as stream:
        return max(sum(1 for _ in stream) - 1, 0)


def _origins_of(entry: dict[str, Any]) -> Iterator[str]:
    origins = entry.get("origin")
    for origin in origins if isinstance(origins, list) else ():
        if isinstance(origin, dict):
            yield f"{origin.get('from')}, {origin.get('version')}: {origin.get('gives')}"
