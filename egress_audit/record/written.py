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
    folders: Iterable[str], since_ns: int, most: int = MOST_FILES
) -> tuple[list[WrittenFile], int]:
    """Files at or below real paths that were written or made since a time; then as `written_files`.

    For what is not private: the working folder, folders given by `--bind`. Others may have written
    there too.
    """
    kept: list[WrittenFile] = []
    beyond = 0
    for path in islice(_real_files(folders), MOST_LOOKED_AT):
        size = _size_if_changed(path, since_ns)
        if size is None:
            continue
        if len(kept) < most:
            kept.append(WrittenFile(str(path), size))
        else:
            beyond += 1
    return sorted(kept, key=lambda file: file.path), beyond


def _real_files(tops: Iterable[str]) -> Iterator[Path]:
    for top in tops:
        if not Path(top).is_dir():
            yield Path(top)
        for folder, _, names in os.walk(top):
            yield from (Path(folder, name) for name in names)


def _size_if_changed(path: Path, since_ns: int) -> int | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if found.st_ctime_ns >= since_ns else None
