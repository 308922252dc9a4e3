"""The processes below one process: for where no pid namespace holds a tree together.

A process whose parent ends goes to the nearest subreaper above it (prctl(2)), so the tree of a
subreaper holds daemons too. Source: proc_pid_task(5), /proc/PID/task/TID/children.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

PATIENCE_S = 5.0
PAUSE_S = 0.01


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

    True if none is left. Children of our own are waited for.
    """
    deadline = time.monotonic() + patience_s
    while True:
        alive = [child for child in descendants(pid) if not _is_dead(child)]
        if not alive:
            return True
        if time.monotonic() >= deadline:
            return False
        for child in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        if pid == os.getpid():
            _reap()
        time.sleep(PAUSE_S)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


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
