"""What a run left behind: files in the upper layers and in the private folders.

Layers are read through descriptors that were opened when they were made: the program does not see
the upper layers, and they stay readable when its mount namespace is gone.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from egress_audit.model.destination import Absent
from egress_audit.model.run import WrittenFile
from egress_audit.record.mounts import is_folder

MOST_FILES = 1_000
MOST_LOOKED_AT = 1_000_000
"""Entries past this number are not even counted: the folder is told as one that was not seen."""
DEEPEST = 100
"""Folders below this many others are told as unreadable: a walk is recursive."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A file system in memory that took what the program wrote."""

    descriptor: int
    """Of its root folder."""
    shown: str
    """Where the program saw it."""
    ours: frozenset[str] = field(default=frozenset())
    """Paths, as the program saw them, that we made there: whiteouts, empty files to bind upon."""


@dataclass(frozen=True, slots=True)
class Found:
    """Files that were written, as far as they were looked for."""

    files: list[WrittenFile]
    """By path."""
    beyond: int
    """How many more there are than are kept."""
    not_seen: tuple[str, ...]
    """Folders that hold more than is looked at: what is written there may be missing above."""


def written_files(
    layers: Sequence[Layer], most: int = MOST_FILES, looked_at: int = MOST_LOOKED_AT
) -> Found:
    """Files that the layers hold, as the program saw them; of these `most` are kept.

    A file that was removed, or a folder that cannot be read, has no size: NOT_FOUND, UNREADABLE.
    Folders alone are not listed. looked_at: entries past this number are left out.
    """
    return _found([(layer.shown, _every_file(layer)) for layer in layers], most, looked_at)


def _found(
    places: Iterable[tuple[str, Iterator[WrittenFile | None]]], most: int, looked_at: int
) -> Found:
    """What is in the places, one after the other; None stands for what was not written."""
    kept: list[WrittenFile] = []
    beyond, not_seen = 0, []
    for shown, entries in places:
        for entry in entries:
            if not looked_at:
                not_seen.append(shown)
                break
            looked_at -= 1
            if entry is not None and len(kept) < most:
                kept.append(entry)
            else:
                beyond += entry is not None
    return Found(sorted(kept, key=lambda file: file.path), beyond, tuple(not_seen))


def full_layers(layers: Iterable[Layer]) -> list[str]:
    """Where the program could write no more, for lack of memory: its failure may be ours."""
    full = []
    for layer in layers:
        room = os.fstatvfs(layer.descriptor)
        if room.f_bfree == 0 or (room.f_files and room.f_ffree == 0):
            full.append(layer.shown)
    return full


def _every_file(layer: Layer) -> Iterator[WrittenFile | None]:
    """An item for every entry: None for one that is not the program's."""
    device = os.fstat(layer.descriptor).st_dev
    # Of the root os.fwalk tells nobody that it is closed, and raises.
    walkable = os.access(".", os.R_OK | os.X_OK, dir_fd=layer.descriptor)
    unreadable: list[str] = [] if walkable else ["."]
    folders = os.fwalk(
        ".", onerror=lambda error: unreadable.append(str(error.filename)), dir_fd=layer.descriptor
    )
    for folder, below, names, descriptor in folders if walkable else ():
        kinds = {name: _kind(device, name, descriptor) for name in below}
        below[:] = [name for name, kind in kinds.items() if kind == stat.S_IFDIR]
        if folder.count("/") >= DEEPEST:
            unreadable += [str(Path(folder, name)) for name in below]
            below.clear()
        links = [name for name, kind in kinds.items() if kind == stat.S_IFLNK]
        for name in (*names, *links):
            path = os.path.normpath(Path(layer.shown, folder, name))
            yield _written(layer, path, name, device, descriptor)
        yield from [None] * len(below)
    for name in unreadable:
        yield WrittenFile(os.path.normpath(Path(layer.shown, name)), Absent.UNREADABLE)


def _kind(device: int, name: str, descriptor: int) -> int:
    """S_IFDIR or S_IFLNK; 0 for a folder of another file system, which is bound there."""
    try:
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return 0
    return stat.S_IFMT(found.st_mode) if found.st_dev == device else 0


def _written(
    layer: Layer, path: str, name: str, device: int, descriptor: int
) -> WrittenFile | None:
    """None for what is not the program's: other file systems, and what we made ourselves."""
    try:
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return WrittenFile(path, Absent.UNREADABLE)
    if found.st_dev != device:
        return None
    is_whiteout = stat.S_ISCHR(found.st_mode) and found.st_rdev == 0
    if path in layer.ours and (is_whiteout or found.st_size == 0):
        return None
    return WrittenFile(path, Absent.NOT_FOUND if is_whiteout else found.st_size)


def changed_files(
    folders: Iterable[str],
    since_ns: int,
    most: int = MOST_FILES,
    looked_at: int = MOST_LOOKED_AT,
    not_in: Iterable[str] = (),
) -> Found:
    """Files at or below real paths that were written or made since a time; then as `written_files`.

    For what is not private: the working folder, folders given by `--bind`. Others may have written
    there too. A folder that changed though nothing directly in it did is told with a slash behind
    it. not_in: folders that are passed over.
    """
    passed_over = frozenset(not_in)
    return _found(
        [(top, _real_files(top, since_ns, passed_over)) for top in folders], most, looked_at
    )


def is_closed(path: str) -> bool:
    """True for what lies behind a folder that is closed to us, as root's HOME is."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno == errno.EACCES
    return False


def _real_files(top: str, since_ns: int, not_in: frozenset[str]) -> Iterator[WrittenFile | None]:
    """An item for every entry: None for one that did not change."""
    found = _changed(top, since_ns)
    if not is_folder(top):
        yield found
        return
    rest: list[tuple[str, int, WrittenFile | None]] = [(top, 0, found)]
    while rest:
        folder, depth, own = rest.pop()
        if folder in not_in:
            continue
        below, names = _entries(folder)
        if below is None or depth > DEEPEST:
            yield WrittenFile(folder, Absent.UNREADABLE) if own or below or names else None
            continue
        files = [_changed(str(Path(folder, name)), since_ns) for name in names]
        folders = [str(Path(folder, name)) for name in below]
        deeper = [(path, depth + 1, _changed(path, since_ns)) for path in folders]
        yield from files
        if own and not any(files) and not any(changed for _, _, changed in deeper):
            yield WrittenFile(f"{folder}/", 0)
        else:
            yield None
        rest += reversed(deeper)


def _entries(folder: str) -> tuple[list[str] | None, list[str]]:
    """Names of the folders in a folder, None if it cannot be read, and of what else is in it."""
    try:
        with os.scandir(folder) as entries:
            some = islice(entries, MOST_LOOKED_AT)  # So many reach the bound of every search.
            kinds = {entry.name: entry.is_dir(follow_symlinks=False) for entry in some}
    except OSError:
        return None, []
    below = sorted(name for name, is_dir in kinds.items() if is_dir)
    return below, sorted(name for name, is_dir in kinds.items() if not is_dir)


def _changed(path: str, since_ns: int) -> WrittenFile | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return WrittenFile(path, found.st_size) if found.st_ctime_ns >= since_ns else None
