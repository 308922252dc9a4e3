"""Takes a list into the user's folder: checked whole, then copied, or made into an MMDB."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from datetime import date as date_type
from pathlib import Path
from typing import Any

from egress_audit.classify.address_lists import AddressList
from egress_audit.classify.list_sources import sha256_of
from egress_audit.errors import ListUnreadable, WrongUsage
from egress_audit.keeping.shelf import alone, imported_entries, private_folder, put, put_entries
from egress_audit.paths import is_ordinary_file
from egress_audit.ranges.intervals import Range, flattened, joined, no_place, without
from egress_audit.ranges.merging import Holder
from egress_audit.ranges.mmdb_writer import About, Record, mmdb_pieces
from egress_audit.ranges.published import is_mmdb, networks, published_rows
from egress_audit.ranges.unfit_files import refuse_what_is_no_text
from egress_audit.values import dataclass

CHUNK = 1 << 20
DATE = re.compile(r"(20\d\d)-?([01]\d)(?:-?([0-3]\d))?")
"""A date in a file's name, as publishers write it: dbip-country-lite-2026-06, ip2asn-20260601."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SUFFIXES = (".gz", ".mmdb", ".csv", ".tsv")

Said = tuple[str | None, Holder | None]
"""Country and holder of a range."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a file was found to be, and what to keep of it."""

    date: str
    credit: str
    rows: int
    pieces: Iterator[bytes]


def import_list(
    path: Path, *, name: str | None = None, date: str | None = None, licence: str | None = None
) -> Mapping[str, Any]:
    """Takes a list in and puts it before all others; its entry in SOURCES.yaml.

    path: an MMDB with countries or AS numbers, or a CSV or TSV as `ranges.published` reads them.
    date: of its data, where neither the file nor its name says it. A list of the same name is
    replaced. Raises ListUnreadable for a file that is damaged or of another kind, WrongUsage if
    there is no name or no date.
    """
    if not is_ordinary_file(path):
        raise ListUnreadable("is no file", where=str(path), hint="check the path")
    if date is not None and _iso(date) is None:
        raise WrongUsage(f"{date!r} is no date", hint="write it YYYY-MM-DD")
    kept = _name_of(path, name)
    found = _mmdb(path, date) if is_mmdb(path) else _text(path, kept, date)
    entry = {
        "file": f"{kept}.mmdb",
        "name": kept,
        "origin": [{"from": "imported by the user", "version": found.date, "gives": path.name}],
        "version": found.date,
        "date": found.date,
        "licence": licence or "as supplied by the user",
        "attribution": found.credit,
        "source_sha256": sha256_of(path),
        "rows": found.rows,
    }
    return _shelved(entry, found.pieces)


def _mmdb(path: Path, date: str | None) -> _Found:
    """An MMDB, every record of which was read."""
    rows = sum(1 for _ in networks(path))
    used = AddressList(path).used
    return _Found(date or used.date, used.attribution, rows, _octets_of(path))


def _text(path: Path, name: str, date: str | None) -> _Found:
    """A CSV or TSV, made into an MMDB: one kind of file is read when a capture is judged."""
    refuse_what_is_no_text(path)
    day = date or _date_in(path.name)
    if day is None:
        raise WrongUsage(
            "does not say the date of its data", where=str(path), hint="add --date YYYY-MM-DD"
        )
    ranges = _merged_rows(path)
    epoch = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    about = About(f"imported-{name}", "", epoch)
    return _Found(day, "", len(ranges), mmdb_pieces(ranges, _record_of, about))


def _shelved(entry: dict[str, Any], pieces: Iterator[bytes]) -> Mapping[str, Any]:
    """Writes the file, then the entry: only then it counts."""
    folder = private_folder()
    with alone(folder):
        others = [e for e in imported_entries(folder) if e.get("file") != entry["file"]]
        put(folder, entry["file"], pieces)
        entry["sha256"] = sha256_of(folder / entry["file"])
        put_entries(folder, [entry, *others])
    return entry


def _name_of(path: Path, name: str | None) -> str:
    """The name under which a list is kept: what was asked for, else that of the file."""
    if name is None:
        name = path.name
        while name.endswith(SUFFIXES):
            name = name.rpartition(".")[0]
    if not NAME.fullmatch(name):
        raise WrongUsage(
            f"{name!r} is no name for a list", hint="name it with --name, in letters, digits and -"
        )
    return name


def _date_in(name: str) -> str | None:
    """The date in a file's name, the first of a month that has no day; None if there is none."""
    found = DATE.search(name)
    return _iso(f"{found[1]}-{found[2]}-{found[3] or '01'}") if found else None


def _iso(text: str) -> str | None:
    """A date as it is written, YYYY-MM-DD; None if there is no such day."""
    try:
        return date_type.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _octets_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            yield piece


def _merged_rows(path: Path) -> list[Range[Said]]:
    """The rows of a text list without overlap, countries and holders side by side.

    Raises ListUnreadable if no row is about addresses that are looked up.
    """
    countries, holders = published_rows(path)
    holes = no_place()
    layers: list[list[Range[Any]]] = [
        without(flattened(countries), holes),
        without(flattened(holders), holes),
    ]
    rows: list[Range[Said]] = [
        (first, last, (said[0], said[1])) for first, last, said in joined(layers)
    ]
    if not rows:
        raise ListUnreadable(
            "address list holds special-purpose addresses alone",
            where=str(path),
            hint="give another",
        )
    return rows


def _record_of(value: Said) -> Record:
    country, holder = value
    record: dict[str, Any] = {"country": {"iso_code": country}} if country else {}
    if holder is not None:
        record["autonomous_system_number"] = holder.asn
        if holder.organisation:
            record["autonomous_system_organization"] = holder.organisation
    return record
