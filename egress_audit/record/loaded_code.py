"""Which libraries were loaded: code of Python packages that processes opened, and have in memory.

Nothing is asked of the program: the calls that open files wait for us anyhow, and its memory map is
read while it goes on. A library that is not seen here is not known, never absent: what is packed
into one file, installed as a link to its source, or built into a program, opens nothing here.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from egress_audit.model.run import Process, Role
from egress_audit.programs import is_interpreter
from egress_audit.record.inside import Inside
from egress_audit.record.processes import Task, start_time_of

MARK = "-packages/"
"""site-packages of Python, dist-packages of Debian."""
MOST_LOADED = 20_000
"""Modules, each counted in each of its processes."""
MOST_WANTED = 2000
"""Libraries that are looked for at once in the memory of one process."""
MOST_LOOKS = 30
"""At the memory of one process: who loads one library after the other for ever is not followed."""
MOST_LOOKS_IN_ALL = 2000
LOOKS_AT_ONCE = 8
"""Between two looks at the packets that wait for us."""
TRIES = 3
"""Looks at a library that was opened and is not in memory yet."""
LONGEST_MAPS = 1 << 20
"""Octets read of one memory map; that of 10,000 mappings is as long."""

_FOLDER = re.compile(r"(?:site|dist)-packages/")
_LIBRARY = re.compile(r"\.so(?:\.[0-9.]+)?\Z")
_CODE = (".py", ".pyc")
_NO_MODULE = (".dist-info", ".egg-info", ".libs", ".data")
"""Endings of folders beside the packages; what wheels bring in `.libs` belongs to one of them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A top-level module of which a process opened code."""

    process: int
    """`Process.id`."""
    folder: str
    """The site-packages in which it lies, as the program named it, with a slash at its end."""
    module: str


@dataclass(slots=True)
class _Wanted:
    """Libraries that a process opened, and that are not yet found in its memory."""

    process: Process
    names: dict[str, tuple[Loaded, int]]
    """By the end of the path, for what it counts, and how often it was looked for."""


class LoadedCode:
    """What processes of the program loaded; the strength of each is `is_mapped`."""

    def __init__(self) -> None:
        self._loaded: dict[Loaded, bool] = {}
        self._there: set[str] = set()
        self._wanted: dict[int, _Wanted] = {}
        """By pid."""
        self._looks: dict[int, int] = {}
        """By `Process.id`."""
        self._looked = 0
        self.beyond = 0
        """Opens of modules past the number that is kept."""

    def __iter__(self) -> Iterator[Loaded]:
        return iter(self._loaded)

    def is_mapped(self, loaded: Loaded) -> bool:
        """True if machine code of it was found in memory; else it was opened."""
        return self._loaded[loaded]

    def opened(self, task: Task, path: str) -> None:
        """Takes in that a task, which waits for us, opens `path` for reading."""
        process = task.process
        if MARK not in path or process.role is not Role.TARGET:
            return
        is_library = ".so" in path and _LIBRARY.search(path) is not None
        if not (is_library or path.endswith(_CODE)):
            return
        found = _module_of(path)
        if found is None:
            return
        loaded = Loaded(process.id, *found)
        # Any program may read a file; only an interpreter is known to run what it reads.
        if is_interpreter(process.exe):
            self._note(loaded, task.tid, path)
        if is_library:
            self._want(loaded, task, path)

    def _note(self, loaded: Loaded, tid: int, path: str) -> None:
        if loaded in self._loaded:
            return
        if len(self._loaded) >= MOST_LOADED:
            self.beyond += 1
        elif loaded.folder + loaded.module in self._there or _is_there(tid, path):
            self._there.add(loaded.folder + loaded.module)
            self._loaded[loaded] = False

    def _want(self, loaded: Loaded, task: Task, path: str) -> None:
        process = task.process
        spent = self._looked >= MOST_LOOKS_IN_ALL or self._looks.get(process.id, 0) >= MOST_LOOKS
        if spent or self._loaded.get(loaded):
            return
        wanted = self._wanted.get(task.pid)
        if wanted is None or wanted.process.id != process.id:
            wanted = self._wanted[task.pid] = _Wanted(process, {})
        if len(wanted.names) < MOST_WANTED:
            wanted.names[_end_of(path)] = (loaded, 0)

    def sweep(self) -> None:
        """Looks into the memory of those that opened libraries since the last time."""
        for pid in list(islice(self._wanted, LOOKS_AT_ONCE)):
            wanted = self._wanted.pop(pid)
            looks = self._looks[wanted.process.id] = self._looks.get(wanted.process.id, 0) + 1
            self._looked += 1
            mapped = _mapped(pid, wanted.process.start_time)
            wanted.names = {} if mapped is None else self._left(wanted.names, mapped)
            if wanted.names and looks < MOST_LOOKS:
                self._wanted[pid] = wanted  # Behind the others.

    def _left(
        self, names: dict[str, tuple[Loaded, int]], mapped: frozenset[str]
    ) -> dict[str, tuple[Loaded, int]]:
        """Notes those that are in memory; returns those to look for once more."""
        left = {}
        for name, (loaded, tries) in names.items():
            if name not in mapped:
                if tries + 1 < TRIES:
                    left[name] = (loaded, tries + 1)
            elif loaded in self._loaded or len(self._loaded) < MOST_LOADED:
                self._loaded[loaded] = True
            else:
                self.beyond += 1
        return left


def _module_of(path: str) -> tuple[str, str] | None:
    """The site-packages of a path, and the top-level module in it; None where there is none."""
    ends = [match.end() for match in _FOLDER.finditer(path)]
    if not ends:
        return None
    first, _, rest = path[ends[-1] :].partition("/")
    if first == "__pycache__":
        first, rest = rest, ""
    module = first if rest else first.partition(".")[0]
    return None if not module or module.endswith(_NO_MODULE) else (path[: ends[-1]], module)


def _end_of(path: str) -> str:
    """The last two names of a path, of which a package that is a link keeps both; the last alone
    of what lies in site-packages itself."""
    name = PurePosixPath(path)
    return name.name if _FOLDER.fullmatch(f"{name.parent.name}/") else "/".join(name.parts[-2:])


def _is_there(tid: int, path: str) -> bool:
    """True if the open will find a regular file: what is only tried was not loaded.

    It is not opened: who watches it, or holds a lease on it, would notice.
    """
    try:
        with closing(Inside.of(tid)) as inside:
            return stat.S_ISREG(inside.stat(path).st_mode)
    except OSError:
        return False


def _mapped(pid: int, start_time: int) -> frozenset[str] | None:
    """The ends of the paths of libraries in a process's memory (proc(5), /proc/PID/maps); None if
    it is gone. The paths are as we would see them, which a mount in the sandbox may change."""
    raw = bytearray()
    with suppress(OSError):
        with Path(f"/proc/{pid}/maps").open("rb", buffering=0) as maps:
            while len(raw) < LONGEST_MAPS and (part := maps.read(1 << 16)):
                raw += part
        if start_time_of(pid) != start_time:
            return None
        paths = {line.split(None, 5)[-1] for line in bytes(raw).splitlines() if b".so" in line}
        texts = (os.fsdecode(path).removesuffix(" (deleted)") for path in paths)
        return frozenset(_end_of(text) for text in texts if _LIBRARY.search(text))
    return None
