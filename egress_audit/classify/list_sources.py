"""What is known of a list itself: name, date, sha256, licence, attribution."""

import hashlib
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from egress_audit.errors import ListUnreadable
from egress_audit.model.audit import ListUsed

LISTS = Path(__file__).parent.parent / "lists"
"""The folder of the lists that come with the program; every list in it stands in SOURCES.yaml."""

SOURCES = "SOURCES.yaml"
"""The file that describes the lists of a folder."""

REINSTALL = "reinstall egress-audit, or name another file"
"""The remedy for a list that came with the program and is not as it was made."""
TAKE_AGAIN = (
    "egress-audit lists update --undo goes back to the lists that came with the program; where"
    " lists were imported, remove this file and import them again"
)
"""The remedy for a SOURCES.yaml of the user's."""


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def described(path: Path) -> ListUsed | None:
    """What the SOURCES.yaml beside a list says of it; None if there is none, or it does not.

    The sha256 is that of the file as it is now, not the one written down. Raises ListUnreadable
    for a SOURCES.yaml that cannot be read or has an entry without a field that is needed.
    """
    if not (path.parent / SOURCES).is_file():
        return None
    for entry in entries_of(path.parent):
        if entry.get("file") == path.name:
            return _used(entry, path.parent / SOURCES, sha256_of(path))
    return None


def entries_of(folder: Path) -> list[dict[str, Any]]:
    """The entries of the SOURCES.yaml of a folder, one for each list, as they are written there.

    Raises ListUnreadable if it cannot be read or has none.
    """
    sources = folder / SOURCES
    try:
        changed_ns = sources.stat().st_mtime_ns
    except OSError as error:
        raise ListUnreadable("cannot be read", where=str(sources), hint=_remedy(sources)) from error
    return _entries(sources, changed_ns)


@lru_cache(maxsize=8)
def _entries(sources: Path, _changed_ns: int) -> list[dict[str, Any]]:
    """The entries of a SOURCES.yaml, one for each list; read once while it does not change.

    Every list asks, for every capture of a folder.
    """
    import yaml  # 15 ms that only a report needs

    try:
        # The loader in C takes a sixth of the time; PyYAML need not have been built with it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(sources.read_text(encoding="utf-8"), loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ListUnreadable("cannot be read", where=str(sources), hint=_remedy(sources)) from error
    entries = document.get("lists") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ListUnreadable("has no `lists`", where=str(sources), hint=_remedy(sources))
    return entries


def _used(entry: dict[str, Any], sources: Path, sha256: str) -> ListUsed:
    """One entry as the document has it; every field must be there and be text, the date a day."""
    fields = {}
    for key in ("name", "date", "licence", "attribution"):
        if not isinstance(entry.get(key), str):
            what = f"says no `{key}` of {entry['file']}"
            raise ListUnreadable(what, where=str(sources), hint=_remedy(sources))
        fields[key] = entry[key]
    if not _is_day(fields["date"]):
        what = f"has no date YYYY-MM-DD for {entry['file']}"
        raise ListUnreadable(what, where=str(sources), hint=_remedy(sources))
    return ListUsed(sha256=sha256, **fields)


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def _remedy(sources: Path) -> str:
    return REINSTALL if sources.parent == LISTS else TAKE_AGAIN
