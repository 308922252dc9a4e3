"""What a run left behind: files in the upper layers and in the private folders.

Layers are read through descriptors that were opened when they were made: the program does not see
the upper layers, and they stay readable when its mount namespace is gone.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from egress_audit.model.destination import Absent
from egress_audit.model.run import WrittenFile

MOST_FILES = 1_000
MOST_LOOKED_AT = 1_000_000
"""Files past this number are not even counted."""
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


def written_files(layers: Sequence[Layer], most: int = MOST_FILES) -> tuple[list[WrittenFile], int]:
    """Files that the layers hold, as the program saw them, and how many there are past `most`.

    A file that was removed, or a folder that cannot be read, has no size: NOT_FOUND, UNREADABLE.
    Folders alone are not listed.
    """
    kept: list[WrittenFile] = []
    beyond = 0
    for file in islice(_every_file(layers), MOST_LOOKED_AT):
        if len(kept) < most:
            kept.append(file)
        else:
            beyond += 1
    return sorted(kept, key=lambda file: file.path), beyond


def full_layers(layers: Iterable[Layer]) -> list[str]:
    """Where the program could write no more, for lack of memory: its failure may be ours."""
    full = []
    for layer in layers:
        room = os.fstatvfs(layer.descriptor)
        if room.f_bfree == 0 or (room.f_files and room.f_ffree == 0):
            full.append(layer.shown)
    return full


def _every_file(layers: Sequence[Layer]) -> Iterator[WrittenFile]:
    for layer in layers:
        device = os.fstat(layer.descriptor).st_dev
        unreadable: list[str] = []
        folders = os.fwalk(
            ".",
            onerror=lambda error: unreadable.append(str(error.filename)),  # noqa: B023
            dir_fd=layer.descriptor,
        )
        for folder, below, names, descriptor in folders:
            kinds = {name: _kind(device, name, descriptor) for name in below}
            below[:] = [name for name, kind in kinds.items() if kind == stat.S_IFDIR]
            if folder.count("/") >= DEEPEST:
                unreadable += [str(Path(folder, name)) for name in below]
                below.clear()
            links = [name for name, kind in kinds.items() if kind == stat.S_IFLNK]
            for name in (*names, *links):
                path = os.path.normpath(Path(layer.shown, folder, name))
                if file := _written(layer, path, name, device, descriptor):
                    yield file
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
) -> tuple[list[WrittenFile], int]:
    """Files at or below real paths that were written or made since a time; then as `written_files`.

    For what is not private: the working folder, folders given by `--bind`. Others may have written
    there too. A folder that changed though nothing directly in it did is told with a slash behind
    it. looked_at: entries past this number are left out; not_in: folders that are passed over.
    """
    kept: list[WrittenFile] = []
    beyond = 0
    for file in islice(_real_files(folders, since_ns, frozenset(not_in)), looked_at):
        if file is None:
            continue
        if len(kept) < most:
            kept.append(file)
        else:
            beyond += 1
    return sorted(kept, key=lambda file: file.path), beyond


def _real_files(
    tops: Iterable[str], since_ns: int, not_in: frozenset[str]
) -> Iterator[WrittenFile | None]:
    """An item for every entry: None for one that did not change."""
    for top in tops:
        found = _changed(top, since_ns)
        if not Path(top).is_dir():
            yield found
            continue
        rest: list[tuple[str, int, WrittenFile | None]] = [(top, 0, None)]
        while rest:
            folder, depth, own = rest.pop()
            if folder in not_in:
                continue
            below, names = _entries(folder)
            if below is None or depth > DEEPEST:
                yield WrittenFile(folder, Absent.UNREADABLE) if own or below else None
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
            some = islice(entries, MOST_LOOKED_AT)
            kinds = {entry.name: entry.is_dir(follow_symlinks=False) for entry in some}
    except OSError:
        return None, []
    below = sorted(name for name, is_folder in kinds.items() if is_folder)
    return below, sorted(name for name, is_folder in kinds.items() if not is_folder)


def _changed(path: str, since_ns: int) -> WrittenFile | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return WrittenFile(path, found.st_size) if found.st_ctime_ns >= since_ns else None
