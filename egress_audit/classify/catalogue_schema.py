"""One YAML file of the catalogue as entries, each with the line where it stands.

What an entry can say is the table of keys below. An entry must have a source, and an example that
it matches itself: an entry that nobody can check, or that matches nothing, is refused.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import egress_audit.yaml_values as read
from egress_audit.classify import catalogue_values as own
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.places import named_place
from egress_audit.errors import CatalogueInvalid
from egress_audit.model.catalogue import Entry, Purpose, Verified
from egress_audit.values import dataclass
from egress_audit.yaml_tree import Item, Listing, Table, refused, table_of, text_of

Readers = Mapping[str, tuple[str, Callable[[Item], object]]]
"""By key: the field of Entry that it fills, and the reader of its value."""

VENDOR_KEYS: Readers = {
    "vendor": ("vendor", read.text),
    "jurisdiction": ("jurisdiction", read.country),
    "note": ("note", read.text),
}

ENTRY_KEYS: Readers = {
    "id": ("id", read.name),
    "product": ("product", read.text),
    "versions": ("versions", own.specifiers),
    "seen_in": ("seen_in", read.each(own.version)),
    "hosts": ("hosts", read.each(own.host_pattern)),
    "prefixes": ("prefixes", read.each(own.prefix)),
    "ports": ("ports", read.each(own.port)),
    "purpose": ("purpose", own.purpose),
    "trigger": ("trigger", read.text),
    "first": ("first_ns", read.duration),
    "every": ("every_ns", read.duration),
    "phases": ("phases", read.each(read.name)),
    "processes": ("processes", read.each(read.text)),
    "sends": ("sends", read.text),
    "switch_off": ("switch", own.switch),
    "stamps": ("stamps", read.each(read.text)),
    "source": ("source", read.text),
    "verified": ("verified", own.verified),
    "confidence": ("confidence", read.one_of(*own.CONFIDENCES)),
    "example": ("example", read.text),
    "packetless": ("packetless", read.truth),
    "labels_only": ("labels_only", read.truth),
}

REQUIRED = {
    "id": "`id: acme-telemetry`: lower case, digits and `-`",
    "product": "`product: Acme server`",
    "purpose": f"one of {', '.join(Purpose)}",
    "source": "where the fact can be looked up: a page, or a package and its file",
    "verified": f"how it is known: {', '.join(Verified)}",
    "confidence": f"one of {', '.join(own.CONFIDENCES)}",
    "example": "a place that the entry matches: `example: stats.acme.example:443`",
}
"""What no entry can be without, each with what to write."""

OF_FILES = {
    "vendor": "`vendor: Acme`: whose endpoints these are",
    "entries": "`entries:` and below it a list, each with its `id`",
}
"""The same of a file."""

_FILE_KEYS = (*VENDOR_KEYS, "entries")


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """An entry, and where it stands."""

    where: str
    """FILE:LINE."""
    entry: Entry


def entries_in(path: Path) -> list[PlacedEntry]:
    """The entries of a file, in its order. Raises CatalogueInvalid."""
    return entries_of(text_of(path, CatalogueInvalid), str(path))


def entries_of(text: str, name: str) -> list[PlacedEntry]:
    """The entries in the text of a file that errors call `name`. Raises CatalogueInvalid."""
    table = table_of(text, name, CatalogueInvalid)
    _refuse_unknown(table, _FILE_KEYS)
    _refuse_missing(table, OF_FILES)
    vendor = _fields(table, VENDOR_KEYS)
    listing = table.entries["entries"]
    if not isinstance(listing, Listing) or not listing.items:
        raise refused(listing, "`entries` is a list of at least one", OF_FILES["entries"])
    return [PlacedEntry(item.where, entry_in(item, vendor)) for item in listing.items]


def _refuse_unknown(table: Table, known: tuple[str, ...]) -> None:
    for key, where in table.key_places.items():
        if key not in known:
            raise CatalogueInvalid(
                f"unknown key `{key}`", where=where, hint=read.nearest(key, known)
            )


def _refuse_missing(table: Table, keys: Mapping[str, str]) -> None:
    for key, hint in keys.items():
        if key not in table.entries:
            raise refused(table, f"`{key}` is missing", hint)


def _fields(table: Table, readers: Readers) -> dict[str, Any]:
    """The values of those keys that `readers` have, by the field of Entry."""
    return {
        readers[key][0]: readers[key][1](item)
        for key, item in table.entries.items()
        if key in readers
    }


def entry_in(item: Item, vendor: dict[str, Any]) -> Entry:
    """One entry of a file, with what that says of the vendor; it may name another one. Raises
    CatalogueInvalid."""
    if not isinstance(item, Table):
        raise refused(item, "an entry is a mapping of keys to values", OF_FILES["entries"])
    readers = {**VENDOR_KEYS, **ENTRY_KEYS}
    _refuse_unknown(item, tuple(readers))
    _refuse_missing(item, REQUIRED)
    fields = _fields(item, readers)
    if "vendor" not in fields:
        fields = vendor | fields
    if fields["verified"] is Verified.CURATED and fields["confidence"] == "low":
        # Somebody's list, and doubtful at that: general knowledge by another name.
        fields["labels_only"] = True
    entry = Entry(**fields)
    _refuse_what_matches_amiss(entry, item)
    return entry


def _refuse_what_matches_amiss(entry: Entry, table: Table) -> None:
    """CatalogueInvalid for an entry that matches nothing, anybody's names, or not its example."""
    if not entry.hosts and not entry.prefixes:
        raise refused(table, f"`{entry.id}` matches nothing", "give it `hosts` or `prefixes`")
    if entry.hosts and entry.packetless:
        raise refused(
            table.entries["packetless"],
            "the question for a name is a packet",
            "name `prefixes` alone, or leave `packetless` out",
        )
    for pattern in entry.hosts:
        if entry.accuses and own.fits_every_customer(pattern):
            raise refused(
                table.entries["hosts"],
                f"`{pattern}` matches whatever customers of that platform have",
                "name the host, or say `labels_only: true`",
            )
    place = named_place(entry.example)
    if place is None:
        raise refused(table.entries["example"], f"`{entry.example}` is no place", "write HOST:PORT")
    if not Catalogue.of([entry]).at(place):
        raise refused(
            table.entries["example"],
            f"`{entry.example}` is not matched by `{entry.id}`",
            "correct the example, or the `hosts`, `prefixes` and `ports` of the entry",
        )
