"""What a call on a file is worth knowing for: models read, files written, programs executed."""

import os
import stat
from contextlib import closing, suppress
from pathlib import Path

from egress_audit.model.run import Role
from egress_audit.record.attempts import Attempts
from egress_audit.record.inside import Inside
from egress_audit.record.notifications import Notification, read_text
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.processes import Processes, Task
from egress_audit.record.syscalls import read_memory

AT_FDCWD = -100
OPEN_FLAGS = {"open": 1, "openat": 2}
"""Which argument holds the flags."""
FOLDER_AND_PATH: dict[str, tuple[int | None, int]] = {
    "open": (None, 0),
    "creat": (None, 0),
    "openat": (0, 1),
    "openat2": (0, 1),
    "rename": (None, 1),
    "renameat": (2, 3),
    "renameat2": (2, 3),
    "mknod": (None, 0),
    "mknodat": (0, 1),
    "execve": (None, 0),
    "execveat": (0, 1),
}
"""Which arguments name a path, and the folder it is relative to; of a renaming, the new name."""
EXECUTES = ("execve", "execveat")
MAKES_NODES = ("mknod", "mknodat")
NEVER_MAPPED = 0x1000
"""Below it no process has memory (vm.mmap_min_addr)."""


class FileCalls:
    """Notes calls that name a file; none is refused."""

    def __init__(self, processes: Processes, attempts: Attempts, files: OpenedFiles) -> None:
        self._processes = processes
        self._attempts = attempts
        self._files = files

    def take(self, note: Notification, task: Task) -> None:
        """Notes a call whose name is in FOLDER_AND_PATH. Raises OSError if it cannot be read."""
        if note.name in EXECUTES:
            self._executes(note, task)
        else:
            self._opens(note, task)

    def sweep(self) -> None:
        """Looks at what became of the code that was opened."""
        self._files.code.sweep()

    def _opens(self, note: Notification, task: Task) -> None:
        flags = os.O_WRONLY
        if note.name in OPEN_FLAGS:
            flags = note.arguments[OPEN_FLAGS[note.name]]
        elif note.name == "openat2":
            flags = int.from_bytes(read_memory(note.tid, note.arguments[2], 8), "little")
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        path = _named(note)
        if not path or task.process.role is Role.RECORDER:
            return
        if note.name in MAKES_NODES:
            self._files.makes(note.tid, path)
            return
        if not writes:
            self._files.code.opened(task, path)
        if self._files.opened(note.tid, path, writes):
            number = self._attempts.add(
                task.process.id, note.name, kind="fifo", family="AF_UNIX", address=path
            )
            self._attempts.came_to(number, "reached")

    def _executes(self, note: Notification, task: Task) -> None:
        self._processes.executed(task)
        path = _named(note)
        with suppress(OSError):
            about = status_of(note.tid, path)
            owned_by_other = about.st_mode & stat.S_ISUID and about.st_uid != os.getuid()
            grouped = about.st_mode & stat.S_ISGID and about.st_gid != os.getgid()
            if stat.S_ISREG(about.st_mode) and (owned_by_other or grouped):
                number = self._attempts.add(task.process.id, note.name, address=path)
                self._attempts.came_to(number, "setuid")


def _named(note: Notification) -> str:
    """The absolute path that a call names; empty for none."""
    at, argument = FOLDER_AND_PATH[note.name]
    folder = AT_FDCWD
    if at is not None:
        folder = note.arguments[at] & 0xFFFF_FFFF
        folder = AT_FDCWD if folder == AT_FDCWD & 0xFFFF_FFFF else folder
    text = read_text(note.tid, note.arguments[argument])
    return path_of(note.tid, folder, text) if text else ""


def names_nothing(note: Notification) -> bool:
    """True for a path at a null pointer, as programs pass by mistake: nothing can be there."""
    if note.name not in FOLDER_AND_PATH:
        return False
    return note.arguments[FOLDER_AND_PATH[note.name][1]] < NEVER_MAPPED


def path_of(tid: int, folder: int, path: str) -> str:
    """The absolute path that a process means. Raises OSError if the process is gone."""
    if path.startswith("/"):
        return path
    place = "cwd" if folder == AT_FDCWD else f"fd/{folder}"
    # With its `..`, which mean something else behind a symbolic link than in the text.
    return str(Path(f"/proc/{tid}/{place}").readlink() / path)


def exists(pid: int, path: str) -> bool:
    """True if a path leads to something for a process that waits."""
    try:
        status_of(pid, path)
    except OSError:
        return False
    return True


def status_of(pid: int, path: str) -> os.stat_result:
    """What a path leads to for a process that waits. Raises OSError."""
    with closing(Inside.of(pid)) as inside:
        return inside.stat(path)
