"""The processes below one process: for where no pid namespace holds a tree together.

A process whose parent ends goes to the nearest subreaper above it (prctl(2)), so the tree of a
subreaper holds daemons too. Source: proc_pid_task(5), /proc/PID/task/TID/children.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PATIENCE_S = 5.0
PAUSE_S = 0.01
MOST_ROUNDS = 50


def descendants(pid: int) -> list[int]:
    """Pids of all processes below `pid`, parents before children; not `pid` itself."""
    found: dict[int, None] = {}
    waiting = [pid]
    while waiting:
        for child in children(waiting.pop()):
            if child not in found and child != pid:
                found[child] = None
                waiting.append(child)
    return list(found)


def signal_below(pid: int, number: int) -> int:
    """Sends a signal to every process below `pid` and to no other; returns to how many."""
    reached = 0
    for child in descendants(pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, number)
            reached += 1
    return reached


def end_below(pid: int, patience_s: float = PATIENCE_S) -> bool:
    """Ends every process below `pid`, those included that are started meanwhile.

    True if none is left but for the dead, who wait for their parents. Who changes its parent while
    we look can be missed: see `end_own`.
    """
    deadline = time.monotonic() + patience_s
    while alive := _alive_below(pid):
        if time.monotonic() >= deadline:
            return False
        _signal(_stopped(pid, alive), signal.SIGKILL)
        time.sleep(PAUSE_S)
    return True


def end_own(patience_s: float = PATIENCE_S) -> bool:
    """Ends every process below this one, a subreaper; waits for them all, and misses none."""
    deadline = time.monotonic() + patience_s
    while not _reaped():
        if time.monotonic() >= deadline:
            return False
        end_below(os.getpid(), PAUSE_S)
        time.sleep(PAUSE_S)
    return True


def _reaped() -> bool:
    """Waits for those that are dead; true if the kernel says that there is nobody else."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _stopped(pid: int, alive: list[int]) -> set[int]:
    """Everything below `pid`, stopped, so that nothing is born while it is killed."""
    stopped: set[int] = set()
    for _ in range(MOST_ROUNDS):
        new = set(alive) - stopped
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        stopped |= new
        alive = _alive_below(pid)
    return stopped


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _alive_below(pid: int) -> list[int]:
    return [child for child in descendants(pid) if not _is_dead(child)]


def children(pid: int) -> list[int]:
    """Pids of the children of all threads of a process; [] if it is gone."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 (names alone are wanted)
    except OSError:
        return found
    for thread in threads:
        with suppress(OSError):
            words = Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split()
            found += [int(word) for word in words]
    return found


def _is_dead(pid: int) -> bool:
    """True for a process that is gone, or only waits to be waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return True
    return fields[0] in (b"Z", b"X")
