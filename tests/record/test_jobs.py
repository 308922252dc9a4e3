"""What the first process says of its jobs is known, and that it says nothing any more too."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from egress_audit.model.run import Role, Rung
from egress_audit.record.inside import Inside
from egress_audit.record.jobs import READY, RELAY, TARGET, Jobs
from egress_audit.record.no_wire import NoLoopback, NoWire
from egress_audit.record.processes import Processes
from egress_audit.record.sandbox import SO_PASSCRED, Sandbox
from egress_audit.record.setup import Mounted

pytestmark = pytest.mark.opens_sockets


@dataclass
class World:
    """The jobs of a first process whose words are the test's, and what is written of them."""

    written: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ours, self.init = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        self.sandbox = Sandbox(
            Rung.TUN,
            NoWire(),
            NoLoopback(),
            os.open("/dev/null", os.O_RDONLY),
            ours,
            builder=0,
            init=0,
            inside=Inside.of(os.getpid()),
            mounted=Mounted({}, ()),
            has_ended=True,
        )
        self.processes = Processes(lambda process: None, lambda: 0)
        self.jobs = Jobs(
            self.sandbox,
            self.processes,
            lambda event, **fields: self.written.append((event, fields)),
        )

    def says(self, **words: object) -> Jobs:
        """The jobs after the first process, or one that it started, has said this."""
        self.init.send(json.dumps(words).encode())
        self.jobs.listen()
        return self.jobs

    def close(self) -> None:
        self.init.close()
        self.sandbox.close()
        self.processes.close()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_before_anything_was_said_nobody_is_alive(world: World) -> None:
    world.jobs.listen()
    assert world.jobs.empty
    assert not world.jobs.init_is_gone


def test_a_job_that_names_itself_has_its_role_and_is_alive(world: World) -> None:
    assert not world.says(hello=TARGET, role="target").empty
    assert world.processes.is_declared(os.getpid())
    assert world.processes.task(os.getpid()).process.role is Role.TARGET


@pytest.mark.parametrize("job", [RELAY, READY])
def test_a_helper_of_ours_does_not_keep_the_tree_alive(world: World, job: str) -> None:
    assert world.says(hello=job, role="exerciser").empty


def test_a_job_that_has_begun_is_known(world: World) -> None:
    jobs = world.says(started=TARGET, pid=2)
    assert (jobs.started, jobs.left) == ({TARGET}, {})


def test_a_command_that_has_ended_is_written_with_its_status(world: World) -> None:
    jobs = world.says(exited=TARGET, status=-signal.SIGTERM)
    assert jobs.left == {TARGET: -15}
    assert world.written == [("exited", {"status": -15})]


def test_the_end_of_another_job_is_known_and_not_written(world: World) -> None:
    assert world.says(exited=READY, status=0).left == {READY: 0}
    assert not world.written


def test_a_command_that_cannot_be_executed_has_its_reason(world: World) -> None:
    jobs = world.says(failed=TARGET, errno=2)
    assert (jobs.failed_errno, jobs.left) == (2, {TARGET: -1})


def test_another_job_that_cannot_be_executed_is_not_the_command(world: World) -> None:
    jobs = world.says(failed=READY, errno=2)
    assert (jobs.failed_errno, jobs.left) == (0, {READY: -1})


def test_the_last_process_of_all_is_told(world: World) -> None:
    world.says(hello=TARGET, role="target")
    assert world.says(empty=True).empty


def test_a_first_process_that_is_gone_leaves_nobody_and_is_asked_no_more(world: World) -> None:
    world.says(hello=TARGET, role="target")
    world.init.close()
    for _ in range(2):
        world.jobs.listen()
        assert world.jobs.init_is_gone
        assert world.jobs.empty
    assert cast(list[object], world.written) == []
