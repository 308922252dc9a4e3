"""Catalogues as people write them: several YAML files, which may not contradict each other."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from egress_audit.classify.catalogue_schema import PlacedEntry, entries_in
from egress_audit.classify.list_sources import sha256_of
from egress_audit.errors import CatalogueInvalid
from egress_audit.model.audit import ListUsed
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent


def placed_entries(files: Iterable[Path]) -> list[PlacedEntry]:
    """The entries of several files, in their order. Raises CatalogueInvalid."""
    return [placed for file in files for placed in entries_in(file)]


def used(file: Path) -> ListUsed:
    """What is known of a person's own file; what it says is as old as the file."""
    changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return ListUsed(
        name=file.name,
        date=changed.date().isoformat(),
        sha256=sha256_of(file),
        licence="as supplied by the user",
        attribution="",
    )


def refuse_contradictions(placed: Iterable[PlacedEntry]) -> None:
    """CatalogueInvalid for an id or a fact that stands twice, and a vendor of two jurisdictions."""
    first: dict[tuple[object, ...], PlacedEntry] = {}
    for item in placed:
        for key, what in _once(item.entry):
            if first.setdefault(key, item) is not item:
                where = first[key].where
                raise CatalogueInvalid(
                    f"{what} stands already at {where}",
                    where=item.where,
                    hint="leave one out" if key[0] == "pattern" else "give one of them another id",
                )
        vendor = first.setdefault(("vendor", item.entry.vendor), item)
        if vendor.entry.jurisdiction != item.entry.jurisdiction:
            law = vendor.entry.jurisdiction
            under = "no known jurisdiction" if isinstance(law, Absent) else law
            raise CatalogueInvalid(
                f"{item.entry.vendor} is under {under} at {vendor.where}",
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
