"""A tree on the host itself is followed to its last member, and ended without touching others."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.evidence.bundle import open_bundle
from egress_audit.model.run import Rung
from egress_audit.record.run import Recorded, record
from egress_audit.record.syscalls import CLONE_NEWUSER
from tests.builders.namespaces import NOBODY, in_child
from tests.builders.programs import DAEMON, FORK_BOMB, python
from tests.builders.recorded_runs import (
    TOLD,
    Way,
    descendants,
    is_alive,
    needs_namespaces,
    place,
    seen_at,
)
from tests.builders.uplink import behind_uplink, by_calls, run_behind_uplink

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]

STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    time.sleep(60)
tell(started=True)
time.sleep(60)
"""


@by_calls
def test_a_daemon_is_followed_after_its_parents_ended(way: Way) -> None:
    seen, left = run_behind_uplink(python(DAEMON), way)
    assert left == []
    assert [a.denied for a in seen.attempts("sendto")] == ["ENETUNREACH"]
    assert seen.run.ended_by == "tree"
    assert seen.run.observed_ns > 2_000_000_000


@by_calls
def test_the_end_of_a_run_reaches_the_tree_and_nobody_else(way: Way) -> None:
    made = place(way)

    def run() -> tuple[Recorded, bool, list[int]]:
        demote = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        with subprocess.Popen(("sleep", "60"), **demote) as bystander:  # type: ignore[call-overload]
            done = record(made.plan(python(STUBBORN), observe_s=0.5), made.bundle)
            lives = bystander.poll() is None
            rest = [pid for pid, start in descendants(os.getpid()) if is_alive(pid, start)]
            bystander.kill()
        return done, lives, [pid for pid in rest if pid != bystander.pid]

    (done, bystander_lives, rest), _ = behind_uplink(run, by_root=way.by_root)
    assert seen_at(made, done).told["started"]
    assert (bystander_lives, rest) == (True, [])


@by_calls
def test_the_tree_ends_when_the_recorder_is_killed(way: Way) -> None:
    made = place(way)

    def run() -> list[int]:
        pid = os.fork()
        if pid == 0:
            with suppress(EgressAuditError):
                record(made.plan(python(STUBBORN)), made.bundle)
            os._exit(0)
        _until((made.work / TOLD).exists)
        family = list(descendants(os.getpid()))
        recorder = next(below for below, _ in descendants(pid))
        os.kill(recorder, signal.SIGKILL)
        os.waitpid(pid, 0)
        _until(lambda: not any(is_alive(*one) for one in family))
        return [one for one, start in family if is_alive(one, start)]

    assert behind_uplink(run, by_root=way.by_root)[0] == []
    assert not open_bundle(made.bundle).complete


def _until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.01)


@by_calls
def test_a_port_that_is_published_is_left_to_the_program(way: Way) -> None:
    program = """
with socket.create_server(("127.0.0.1", 8123)) as server:
    tell(port=server.getsockname()[1])
"""
    seen, _ = run_behind_uplink(python(program), way, publish=(8123,))
    assert seen.told == {"port": 8123}


def test_a_tree_that_forks_without_end_is_ended() -> None:
    made = place(Way(False, Rung.CALLS))
    plan = made.plan(python(FORK_BOMB), observe_s=0.5)

    def run() -> tuple[Recorded, list[int]]:
        def bounded() -> tuple[Recorded, list[int]]:
            resource.setrlimit(resource.RLIMIT_NPROC, (40, 40))
            done = record(plan, made.bundle)
            return done, [pid for pid, start in descendants(os.getpid()) if is_alive(pid, start)]

        # Processes are counted anew there, not with everybody else's of the same user.
        return in_child(bounded, namespaces=CLONE_NEWUSER)

    (done, rest), _ = behind_uplink(run, by_root=False)
    assert rest == []
    assert seen_at(made, done).run.ended_by == "observed"
