"""kill(0, …): a signal to the caller's process group, as far as that is the program's.

The program stands in the process group of whoever started us, so that the terminal's signals reach
it: with us, and with whatever else is in that pipeline. The kernel would signal them all; so we
send the signal ourselves, to the processes of the tree that are in the group and to no other, and
the call returns as if the group had been the program's own (`trap "kill 0" EXIT` of many scripts).
"""

import errno
import os
import signal
from contextlib import suppress
from pathlib import Path

from egress_audit.record.descendants import descendants
from egress_audit.record.processes import parent_of

MOST_ROUNDS = 50
MOST_GENERATIONS = 256


def group_of(pid: int) -> int:
    """Process group of a process or thread, as ours numbers it. Raises OSError."""
    about = Path(f"/proc/{pid}/stat").read_bytes()
    return int(about.rpartition(b")")[2].split()[2])


def signal_group(init: int, group: int, number: int) -> int:
    """Signals every process of a group that is below `init`; 0, or minus the errno of kill(2).

    Those included that are started meanwhile: it looks again until there is nobody new.
    """
    if not 0 <= number < signal.NSIG:
        return -errno.EINVAL
    reached: set[int] = set()
    for _ in range(MOST_ROUNDS):
        new = set(descendants(init)) - reached
        if not new:
            break
        for pid in new:
            with suppress(OSError):  # It has ended.
                _signal(pid, init, group, number)
        reached |= new
    return 0


def _signal(pid: int, init: int, group: int, number: int) -> None:
    """The pid may have come to be somebody else's: what is asked is asked once it is held fast."""
    held = os.pidfd_open(pid)
    try:
        if group_of(pid) == group and _is_below(pid, init):
            signal.pidfd_send_signal(held, number)
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
