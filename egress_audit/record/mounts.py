"""Mounts by their newer calls: detached clones that are put in place later, read-only or idmapped.

Source: open_tree(2), move_mount(2), mount_setattr(2), proc_pid_mountinfo(5); Linux 5.12 and later.
"""

import os
import re
import stat
import struct
from collections.abc import Sequence
from pathlib import Path

from egress_audit.record import syscalls
from egress_audit.record.syscalls import MS_NODEV, MS_NOSUID

_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 4
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_IDMAP = 0x0000_0001, 0x0010_0000
_MOUNT_ATTR = struct.Struct("=QQQQ")
"""struct mount_attr: attr_set, attr_clr, propagation, userns_fd."""

_SHARE = "25%"
"""The kernel's default of half for each would let a program fill the host's memory."""
_MOUNT_POINT = 4
"""Field of a line of mountinfo."""
_OCTAL = re.compile(rb"\\([0-7]{3})")


def tmpfs(folder: str, mode: int = 0o755) -> None:
    """Covers a folder with an empty file system in memory, of at most `_SHARE` of it."""
    data = f"mode={mode:o},size={_SHARE}"
    syscalls.mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, data)


def clone(path: str, *, recursive: bool = True) -> int:
    """Descriptor of a detached copy of the mount at `path`, of which `path` becomes the root.

    It stays what it is when `path` is covered. A mount that came from another user namespace with
    mounts below it can be cloned only with them. Raises OSError.
    """
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | (_AT_RECURSIVE if recursive else 0)
    return syscalls.call("open_tree", _AT_FDCWD, os.fsencode(path), flags)


def attach(tree: int, path: str) -> None:
    """Mounts a detached copy over `path` and closes its descriptor."""
    syscalls.call("move_mount", tree, b"", _AT_FDCWD, os.fsencode(path), _MOVE_MOUNT_F_EMPTY_PATH)
    os.close(tree)


def make_read_only(tree: int) -> None:
    """Takes writing from a detached copy and all mounts in it."""
    _set_attributes(tree, _MOUNT_ATTR.pack(_MOUNT_ATTR_RDONLY, 0, 0, 0))


def map_owners(tree: int, user_namespace: int) -> None:
    """Shows the files of a detached copy with the owners that a user namespace gives them."""
    _set_attributes(tree, _MOUNT_ATTR.pack(_MOUNT_ATTR_IDMAP, 0, 0, user_namespace))


def bind_read_only(path: str) -> None:
    """Makes what lies at `path`, mounts below it included, read-only for this mount namespace."""
    tree = clone(path)
    make_read_only(tree)
    attach(tree, path)


def mounts_below(folder: str) -> list[str]:
    """Mount points below a folder, not itself, in the order of their paths."""
    prefix = folder.rstrip("/") + "/"
    return sorted(path for path in mount_points() if path.startswith(prefix))


def mount_points() -> set[str]:
    """Every path that is mounted upon, as this process sees them."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    return {os.fsdecode(unescaped(line.split()[_MOUNT_POINT])) for line in lines}


def put_back(tree: int, path: str) -> None:
    """Mounts a clone where it was, in a folder that is empty now; its parents are made."""
    if Path(path).exists():
        pass
    elif stat.S_ISDIR(os.fstat(tree).st_mode):
        Path(path).mkdir(parents=True)
    else:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    attach(tree, path)


def is_folder(path: str) -> bool:
    """True for a folder that we can reach; false for one behind a closed folder."""
    try:
        return Path(path).is_dir()
    except PermissionError:
        return False


def is_there(path: str) -> bool:
    """True for anything that we can reach, links followed."""
    return os.access(path, os.F_OK)


def is_within(path: str, folder: str) -> bool:
    """True for the folder itself and everything below it, by name."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def without_nested(paths: Sequence[str]) -> list[str]:
    """The paths that lie in no other of them, sorted."""
    outermost: list[str] = []
    for path in sorted(set(paths)):
        if not any(is_within(path, other) for other in outermost):
            outermost.append(path)
    return outermost


def unescaped(word: bytes) -> bytes:
    r"""Blanks stand as \040 in mountinfo."""
    return _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), word)


def _set_attributes(tree: int, attributes: bytes) -> None:
    flags = _AT_EMPTY_PATH | _AT_RECURSIVE
    syscalls.call("mount_setattr", tree, b"", flags, attributes, len(attributes))
