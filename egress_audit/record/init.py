"""The first process of the sandbox: starts the others, reaps them, and says when all are gone.

It runs under the program's own filter, user and bounds, so that what it starts is in the same
position as the program. It talks to the recorder by read and write alone, since sends wait for the
recorder.
"""

import faulthandler
import json
import os
import resource
import select
import signal
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from egress_audit.model.run import Role
from egress_audit.record.private_folders import protect_kernel
from egress_audit.record.syscalls import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    PR_CAPBSET_DROP,
    PR_SET_DUMPABLE,
    drop_capabilities,
    mount,
    prctl,
    set_capabilities,
)

LONGEST_MESSAGE = 65_536
READ_ONLY_PROC = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
"""Writing there would reach the host's kernel, for which no network is needed."""
MOST_PROCESSES = 4096
"""RLIMIT_NPROC inside: a program that forks without end stops itself and nobody else."""
NO_CORE_PIPE = 1
"""RLIMIT_CORE that keeps a crash from being piped to a program of the host (core(5))."""
CANNOT_EXECUTE = 126
GUARD = 36
"""CAP_BLOCK_SUSPEND, of no use in a user namespace. Our helpers keep it and the program does not,
so it can neither trace them nor take their descriptors, though it is the same user (ptrace(2))."""
EVERY_CAPABILITY = (1 << 64) - 1
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)


@dataclass(frozen=True, slots=True)
class Job:
    """Something that can be started inside: a command, or a function of ours."""

    role: Role
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    output: int | None = None
    """Descriptor that takes standard output and error; None leaves those of the terminal."""
    function: Callable[[], int] | None = None
    """Called in the new process instead of a command; returns its exit status."""
    background: bool = False
    """True for a helper that does not keep the tree alive."""
    descriptors: tuple[int, ...] = ()
    """What a function needs of ours; everything else is closed to it."""

    @property
    def needs(self) -> set[int]:
        """Every descriptor that must be open for it."""
        return {*self.descriptors, *(() if self.output is None else (self.output,))}


def network_streams() -> list[int]:
    """Which of the standard streams are sockets of a network: outside, where they were opened."""
    found = []
    for number in (0, 1, 2):
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
        except OSError:
            continue  # Closed.
        with socket.socket(fileno=os.dup(number)) as stream:
            if stream.family in (socket.AF_INET, socket.AF_INET6):
                found.append(number)
    return found


def cut_off_streams() -> None:
    """Puts nothing in the place of standard streams that lead to a network outside."""
    for number in network_streams():
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, number)
        os.close(nothing)


def become_init() -> None:
    """Turns this process, pid 1 of a new pid namespace, into what others can be started from."""
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    protect_kernel(READ_ONLY_PROC, [])
    # Pid 1 gets from inside only signals that it handles (pid_namespaces(7)): it handles none.
    faulthandler.disable()
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    for number in HANDLED:
        # The terminal's signals are the program's; pid 1 stays to see it end.
        signal.signal(number, signal.SIG_IGN)


def confine(keep: int, *, guarded: bool = False) -> None:
    """Takes every capability but the bits of `keep` away, and bounds what a runaway can do.

    guarded: keeps GUARD too, which `Init` takes from the program.
    """
    if guarded:
        set_capabilities(EVERY_CAPABILITY, EVERY_CAPABILITY, 1 << GUARD)
        prctl(PR_CAPBSET_DROP, GUARD)
        keep |= 1 << GUARD
    drop_capabilities(keep=keep)
    resource.setrlimit(resource.RLIMIT_CORE, (NO_CORE_PIPE, NO_CORE_PIPE))
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    bound = MOST_PROCESSES if most == resource.RLIM_INFINITY else min(most, MOST_PROCESSES)
    resource.setrlimit(resource.RLIMIT_NPROC, (bound, bound))


