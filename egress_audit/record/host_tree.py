"""The program's place on rungs without namespaces: the host as it is, and one process above all.

    recorder ── fork ──▶ builder = init: subreaper, user, bounds, filter ── fork ──▶ jobs

No pid namespace holds the tree: init is the nearest subreaper, so whatever loses its parent becomes
its child; it signals its descendants alone, and ends them before it ends.
"""

import json
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Role, Rung
from egress_audit.record.descendants import end_below, signal_below
from egress_audit.record.filter import install
from egress_audit.record.init import HANDLED, LONGEST_MESSAGE, Init, Job, confine
from egress_audit.record.phases import VARIABLE
from egress_audit.record.setup import NoFilter, Setup
from egress_audit.record.syscalls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    prctl,
)


class TreeInit(Init):
    """Init where other people's processes are in sight."""

    def serve(self) -> NoReturn:
        """Takes orders until the recorder says `quit` or is gone; then ends the tree."""
        try:
            super().serve()
        except OSError:
            self._leave()  # The recorder is gone, and took the other end of the line with it.

    def _signal(self, number: int) -> None:
        signal_below(os.getpid(), number)

    def _leave(self) -> NoReturn:
        end_below(os.getpid())
        os._exit(0)


def build_on_host(setup: Setup, rung: Rung, control: socket.socket, recorder: int) -> NoReturn:
    """Becomes init of a tree on the host itself, and never returns."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != recorder:
            os._exit(1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        words = setup.on_host()
        prctl(PR_SET_DUMPABLE, 1)
        # From here on init ends by itself when the recorder does, for it has a tree to end.
        prctl(PR_SET_PDEATHSIG, 0)
        _say(control, rung=rung.value)
        _say(control, **words)
        _initiate(setup, rung, control)
    except EgressAuditError as error:
        _confess(control, type(error).__name__, error.what, error.where, error.hint)
    except OSError as error:
        what = f"{error.strerror}"
        _confess(control, "EgressAuditError", what, str(error.filename or ""), "")
    finally:
        os._exit(1)


def _say(control: socket.socket, **words: object) -> None:
    control.send(json.dumps(words).encode())


def _confess(control: socket.socket, kind: str, what: str, where: str, hint: str) -> None:
    with suppress(OSError):
        _say(control, failed=kind, what=what, where=where, hint=hint)


def _initiate(setup: Setup, rung: Rung, control: socket.socket) -> NoReturn:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_IGN)
    init = TreeInit(control.fileno(), _jobs(setup.jobs, rung))
    confine(0)
    listener = -1
    if rung is Rung.CALLS:
        try:
            listener = install(files=setup.files, sockets=not setup.is_open)
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
