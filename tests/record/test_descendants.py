"""The processes below one: found, signalled and ended, and none beside them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

from egress_audit.record.descendants import children, descendants, end_below, end_own, signal_below
from egress_audit.record.syscalls import PR_SET_CHILD_SUBREAPER, prctl
from tests.builders.namespaces import in_child

GRANDCHILD = ("sh", "-c", "sleep 60 & echo started; wait")
DAEMON = ("sh", "-c", "(sleep 60 &) ; echo started")
IGNORES = ("sh", "-c", "trap '' TERM; echo started; sleep 60; sleep 60")


def started(command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def until(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.01)
    return fact()


def test_children_of_children_are_found_after_their_parents() -> None:
    def found() -> bool:
        parent = started(GRANDCHILD)
        below = descendants(os.getpid())
        right = below[0] == parent.pid and below[1:] == children(parent.pid)
        end_below(os.getpid())
        return right and len(below) == 2

    assert in_child(found)


def test_a_daemon_stays_below_the_subreaper() -> None:
    def found() -> int:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        started(DAEMON).wait()
        count = len(descendants(os.getpid()))
        end_below(os.getpid())
        return count

    assert in_child(found) == 1


def test_a_process_that_is_gone_has_nothing_below_it() -> None:
    with subprocess.Popen(("true",)) as process:
        process.wait()
    assert descendants(process.pid) == []


def test_a_signal_reaches_the_tree_and_no_sibling() -> None:
    with started(GRANDCHILD) as ours, subprocess.Popen(("sleep", "60")) as sibling:
        below = descendants(ours.pid)
        assert signal_below(ours.pid, signal.SIGKILL) == 1
        assert until(lambda: not set(descendants(ours.pid)) & set(below))
        assert sibling.poll() is None
        sibling.kill()


def test_what_ignores_being_asked_is_ended_all_the_same() -> None:
    def ended() -> tuple[bool, list[int]]:
        started(IGNORES)
        signal_below(os.getpid(), signal.SIGTERM)
        survived = bool(descendants(os.getpid()))
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        return end_own() and survived, descendants(os.getpid())

    assert in_child(ended) == (True, [])


def test_ending_nothing_is_done_at_once() -> None:
    began = time.monotonic()
    assert in_child(lambda: end_below(os.getpid()) and end_own())
    assert time.monotonic() - began < 2


def test_daemons_that_are_being_born_are_missed_by_none() -> None:
    breeds = ("sh", "-c", "echo started; for i in 1 2 3 4 5 6 7 8; do (sleep 60 &); done; sleep 60")

    def ended() -> tuple[bool, list[int]]:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        started(breeds)
        return end_own(), descendants(os.getpid())

    for _ in range(10):
        assert in_child(ended) == (True, [])
