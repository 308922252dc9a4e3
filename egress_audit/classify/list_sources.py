"""What is known of a list itself: name, date, sha256, licence, attribution."""

import hashlib
import os
from contextlib import suppress
from datetime import date
from functools import cached_property, lru_cache
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


CHANGED = "leave the lists alone while a capture is judged, and judge it again"
"""The remedy for a list that is another one by the time its sha256 is wanted."""


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class ListOnDisk(ListUsed):
    """A list whose file is hashed when the sha256 is asked for, and must be the same by then.

    The list of addresses takes 15 ms, a twelfth of a start, and a report for a terminal has none.
    """

    def __init__(self, path: Path, name: str, date: str, licence: str, attribution: str) -> None:
        """Raises OSError if there is no such file."""
        # The class is frozen, and its own sets a sha256.
        for field, value in zip(_SAID, (name, date, licence, attribution), strict=True):
            object.__setattr__(self, field, value)
        self._path = path
        self._found = _version(path.stat())

    @cached_property
    def sha256(self) -> str:
        """Raises ListUnreadable if the file is not the one that there was, or cannot be read."""
        what = "changed in the meantime"
        try:
            with self._path.open("rb") as stream:
                if _version(os.fstat(stream.fileno())) == self._found:
                    return hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            pass  # Replaced, like one of another version.
        except OSError as error:
            what = f"cannot be read any more: {error.strerror}"
        raise ListUnreadable(what, where=str(self._path), hint=CHANGED)


_SAID = ("name", "date", "licence", "attribution")
"""Fields of a ListUsed that are known without its file."""


def _version(status: os.stat_result) -> tuple[int, ...]:
    """What no other file has, nor this one once it was written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def described(path: Path) -> ListUsed | None:
    """What the SOURCES.yaml beside a list says of it; None if there is none, or it does not.

    The sha256 is that of the file as it is now, not the one written down. Raises ListUnreadable
    for a SOURCES.yaml that cannot be read or has an entry without a field that is needed, OSError
    for a list that is not there.
    """
    if not (path.parent / SOURCES).is_file():
        return None
    for entry in entries_of(path.parent):
        if entry.get("file") == path.name:
            return _used(entry, path)
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


def _used(entry: dict[str, Any], path: Path) -> ListUsed:
    """One entry as the document has it; every field must be there and be text, the date a day."""
    sources, fields = path.parent / SOURCES, {}
    for key in _SAID:
        if not isinstance(entry.get(key), str):
            what = f"says no `{key}` of {entry['file']}"
            raise ListUnreadable(what, where=str(sources), hint=_remedy(sources))
        fields[key] = entry[key]
    if not _is_day(fields["date"]):
        what = f"has no date YYYY-MM-DD for {entry['file']}"
        raise ListUnreadable(what, where=str(sources), hint=_remedy(sources))
    return ListOnDisk(path, **fields)


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def _remedy(sources: Path) -> str:
    return REINSTALL if sources.parent == LISTS else TAKE_AGAIN
