"""The program's place on rungs without namespaces: the host as it is, and one process above all.

    recorder ── fork ──▶ builder: user ── fork ──▶ init: subreaper, bounds, filter ── fork ──▶ jobs

No pid namespace holds the tree: init is the nearest subreaper, so whatever loses its parent becomes
its child, and it signals its descendants alone. When the recorder or init is gone, the builder ends
all that is left; init could not, for its filter then lets it open nothing, /proc included.
"""

import json
import math
import os
import select
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Role, Rung
from egress_audit.record.descendants import end_below, end_own, signal_below
from egress_audit.record.filter import install
from egress_audit.record.init import HANDLED, LONGEST_MESSAGE, Init, Job, confine
from egress_audit.record.phases import VARIABLE
from egress_audit.record.privileges import die_with
from egress_audit.record.setup import NoFilter, Setup, confess, leave
from egress_audit.record.syscalls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    prctl,
)

STANDARD_ERROR = 2


class TreeInit(Init):
    """Init where other people's processes are in sight."""

    def _signal(self, number: int) -> None:
        if number == signal.SIGKILL:
            end_below(os.getpid())
        else:
            signal_below(os.getpid(), number)


def build_on_host(setup: Setup, rung: Rung, control: socket.socket, recorder: int) -> NoReturn:
    """Becomes init of a tree on the host itself, and never returns."""
    try:
        die_with(recorder)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _free_ports()
        words = setup.on_host()
        # From here on it has a tree to end before it ends.
        prctl(PR_SET_PDEATHSIG, 0)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        _say(control, rung=rung.value)
        _say(control, **words)
        init = os.fork()
        if init == 0:
            _initiate(setup, rung, control)
        control.close()
        _guard(init, recorder)
    except (EgressAuditError, OSError) as error:
        confess(control, error)
    finally:
        leave(1)


def _free_ports() -> None:
    """Closes our copies of listening sockets: the program may want to serve at the same ports."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 (names alone are wanted)
        with suppress(OSError):
            own = socket.socket(fileno=os.dup(int(name)))
            with own:
                listens = own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and int(name) > STANDARD_ERROR:
                os.close(int(name))


def _say(control: socket.socket, **words: object) -> None:
    control.send(json.dumps(words).encode())


def _guard(init: int, recorder: int) -> None:
    """Waits until one of them is gone, and ends what is left of the tree."""
    # The program has our user, and no filter is on us.
    prctl(PR_SET_DUMPABLE, 0)
    waiting = select.poll()
    for pid in (init, recorder):
        with suppress(ProcessLookupError):
            waiting.register(os.pidfd_open(pid), select.POLLIN)
    if os.getppid() == recorder:
        waiting.poll()
    # Whoever gives up here leaves the program running: a fork bomb takes its time.
    end_own(math.inf)


def _initiate(setup: Setup, rung: Rung, control: socket.socket) -> NoReturn:
    """Becomes init, or says why it could not."""
    try:
        _be_init(setup, rung, control)
    except (EgressAuditError, OSError) as error:
        confess(control, error)
    finally:
        leave(1)


def _be_init(setup: Setup, rung: Rung, control: socket.socket) -> NoReturn:
    prctl(PR_SET_DUMPABLE, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_IGN)
    init = TreeInit(control.fileno(), _jobs(setup.jobs, rung))
    confine(0)
    listener = -1
    if rung is Rung.CALLS:
        try:
            listener = install(sockets=not setup.is_open)
        except OSError as error:
            raise NoFilter(
                f"system calls cannot be watched: {error.strerror}",
                hint="Linux 5.19 or newer, where seccomp is not forbidden",
            ) from error
    os.write(control.fileno(), json.dumps({"listener": listener}).encode())
    os.read(control.fileno(), LONGEST_MESSAGE)
    if listener >= 0:
        os.close(listener)
    init.serve()


def _jobs(jobs: Mapping[str, Job], rung: Rung) -> Mapping[str, Job]:
    """The jobs without the place for phases, which is private; without probes where they would
    leave this machine."""
    made: dict[str, Job] = {}
    for name, job in jobs.items():
        kept = {key: value for key, value in job.environment.items() if key != VARIABLE}
        function = job.function
        if rung is Rung.POLLING and job.role is Role.PROBE:
            function = _nothing
        made[name] = replace(job, environment=kept, function=function)
    return made


def _nothing() -> int:
    return 0