class Init:
    """The loop of pid 1."""

    def __init__(self, control: int, jobs: Mapping[str, Job], keep: int | None = None) -> None:
        """keep: capabilities of the program, as bits; None where it has those of ours."""
        self._control = control
        self._keep = keep
        self._jobs = jobs
        self._running: dict[int, str] = {}
        self._background: set[int] = set()
        self._woken, wake = os.pipe()
        for descriptor in (self._woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._empty = True
        self._open = {control, self._woken, wake}.union(*(job.needs for job in jobs.values()))

    def close_others(self) -> None:
        """Closes what was open in our parents and is none of our business, the evidence above all.

        Before the filter: to list what is open would wait for the recorder.
        """
        for entry in list(Path("/proc/self/fd").iterdir()):
            number = int(entry.name)
            if number > 2 and number not in self._open:
                with suppress(OSError):  # The one that listed them is closed already.
                    os.close(number)

    def serve(self) -> NoReturn:
        """Takes orders until the recorder says `quit` or is gone."""
        # The program could otherwise trace its own first process, which has the same user.
        prctl(PR_SET_DUMPABLE, 0)
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(self._woken, select.POLLIN)
        while True:
            ready = dict(waiting.poll())
            if self._woken in ready:
                with suppress(BlockingIOError):
                    os.read(self._woken, 4096)
            self._reap()
            if self._control in ready:
                order = os.read(self._control, LONGEST_MESSAGE)
                if not order:
                    self._leave()
                self._obey(json.loads(order))

    def _obey(self, order: dict[str, object]) -> None:
        if "start" in order:
            self._start(str(order["start"]))
        elif "signal" in order:
            self._signal(int(str(order["signal"])))
        elif "end" in order:
            for pid in [pid for pid, name in self._running.items() if name == order["end"]]:
                os.kill(pid, signal.SIGKILL)
        elif "quit" in order:
            self._leave()

    def _signal(self, number: int) -> None:
        """To every process but this one: as the kernel sees it, those of the pid namespace."""
        with suppress(ProcessLookupError):
            os.kill(-1, number)

    def _leave(self) -> NoReturn:
        """Ends; the kernel ends the pid namespace."""
        os._exit(0)

    def _tell(self, **words: object) -> None:
        os.write(self._control, json.dumps(words).encode())

    def _start(self, name: str) -> None:
        job = self._jobs[name]
        failed, fails = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(failed)
            self._become(name, job, fails)
        os.close(fails)
        self._running[pid] = name
        if job.background:
            self._background.add(pid)
        else:
            self._empty = False
        # Ends when the exec closes it, or with the reason why there was none.
        reason = b""
        while part := os.read(failed, 256):
            reason += part
        os.close(failed)
        if reason:
            self._tell(failed=name, errno=int(reason))
        else:
            self._tell(started=name, pid=pid)

    def _become(self, name: str, job: Job, fails: int) -> NoReturn:
        """In the new process: names itself to the recorder, and becomes what it is to be."""
        try:
            self._tell(hello=name, role=job.role.value)
            signal.set_wakeup_fd(-1)
            for number in self._open - job.needs:
                os.close(number)
            if self._keep is not None and job.role is Role.TARGET:
                drop_capabilities(keep=self._keep)
            # The recorder must be able to look into what it is to know.
            prctl(PR_SET_DUMPABLE, 1)
            # SIGXFSZ is one that every Python ignores.
            for signal_number in (*HANDLED, signal.SIGCHLD, signal.SIGXFSZ):
                signal.signal(signal_number, signal.SIG_DFL)
            if job.role is not Role.TARGET:
                os.setsid()  # Ctrl-C at the terminal is meant for the program.
            if job.function is not None:
                os.close(fails)
                os._exit(job.function())
            if job.output is not None:
                os.dup2(job.output, 1)
                os.dup2(job.output, 2)
            for number in job.needs - {0, 1, 2}:
                os.close(number)
            cut_off_streams()
            os.set_inheritable(fails, False)
            os.chdir(job.folder)
            os.execvpe(job.arguments[0], list(job.arguments), dict(job.environment))
        except OSError as error:
            with suppress(OSError):
                os.write(fails, str(error.errno).encode())
        finally:
            os._exit(CANNOT_EXECUTE)

    def _is_empty(self) -> None:
        if not self._empty:
            self._empty = True
            self._tell(empty=True)

    def _others(self) -> bool:
        """True if a process is alive that is neither this one nor in the background."""
        known = {os.getpid(), *self._background}
        pids = {int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal()}
        return bool(pids - known)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._is_empty()
                return
            if not pid:
                if self._background and not self._others():
                    self._is_empty()
                return
            self._background.discard(pid)
            name = self._running.pop(pid, None)
            if name is not None:
                self._tell(exited=name, status=os.waitstatus_to_exitcode(status))
