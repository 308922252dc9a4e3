"""The folder of the user's lists, written: files appear whole or not at all, and only for the user.

The last step of every change is the replacement of SOURCES.yaml, which says what counts. Changes
wait for each other: each begins with what the one before it left.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from egress_audit.classify.list_sources import SOURCES, entries_of
from egress_audit.classify.user_lists import CURRENT, UPDATE_PREFIX, user_folder
from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.paths import is_there

HEADING = "# Written by `egress-audit lists`. The entry at the top is asked first.\n"
Entry = Mapping[str, Any]


def private_folder() -> Path:
    """The user's folder, made if it was not there, for nobody else to write to.

    Raises EgressAuditError if there is no home, or the folder cannot be made.
    """
    folder = user_folder()
    if folder is None:
        raise EgressAuditError(
            "there is no folder to keep lists in",
            hint="set HOME or XDG_DATA_HOME to an absolute path",
        )
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(folder.stat().st_mode & ~0o022)
    return folder


def imported_entries(folder: Path) -> list[dict[str, Any]]:
    """The entries of the imported lists; none if nothing was imported."""
    return list(entries_of(folder)) if is_there(folder / SOURCES) else []


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until nobody else changes the folder, and keeps others waiting.

    Where the system or the file system has no locks, changes at once are not kept apart.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with writing(folder):
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put(folder: Path, name: str, pieces: Iterable[bytes]) -> None:
    """Writes a file of the folder in one step: whoever reads it sees the old one or the new."""
    with writing(folder / name):
        number, scratch = tempfile.mkstemp(prefix=".new-", dir=folder)  # mode 0600
        try:
            with os.fdopen(number, "wb") as stream:
                stream.writelines(pieces)
                stream.flush()
                os.fsync(stream.fileno())
            Path(scratch).replace(folder / name)
        finally:
            Path(scratch).unlink(missing_ok=True)


def put_entries(folder: Path, entries: Sequence[Entry]) -> None:
    """Replaces the SOURCES.yaml of a folder."""
    import yaml

    text = yaml.safe_dump(
        {"lists": [dict(e) for e in entries]}, sort_keys=False, allow_unicode=True
    )
    put(folder, SOURCES, [(HEADING + text).encode()])


def remove(name: str) -> Path:
    """Removes an imported list; where it was. Raises WrongUsage if none has that name."""
    folder = private_folder()
    with alone(folder):
        return _removed(folder, name)


def _removed(folder: Path, name: str) -> Path:
    entries = imported_entries(folder)
    gone = [entry for entry in entries if name in (entry.get("name"), entry.get("file"))]
    if not gone:
        names = ", ".join(str(entry.get("name")) for entry in entries)
        hint = f"imported are: {names}" if names else "no list was imported"
        raise WrongUsage(f"no imported list is called {name!r}", hint=hint)
    put_entries(folder, [entry for entry in entries if entry not in gone])
    for entry in gone:
        path = folder / str(entry.get("file"))
        if path.parent == folder:
            path.unlink(missing_ok=True)
    return folder / str(gone[0].get("file"))


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A new folder for newer versions of the program's lists, taken away if anything fails."""
    with writing(folder):
        made = Path(tempfile.mkdtemp(prefix=UPDATE_PREFIX, dir=folder))
    whole = False
    try:
        yield made
        whole = True
    finally:
        if not whole:
            shutil.rmtree(made, ignore_errors=True)


def use_update(folder: Path, made: Path | None) -> None:
    """Makes a staged folder the one that counts, or none, and removes the others.

    The one before stays until the next update: an audit that is under way reads it to its end.
    """
    kept = {made, _current(folder)}
    if made is None:
        kept = set()
        with writing(folder / CURRENT):
            (folder / CURRENT).unlink(missing_ok=True)
    else:
        put(folder, CURRENT, [f"{made.name}\n".encode()])
    for path in folder.glob(f"{UPDATE_PREFIX}*"):
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _current(folder: Path) -> Path | None:
    """The folder that counts, there or not; None if there is none, or its name cannot be read."""
    try:
        return folder / (folder / CURRENT).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What writing raises, as EgressAuditError."""
    try:
        yield
    except OSError as error:
        raise EgressAuditError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            hint="give room and rights there, or set XDG_DATA_HOME",
        ) from error
