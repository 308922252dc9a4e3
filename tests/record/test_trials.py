"""A trial says what the host allows, and leaves nothing behind."""

import errno
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record import trials
from egress_audit.record.privileges import TargetUser, target_user
from egress_audit.record.syscalls import CLONE_NEWNET
from egress_audit.record.trials import Position, Trial, enter, tried
from tests.builders.namespaces import in_child, links_of_the_host, mounts_of_the_host

pytestmark = pytest.mark.opens_sockets

WITHOUT_ROOT = (
    Position.user_namespace,
    Position.network_namespace,
    Position.veth,
    Position.packets,
    Position.mounts,
    Position.own_proc,
    Position.notification,
    Position.listener,
    Position.memory,
)
needs_namespaces = pytest.mark.skipif(
    not tried(lambda: enter(0)).worked, reason="this host forbids user namespaces"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes the user")


def ourselves() -> TargetUser:
    return target_user(None, os.environ)


@pytest.fixture
def position(tmp_path: Path) -> Position:
    return Position(ourselves(), str(tmp_path))


def refused() -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/dev/net/tun")


def impossible() -> None:
    raise EgressAuditError("cannot be", where="here", hint="ask the doctor")


def test_what_can_be_done_worked() -> None:
    assert tried(lambda: None).worked


def test_what_the_kernel_refuses_is_told_with_its_number() -> None:
    assert tried(refused) == Trial("Permission denied", errno.EACCES)


def test_what_we_refuse_is_told_without_the_advice_to_ask_the_doctor() -> None:
    assert tried(impossible) == Trial("here: cannot be")


def test_a_child_that_dies_is_no_success() -> None:
    assert not tried(lambda: os.kill(os.getpid(), signal.SIGKILL)).worked


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PATIENCE_S", 0.1)
    began = time.monotonic()
    assert not tried(lambda: time.sleep(60)).worked
    assert time.monotonic() - began < 10


@needs_namespaces
def test_in_a_user_namespace_we_are_who_we_were() -> None:
    def after() -> tuple[int, int]:
        enter(CLONE_NEWNET)
        return os.getuid(), os.getgid()

    before = in_child(lambda: (os.getuid(), os.getgid()), as_nobody=True)
    assert in_child(after, as_nobody=True) == before


@needs_namespaces
@pytest.mark.parametrize("trial", WITHOUT_ROOT, ids=lambda trial: trial.__name__)
def test_a_host_with_namespaces_lets_an_ordinary_user_do_all_of_it(
    trial: Callable[[Position], None], position: Position
) -> None:
    assert tried(lambda: trial(position)) == Trial()


@needs_namespaces
@pytest.mark.parametrize("trial", WITHOUT_ROOT, ids=lambda trial: trial.__name__)
def test_nobody_can_do_it_too(trial: Callable[[Position], None]) -> None:
    def as_nobody() -> Trial:
        return tried(lambda: trial(Position(ourselves(), "/")))

    assert in_child(as_nobody, as_nobody=True) == Trial()


@needs_root
@needs_namespaces
def test_root_gets_a_device_and_its_home_shown_to_another(position: Position) -> None:
    assert tried(position.tun) == Trial()
    assert tried(position.idmapped) == Trial()


@needs_namespaces
@pytest.mark.parametrize("rung", [Rung.TUN, Rung.VETH])
def test_the_whole_sandbox_is_tried(rung: Rung, position: Position) -> None:
    if rung is Rung.TUN and not tried(position.tun).worked:
        pytest.skip("no TUN device can be had")
    assert tried(lambda: position.sandbox(rung)) == Trial()


@needs_namespaces
def test_a_host_without_user_namespaces_is_found_out() -> None:
    def without_any() -> tuple[Trial, Trial]:
        enter(0)
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
        position = Position(ourselves(), "/")
        return tried(position.network_namespace), tried(position.listener)

    network, listener = in_child(without_any, as_nobody=True)
    assert network.errno == errno.ENOSPC
    assert listener.worked


def traces() -> tuple[str, list[str], int]:
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    return mounts_of_the_host(), links_of_the_host(), open_files


@needs_namespaces
def test_nothing_stays_behind(position: Position) -> None:
    before = traces()
    for trial in (*WITHOUT_ROOT, Position.tun, Position.overlay):
        tried(partial(trial, position))
    assert traces() == before
