"""Where a path leads that goes through links of /proc which are no text: fd, cwd, root.

The kernel follows them for their process, and never for us (RESOLVE_NO_MAGICLINKS); `/proc/self`
is another's for us, or nobody's. So the path is walked here, one name after the other.
"""

import errno
import os
import stat
from pathlib import Path

from egress_audit.record.inside import O_PATH, Inside

MOST_NAMES = 1000
SELF = ("/proc/self", "/proc/thread-self")
LEADS_ON = ("root", "cwd", "exe", "fd", "task", "map_files", "ns", "..")
"""Names below /proc/PID that lead out of it."""


def behind_links(inside: Inside, tid: int, path: str) -> os.stat_result | None:
    """What is at the end of an absolute path, as a thread that waits would find it.

    None if that cannot be told. Raises OSError, FileNotFoundError if nothing is there.
    """
    done, left = "", path.split("/")[::-1]
    for _ in range(MOST_NAMES):
        if not left:
            return inside.stat(done or "/")
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            done = done.rpartition("/")[0]
            continue
        here = f"{done}/{name}"
        rest = [part for part in reversed(left) if part not in ("", ".")]
        if here in SELF:
            return _of_process(tid if here.endswith("thread-self") else _leader(tid), rest)
        target = _target(inside, here)
        if target == "":
            done = here
        elif target is None:
            return None if rest else _at(inside, done, name)
        else:
            done = "" if target.startswith("/") else done
            left.extend(reversed(target.split("/")))
    return None


def _target(inside: Inside, here: str) -> str | None:
    """The text of a link; empty for what is none, None for a link that is no text."""
    link = inside.descriptor(here, O_PATH | os.O_NOFOLLOW)
    try:
        if not stat.S_ISLNK(os.fstat(link).st_mode):
            return ""
        try:
            inside.stat(here)
        except OSError as error:
            if error.errno == errno.ELOOP and "/proc/" in here:
                return None
        try:
            return os.readlink("", dir_fd=link)
        except OSError:
            return None  # `self` of a /proc that was mounted elsewhere.
    finally:
        os.close(link)


def _of_process(pid: int, rest: list[str]) -> os.stat_result | None:
    """What is below a process's folder of /proc, by our number for it."""
    if len(rest) == 2 and rest[0] == "fd":
        return Path(f"/proc/{pid}/fd/{rest[1]}").stat()
    if rest and (rest[0] in LEADS_ON or ".." in rest):
        return None
    return Path(f"/proc/{pid}", *rest).stat()


def _at(inside: Inside, folder: str, name: str) -> os.stat_result | None:
    """What a link that ends the path leads to, if it is a descriptor."""
    if not folder.endswith("/fd"):
        return None
    place = inside.descriptor(folder, O_PATH | os.O_DIRECTORY)
    try:
        return os.stat(name, dir_fd=place)
    finally:
        os.close(place)


def _leader(tid: int) -> int:
    """The process of a thread. Raises OSError."""
    for line in Path(f"/proc/{tid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("Tgid:"):
            return int(line.split()[1])
    raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH), str(tid))


def what_is_at(inside: Inside, tid: int, path: str) -> os.stat_result | None:
    """What a path leads to for a thread that waits; None if that cannot be told.

    Raises OSError.
    """
    try:
        if not path.startswith(SELF):
            return inside.stat(path)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOENT):
            raise
    return behind_links(inside, tid, path)
