"""A signal to one's group, or to everybody, reaches processes of the program and nobody else."""

import errno
import os
import signal
from collections.abc import Callable

import pytest

from egress_audit.record.group_signal import group_of, signal_everybody, signal_group
from tests.builders.namespaces import in_child
from tests.builders.programs import python
from tests.builders.recorded_runs import Way, every_way, recorded
from tests.builders.uplink import A_CALLS_WAY, by_calls, run_behind_uplink

KILLS_ITS_GROUP = """
def paused(*, elsewhere):
    ready, tells = os.pipe()
    child = os.fork()
    if not child:
        if elsewhere:
            os.setpgid(0, 0)
        os.write(tells, b".")
        signal.pause()
        os._exit(0)
    os.read(ready, 1)
    return child
def status(child, options=0):
    pid, ended = os.waitpid(child, options)
    return os.waitstatus_to_exitcode(ended) if pid else "alive"
here, there = paused(elsewhere=False), paused(elsewhere=True)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
tell(sent=tried(os.kill, 0, signal.SIGUSR1), asked=tried(os.kill, 0, 0))
tell(here=status(here), there=status(there, os.WNOHANG))
os.kill(there, signal.SIGKILL)
os.kill(0, signal.SIGTERM)
time.sleep(60)
"""
KILLS_EVERYBODY = """
ready, tells = os.pipe()
child = os.fork()
if not child:
    os.setsid()
    os.write(tells, b".")
    signal.pause()
os.read(ready, 1)
sent = tried(os.kill, -1, signal.SIGKILL)
tell(sent=sent, child=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
TOLD = {"sent": "done", "asked": "done", "here": -signal.SIGUSR1, "there": "alive"}


def paused(*, elsewhere: bool = False) -> int:
    """A child that waits to be ended; elsewhere: in a group of its own."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    if elsewhere:
        os.setpgid(pid, pid)
    return pid


def status(pid: int, options: int = 0) -> int | None:
    """How a child ended; None if it has not."""
    known, ended = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(ended) if known else None


def told_by_init(ends: Callable[[], tuple[int | None, ...]]) -> tuple[str, int | None]:
    """How those ended that a child of ours has below it, as it says; and how a sibling of it."""
    sibling = paused()
    reading, writing = os.pipe()
    init = os.fork()
    if init == 0:
        os.write(writing, repr(ends()).encode())
        os._exit(0)
    said = os.read(reading, 100).decode()
    os.waitpid(init, 0)
    beside = status(sibling, os.WNOHANG)
    os.kill(sibling, signal.SIGKILL)
    return said, beside


def test_those_of_the_group_below_init_get_it_and_nobody_else() -> None:
    def ends() -> tuple[int | None, ...]:
        here, there = paused(), paused(elsewhere=True)
        signal_group(os.getpid(), os.getpgrp(), signal.SIGTERM)
        ended = status(here), status(there, os.WNOHANG)
        os.kill(there, signal.SIGKILL)
        return ended

    assert in_child(lambda: told_by_init(ends)) == (f"({-signal.SIGTERM}, None)", None)


def test_who_has_ended_is_passed_over() -> None:
    def signalled() -> int:
        pid = paused()
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return signal_group(os.getpid(), os.getpgrp(), signal.SIGTERM)

    assert in_child(signalled) == 0


def test_everybody_is_all_below_init_but_the_caller() -> None:
    def ends() -> tuple[int | None, ...]:
        here, there, caller = paused(), paused(elsewhere=True), paused()
        signal_everybody(os.getpid(), caller, signal.SIGTERM)
        ended = status(here), status(there), status(caller, os.WNOHANG)
        os.kill(caller, signal.SIGKILL)
        return ended

    found = in_child(lambda: told_by_init(ends))
    assert found == (f"({-signal.SIGTERM}, {-signal.SIGTERM}, None)", None)


def test_where_there_is_nobody_else_everybody_is_no_process() -> None:
    def signalled() -> int:
        return signal_everybody(os.getpid(), os.getpid(), signal.SIGTERM)

    assert in_child(signalled) == -errno.ESRCH


@pytest.mark.parametrize("number", [-1, signal.NSIG, 0xFFFF_FFFF])
def test_a_signal_that_there_is_not_reaches_nobody(number: int) -> None:
    assert signal_group(os.getpid(), os.getpgrp(), number) == -errno.EINVAL


def test_the_group_is_that_of_the_kernel() -> None:
    assert group_of(os.getpid()) == os.getpgrp()


@pytest.mark.opens_sockets
@every_way
def test_a_program_that_signals_its_group_ends_its_own_and_itself(way: Way) -> None:
    seen = recorded(python(KILLS_ITS_GROUP), way)
    assert seen.told == TOLD
    assert seen.run.exit_status == -signal.SIGTERM
    assert seen.attempts("kill") == []
    assert seen.bundle.complete


@pytest.mark.opens_sockets
def test_a_program_beside_the_hosts_processes_ends_its_own_group_alone() -> None:
    seen, _ = run_behind_uplink(python(KILLS_ITS_GROUP), A_CALLS_WAY)
    assert seen.told == TOLD
    assert seen.run.exit_status == -signal.SIGTERM


@pytest.mark.opens_sockets
@every_way
def test_a_program_that_kills_everybody_ends_its_own_and_has_a_verdict(way: Way) -> None:
    seen = recorded(python(KILLS_EVERYBODY), way)
    assert seen.told == {"sent": "done", "child": -signal.SIGKILL}
    assert (seen.run.exit_status, seen.bundle.complete) == (0, True)


@pytest.mark.opens_sockets
@by_calls
def test_a_program_that_kills_everybody_leaves_the_recorder_and_a_verdict(way: Way) -> None:
    seen, _ = run_behind_uplink(python(KILLS_EVERYBODY), way)
    assert seen.told == {"sent": "done", "child": -signal.SIGKILL}
    assert (seen.run.exit_status, seen.bundle.complete) == (0, True)
