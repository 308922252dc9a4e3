"""The catalogue that comes with the program, and catalogues that people write."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.catalogue_rows import row_of, rows_in
from egress_audit.classify.catalogue_schema import PlacedEntry, entries_in
from egress_audit.classify.list_sources import LISTS, REINSTALL, described, sha256_of
from egress_audit.errors import CatalogueInvalid, ListUnreadable
from egress_audit.model.audit import ListUsed
from egress_audit.model.catalogue import Entry
from egress_audit.paths import is_folder

COMPILED = LISTS / "catalogue.json"
_SUFFIXES = (".yaml", ".yml")


@cache
def packaged_catalogue() -> Catalogue:
    """The catalogue that comes with the program. Raises ListUnreadable if it is damaged.

    Kept, and read when first asked for: most captures of an honest program never need it.
    """
    try:
        rows = rows_in(COMPILED.read_bytes())
    except (OSError, ValueError) as error:
        raise ListUnreadable(
            "catalogue cannot be read", where=str(COMPILED), hint=REINSTALL
        ) from error
    used = described(COMPILED)
    return Catalogue(rows, (used,) if used else ())


def catalogue_of(paths: Sequence[str | Path]) -> Catalogue:
    """The packaged catalogue, and the entries of files or folders of a person's own.

    Raises CatalogueInvalid for a file that does not say what it must, or has an id twice.
    """
    packaged = packaged_catalogue()
    if not paths:
        return packaged
    files = list(dict.fromkeys(file for path in paths for file in _files(Path(path))))
    theirs = [PlacedEntry(str(COMPILED), entry) for entry in packaged]
    placed = [*theirs, *placed_entries(files)]
    refuse_contradictions(placed)
    used = (*packaged.used, *map(_used, files))
    return Catalogue([row_of(item.entry) for item in placed], used)


def placed_entries(files: Iterable[Path]) -> list[PlacedEntry]:
    """The entries of several files, in their order. Raises CatalogueInvalid."""
    return [placed for file in files for placed in entries_in(file)]


def refuse_contradictions(placed: Iterable[PlacedEntry]) -> None:
    """CatalogueInvalid for an id or a fact that stands twice, and a vendor of two jurisdictions."""
    seen: dict[tuple[object, ...], PlacedEntry] = {}
    for item in placed:
        for key, what in _once(item.entry):
            first = seen.setdefault(key, item)
            if first is not item:
                raise CatalogueInvalid(f"{what} stands already at {first.where}", where=item.where)
        vendor = seen.setdefault(("vendor", item.entry.vendor), item).entry
        if vendor.jurisdiction != item.entry.jurisdiction:
            raise CatalogueInvalid(
                f"{vendor.vendor} is under {vendor.jurisdiction or 'no'} jurisdiction elsewhere",
                where=item.where,
                hint="say the same everywhere",
            )


def _once(entry: Entry) -> Iterator[tuple[tuple[object, ...], str]]:
    """What may stand once in all files, each with the words for it.

    The same place can be called by one product for one purpose on several occasions, or by some of
    its versions only: these are facts of their own.
    """
    yield ("id", entry.id), f"the id `{entry.id}`"
    for pattern in (*entry.hosts, *entry.prefixes):
        occasion = (entry.purpose, entry.versions, entry.ports, entry.trigger)
        what = f"`{pattern}` of {entry.product} for {entry.purpose}"
        yield ("pattern", str(pattern), entry.product.casefold(), *occasion), what


def _files(path: Path) -> list[Path]:
    """The file, or the YAML files of the folder in the order of their names."""
    if not is_folder(path):
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    if not files:
        raise CatalogueInvalid("holds no .yaml file", where=str(path))
    return files


def _used(file: Path) -> ListUsed:
    """What is known of a person's own file; its facts are as old as the file."""
    changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return ListUsed(
        name=file.name,
        date=changed.date().isoformat(),
        sha256=sha256_of(file),
        licence="as supplied by the user",
        attribution="",
    )
