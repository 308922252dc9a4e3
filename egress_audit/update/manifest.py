"""The manifest of a folder of lists: which files, how long, with which sha256.

    {"egress_audit_lists": 1, "lists": [
        {"file": "addresses.mmdb", "size": 21304054, "sha256": "…", "name": "addresses",
         "date": "2026-06-01", "licence": "CC-BY-4.0", "attribution": "…",
         "packed": "addresses.mmdb.gz", "packed_size": 10100000}]}

`packed` is optional: the file as gzip has it, for the way here. What is not asked for is kept as it
is: origin, version, rows, modifications.
"""

import json
import re
from contextlib import suppress
from datetime import date
from typing import Any

from egress_audit.classify.user_lists import REPLACEABLE
from egress_audit.errors import ListUnreadable
from egress_audit.values import dataclass

MANIFEST = "manifest.json"
FORMAT = "egress_audit_lists"
MOST_MANIFEST_OCTETS = 1 << 18
"""Octets of a manifest: one of all lists has some thousand."""
MOST_LIST_OCTETS = 1 << 28
"""Octets of a list: over ten times the largest that there is."""
ELSEWHERE = "give a folder that scripts/build_lists.py manifest has written to"
SHA256 = re.compile("[0-9a-f]{64}")
WORDS = ("name", "date", "licence", "attribution")


@dataclass(frozen=True, slots=True)
class Offered:
    """One list of a manifest, checked for form."""

    file: str
    size: int
    sha256: str
    date: str
    fetched: str
    """The file to fetch: itself, or a gzip of it."""
    fetched_size: int
    entry: dict[str, Any]
    """All of it, for SOURCES.yaml."""

    @property
    def is_packed(self) -> bool:
        """Whether what is fetched has to be unpacked."""
        return self.fetched != self.file


def manifest_of(text: bytes, where: str) -> tuple[Offered, ...]:
    """The lists of a manifest. Raises ListUnreadable for one that does not say what it must."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong("is no JSON", where) from error
    if not isinstance(document, dict) or document.get(FORMAT) != 1:
        raise _wrong(f'has no "{FORMAT}": 1', where)
    lists = document.get("lists")
    if not isinstance(lists, list) or not lists:
        raise _wrong("names no lists", where)
    offered = tuple(_offered(entry, where) for entry in lists)
    if len({one.file for one in offered}) < len(offered):
        raise _wrong("names a list twice", where)
    return offered


def _offered(entry: object, where: str) -> Offered:
    if not isinstance(entry, dict):
        raise _wrong("has a list that is no object", where)
    file = entry.get("file")
    if file not in REPLACEABLE:
        raise _wrong(f"names {file!r}, which is none of {', '.join(REPLACEABLE)}", where)
    for word in WORDS:
        if not isinstance(entry.get(word), str):
            raise _wrong(f"says no `{word}` of {file}", where)
    _refuse_other_forms(entry, where)
    sha256 = entry.get("sha256")
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise _wrong(f"has no sha256 of {file}", where)
    packed = entry.get("packed", file)
    if packed not in (file, f"{file}.gz"):
        raise _wrong(f"has {packed!r} in place of {file}.gz", where)
    size = _size(entry, "size", where)
    return Offered(
        file=file,
        size=size,
        sha256=sha256,
        date=_day(entry["date"], file, where),
        fetched=packed,
        fetched_size=size if packed == file else _size(entry, "packed_size", where),
        entry={key: value for key, value in entry.items() if not key.startswith("packed")},
    )


def _refuse_other_forms(entry: dict[str, Any], where: str) -> None:
    """Raises ListUnreadable if what is kept as it is could not be shown or written down."""
    origin, rows = entry.get("origin", []), entry.get("rows", 0)
    if not isinstance(origin, list) or not all(isinstance(one, dict) for one in origin):
        raise _wrong(f"has no list of objects as `origin` of {entry['file']}", where)
    if not isinstance(rows, int):
        raise _wrong(f"has no number as `rows` of {entry['file']}", where)
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _wrong(f"says what is no text of {entry['file']}", where) from error


def _size(entry: dict[str, Any], key: str, where: str) -> int:
    size = entry.get(key)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MOST_LIST_OCTETS:
        raise _wrong(f"has no `{key}` from 1 to {MOST_LIST_OCTETS} for {entry['file']}", where)
    return size


def _day(text: str, file: str, where: str) -> str:
    with suppress(ValueError):
        if date.fromisoformat(text).isoformat() == text:
            return text
    raise _wrong(f"has no date YYYY-MM-DD for {file}", where)


def _wrong(what: str, where: str) -> ListUnreadable:
    return ListUnreadable(what, where=where, hint=ELSEWHERE)
