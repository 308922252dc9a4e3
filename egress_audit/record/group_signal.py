"""kill(0, …) and kill(-1, …): signals to a group and to everybody, within the tree.

The program stands in the process group of whoever started us, so that the terminal's signals reach
it: with us, and with whatever else is in that pipeline. The kernel would signal them all; so we
send the signal ourselves, to the processes of the tree that are in the group and to no other, and
the call returns as if the group had been the program's own (`trap "kill 0" EXIT` of many scripts).
Everybody is each process that the caller may signal (kill(2)): where it has no PID namespace, those
of the host and ourselves. There it is the tree, without the caller, which Linux passes over too.
"""

import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from egress_audit.record.descendants import descendants
from egress_audit.record.filter import EVERYBODY
from egress_audit.record.processes import parent_of

MOST_ROUNDS = 50
MOST_GENERATIONS = 256


def group_of(pid: int) -> int:
    """Process group of a process or thread, as ours numbers it. Raises OSError."""
    about = Path(f"/proc/{pid}/stat").read_bytes()
    return int(about.rpartition(b")")[2].split()[2])


def leads_beyond(tid: int, meant: int) -> bool:
    """True if a thread's signal to OWN_GROUP or EVERYBODY would reach us too. Raises OSError."""
    if meant == EVERYBODY:
        return not _is_confined(tid)
    return group_of(tid) == os.getpgrp()


def _is_confined(tid: int) -> bool:
    """True for a thread in a PID namespace below ours, which bounds its signals."""
    for line in Path(f"/proc/{tid}/status").read_bytes().splitlines():
        if line.startswith(b"NSpid:"):  # One number for each namespace from ours inwards.
            return len(line.split()) > 2
    return False


def signal_tree(init: int, caller: int, meant: int, number: int) -> int:
    """Does what a process of the tree meant by kill(2) with OWN_GROUP or EVERYBODY; returns what
    the call returns. Raises OSError if the caller is gone."""
    if meant == EVERYBODY:
        return signal_everybody(init, caller, number)
    return signal_group(init, group_of(caller), number)


def signal_group(init: int, group: int, number: int) -> int:
    """Signals every process of a group that is below `init`; 0, or minus the errno of kill(2).

    Those included that are started meanwhile: it looks again until there is nobody new.
    """
    answer, _ = _signal_below(init, number, lambda pid: group_of(pid) == group)
    return answer


def signal_everybody(init: int, caller: int, number: int) -> int:
    """Signals every process below `init` but the caller; 0, or minus the errno of kill(2)."""
    answer, reached = _signal_below(init, number, lambda pid: pid != caller)
    return answer if answer or reached else -errno.ESRCH


def _signal_below(init: int, number: int, chosen: Callable[[int], bool]) -> tuple[int, int]:
    """0 or minus an errno, and how many processes it reached."""
    if not 0 <= number < signal.NSIG:
        return -errno.EINVAL, 0
    seen: set[int] = set()
    reached = 0
    for _ in range(MOST_ROUNDS):
        new = set(descendants(init)) - seen
        if not new:
            break
        for pid in new:
            with suppress(OSError):  # It has ended.
                reached += _signal(pid, init, number, chosen)
        seen |= new
    return 0, reached


def _signal(pid: int, init: int, number: int, chosen: Callable[[int], bool]) -> bool:
    """The pid may have come to be somebody else's: what is asked is asked once it is held fast."""
    held = os.pidfd_open(pid)
    try:
        meant = chosen(pid) and _is_below(pid, init)
        if meant:
            signal.pidfd_send_signal(held, number)
        return meant
    finally:
        os.close(held)


def _is_below(pid: int, init: int) -> bool:
    for _ in range(MOST_GENERATIONS):
        pid = parent_of(pid)
        if pid == init:
            return True
        if pid <= 1:
            break
    return False
