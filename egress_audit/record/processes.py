"""Which process a thread belongs to: read from /proc while it waits, kept while it lives.

A task that waits for our answer cannot end, so what /proc says of it then is said of it and no
other. What was read once holds as long as a descriptor of the task's own folder can still be read:
it names the task itself, not its number.
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role
from egress_audit.record.masking import mask_arguments
from egress_audit.record.syscalls import pidfd_open

MOST_TASKS = 256
"""Tasks whose descriptors are kept open; two each."""
MOST_PROCESSES = 200_000
MOST_GENERATIONS = 64
LONGEST_COMMAND = 4096
"""Octets read of a process's arguments; whatever is as long ends with `…`."""
PIDFD_THREAD = os.O_EXCL
"""Linux 6.9: a pidfd of a thread that need not lead its group."""


@dataclass(slots=True)
class Task:
    """A thread that was seen, and the process it belongs to."""

    tid: int
    pid: int
    alive: int
    """Descriptor of /proc/TID/comm: readable as long as the task is the same."""
    pidfd: int
    process: Process
    stale: bool = False
    """True after an exec was asked for: executable and arguments may be others."""


class Processes:
    """Every process that was seen, in the order in which they became known."""

    def __init__(self, on_new: Callable[[Process], None], now: Callable[[], int]) -> None:
        self._on_new = on_new
        self._now = now
        self._tasks: OrderedDict[int, Task] = OrderedDict()
        self._by_start: dict[tuple[int, int], Process] = {}
        """(pid, start time) → the process at its latest executable."""
        self._roles: dict[tuple[int, int], Role] = {}
        """(pid, start time) of a process that we started → on whose behalf."""
        self.count = 0
        self.gone: set[int] = set()
        """Ids of processes that are known to have ended."""

    def declare(self, pid: int, role: Role) -> None:
        """Says on whose behalf the process that has this pid now, and all it starts, runs.

        One that is gone already stays unknown: its pid may come to be somebody else's.
        """
        with suppress(OSError):
            _, start = _parent_and_start(pid)
            self._roles[pid, start] = role

    def is_declared(self, pid: int) -> bool:
        """True if we were told on whose behalf the process with this pid runs."""
        return any(pid == known for known, _ in self._roles)

    def task(self, tid: int) -> Task:
        """The task with this number, which waits now. Raises OSError if it is gone."""
        known = self._tasks.get(tid)
        if known is not None and self._same(known):
            self._tasks.move_to_end(tid)
            if known.stale:
                known.process = self._process(known.pid)
                known.stale = False
            return known
        return self._meet(tid)

    def first(self, role: Role) -> int | None:
        """Id of the latest identity of the first process that we started in this role."""
        for key, process in reversed(self._by_start.items()):
            if self._roles.get(key) is role:
                return process.id
        return None

    def knows(self, pid: int) -> bool:
        """True if a process with this pid has called."""
        return any(known == pid for known, _ in self._by_start)

    @property
    def alive(self) -> int:
        """Processes of the program that called lately and have not ended; at most MOST_TASKS."""
        tasks = self._tasks.values()
        return len({task.pid for task in tasks if task.process.role is Role.TARGET})

    def executed(self, task: Task) -> None:
        """Notes that the process of the task may become another program."""
        for other in self._tasks.values():
            if other.pid == task.pid:
                other.stale = True

    def sweep(self) -> None:
        """Lets go of tasks that are gone, and remembers which processes ended with them."""
        for task in list(self._tasks.values()):
            self._same(task)

    def _same(self, task: Task) -> bool:
        try:
            return bool(os.pread(task.alive, 1, 0))
        except ProcessLookupError:
            if task.tid == task.pid:
                self.gone.add(task.process.id)
            self._forget(task.tid)
            return False

    def _meet(self, tid: int) -> Task:
        alive = os.open(f"/proc/{tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
        try:
            pid, pidfd = _process_of(tid)
        except OSError:
            os.close(alive)
            raise
        try:
            process = self._process(pid)
        except OSError:
            os.close(alive)
            os.close(pidfd)
            raise
        task = Task(tid, pid, alive, pidfd, process)
        self._tasks[tid] = task
        if len(self._tasks) > MOST_TASKS:
            self._forget(next(iter(self._tasks)))
        return task

    def _forget(self, tid: int) -> None:
        task = self._tasks.pop(tid)
        os.close(task.alive)
        os.close(task.pidfd)

    def _process(self, pid: int) -> Process:
        """The process as /proc describes it now; a known one if nothing about it has changed."""
        parent, start = _parent_and_start(pid)
        exe, command = _executable(pid), _command_line(pid)
        key = (pid, start)
        known = self._by_start.get(key)
        if known is not None and (known.exe, known.cmdline) == (exe, command):
            return known
        origin = self._ancestor(parent)
        role = self._roles.get(key) or (known.role if known else _inherited(origin))
        self.count += 1
        process = Process(
            id=self.count,
            pid=pid,
            start_time=start,
            exe=exe,
            exe_sha256=Absent.NOT_FOUND,
            cmdline=command,
            parent=origin.id if origin else Absent.NOT_FOUND,
            role=role,
            first_ns=self._now(),
        )
        self._by_start[key] = process
        if len(self._by_start) > MOST_PROCESSES:
            del self._by_start[next(iter(self._by_start))]
        self._on_new(process)
        return process

    def _ancestor(self, pid: int) -> Process | None:
        """The nearest process of the sandbox from this pid upwards that is known.

        One that never called may lie between (a shell's subshell); one that we started is made
        known.
        """
        for _ in range(MOST_GENERATIONS):
            try:
                parent, start = _parent_and_start(pid)
                known = self._by_start.get((pid, start))
                unknown = known is None and (pid, start) in self._roles
                changed = pid in self._tasks and self._tasks[pid].stale
                if unknown or changed:
                    return self._process(pid)
            except OSError:
                return None
            if known is not None:
                return known
            pid = parent
        return None

    def close(self) -> None:
        """Closes all descriptors."""
        for tid in list(self._tasks):
            self._forget(tid)


def _inherited(origin: Process | None) -> Role:
    """The role of a child: that of its parent.

    Whose parent has ended is a child of the first process (or of nobody we know): a daemon, which
    may be the program's.
    """
    if origin is None or origin.role is Role.RECORDER:
        return Role.TARGET
    return origin.role


def _process_of(tid: int) -> tuple[int, int]:
    """Pid of a thread's process, and a pidfd that leads to the thread's table of files."""
    try:
        return tid, pidfd_open(tid)
    except OSError:  # It does not lead its group.
        pid = _thread_group(tid)
    try:
        return pid, os.pidfd_open(tid, PIDFD_THREAD)
    except OSError:
        # Linux before 6.9: the leader's table of files is the threads' too, as a rule.
        return pid, pidfd_open(pid)


def _read(path: str, most: int = 4096) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def _thread_group(tid: int) -> int:
    for line in _read(f"/proc/{tid}/status").splitlines():
        if line.startswith(b"Tgid:"):
            return int(line[5:])
    raise ProcessLookupError(3, os.strerror(3), f"/proc/{tid}/status")


def _parent_and_start(pid: int) -> tuple[int, int]:
    """Fields 4 and 22 of /proc/PID/stat (proc(5)); the name before them may hold anything."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]), int(fields[19])


def parent_of(pid: int) -> int:
    """Pid of a process's parent. Raises OSError if it is gone."""
    return _parent_and_start(pid)[0]


def start_time_of(pid: int) -> int:
    """Clock ticks since boot when a process began. Raises OSError if it is gone."""
    return _parent_and_start(pid)[1]


def _executable(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return ""  # A process on its way out, or one whose program may not be looked at.


def _command_line(pid: int) -> str | Absent:
    try:
        raw = _read(f"/proc/{pid}/cmdline", LONGEST_COMMAND)
    except OSError:
        return Absent.NOT_FOUND
    if not raw:
        return Absent.NOT_FOUND
    return _masked(raw)


@lru_cache(maxsize=1024)
def _masked(raw: bytes) -> str:
    shown = mask_arguments([os.fsdecode(word) for word in raw.rstrip(b"\0").split(b"\0")])
    return shown if len(raw) < LONGEST_COMMAND else f"{shown} …"
