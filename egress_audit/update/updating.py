"""Newer versions of the lists that come with the program: fetched, checked, put in place at once.

Everything is fetched and checked in a folder of its own before anything counts; then one file is
replaced, and all new lists count together. The embedded ones stay where they are.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from egress_audit.classify.address_lists import MERGED, AddressList
from egress_audit.classify.compiled_catalogues import refuse_unfit
from egress_audit.classify.list_sources import LISTS, entries_of
from egress_audit.classify.operators import OperatorTable, anycast_table, override_table
from egress_audit.classify.user_lists import CURRENT, REPLACEABLE, current_list
from egress_audit.errors import ListUnreadable
from egress_audit.keeping.shelf import (
    alone,
    private_folder,
    put_entries,
    staged,
    use_update,
    writing,
)
from egress_audit.paths import is_there
from egress_audit.ranges.published import networks
from egress_audit.update.manifest import MANIFEST, MOST_MANIFEST_OCTETS, Offered, manifest_of
from egress_audit.update.places import AGAIN, Place

GZIP_WINDOW = 31
"""zlib: a window of 2**15 octets behind a gzip header."""


def offered_at(place: Place) -> tuple[Offered, ...]:
    """What the manifest of a place offers. Raises ListUnreadable if there is none."""
    text = b"".join(place.pieces(MANIFEST, MOST_MANIFEST_OCTETS))
    return manifest_of(text, place.address(MANIFEST))


def newer_of(place: Place, offered: Sequence[Offered]) -> list[Offered]:
    """What of it is not in use yet. Raises ListUnreadable if the one in use is of a later date."""
    return [one for one in offered if _is_new(one, place)]


def update_from(
    place: Place, newer: Sequence[Offered], accept: Callable[[Path], None] = lambda made: None
) -> None:
    """Fetches lists and makes them count, all together.

    accept: looks at the folder that holds them all, and raises if they are not to count. Raises
    ListUnreadable, or CatalogueInvalid, and leaves everything as it is, if one of them is not what
    the manifest says, or is no such list, or older than one that another update took meanwhile.
    """
    folder = private_folder()
    with alone(folder), staged(folder) as made:
        wanted = newer_of(place, newer)
        kept = _kept_versions(made, wanted)
        for one in wanted:
            _take(place, one, made)
        accept(made)
        put_entries(made, [*(one.entry for one in wanted), *kept])
        use_update(folder, made)


def undo_update() -> bool:
    """Goes back to the lists that came with the program; False if they were in use already."""
    folder = private_folder()
    with alone(folder):
        updated = is_there(folder / CURRENT)
        use_update(folder, None)
    return updated


def _is_new(one: Offered, place: Place) -> bool:
    """Whether a list is not in use yet. Raises ListUnreadable if the one in use is newer."""
    path = current_list(one.file)
    entry = next(e for e in entries_of(path.parent) if e.get("file") == one.file)
    if entry.get("sha256") == one.sha256:
        return False
    if one.date < str(entry.get("date", "")):
        raise ListUnreadable(
            f"is of {one.date}, older than the one in use, of {entry['date']}",
            where=place.address(one.file),
            hint="lists update --undo goes back to the lists that came with the program",
        )
    return True


def _kept_versions(made: Path, newer: Sequence[Offered]) -> list[dict[str, object]]:
    """The entries of an earlier update that this one does not replace; their files go along."""
    replaced = {one.file for one in newer}
    kept = []
    for name in REPLACEABLE:
        path = current_list(name)
        if name in replaced or path.parent == LISTS:
            continue
        with writing(made / name):
            (made / name).write_bytes(path.read_bytes())
        kept.append(next(e for e in entries_of(path.parent) if e.get("file") == name))
    return kept


def _take(place: Place, one: Offered, made: Path) -> None:
    """Fetches one list into the folder. Raises ListUnreadable if it is not what was promised."""
    where = place.address(one.fetched)
    pieces = place.pieces(one.fetched, one.fetched_size)
    if one.is_packed:
        pieces = _unpacked(pieces, one.size, where)
    digest, size = hashlib.sha256(), 0
    with writing(made / one.file), (made / one.file).open("xb") as stream:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            stream.write(piece)
    if size != one.size:
        raise _not_promised(f"has {size} octets, and the manifest says {one.size}", where)
    if digest.hexdigest() != one.sha256:
        raise _not_promised("has another sha256 than the manifest says", where)
    CHECKS[one.file](made / one.file)


def _unpacked(pieces: Iterator[bytes], most: int, where: str) -> Iterator[bytes]:
    """The octets inside a gzip, up to `most`."""
    inflater, left = zlib.decompressobj(GZIP_WINDOW), most
    try:
        for piece in pieces:
            while piece and not inflater.eof:
                out = inflater.decompress(piece, left + 1)
                left -= len(out)
                if left < 0:
                    raise _not_promised(f"unpacks to more than {most} octets", where)
                yield out
                piece = inflater.unconsumed_tail
    except zlib.error as error:
        raise _not_promised("is no gzip, or damaged", where) from error
    if not inflater.eof:
        raise _not_promised("is cut off", where)


def _not_promised(what: str, where: str) -> ListUnreadable:
    return ListUnreadable(what, where=where, hint=AGAIN)


def _check_addresses(path: Path) -> None:
    """Reads every record of an address list; it must be one merged as ours is."""
    count = sum(1 for _ in networks(path))
    if not count or AddressList(path).kind != MERGED:
        raise _not_promised(f"is no {MERGED}", str(path))


CHECKS: dict[str, Callable[[Path], object]] = {
    "addresses.mmdb": _check_addresses,
    "operators.csv": OperatorTable,
    "ipv6_overrides.csv": override_table,
    "anycast.csv": anycast_table,
    "catalogue.json": refuse_unfit,
}
"""What reads each list whole, and refuses it with ListUnreadable, or CatalogueInvalid."""
