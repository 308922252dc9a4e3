"""Whose listener took a connect over a unix socket: real sockets, listeners in forked children."""

import errno
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from egress_audit.record import unix_peers
from egress_audit.record.syscalls import pidfd_open
from egress_audit.record.unix_peers import UnixPeers
from tests.builders.namespaces import in_child

pytestmark = pytest.mark.opens_sockets

TID = os.getpid()
OTHER_TID = 1
NO_THREAD = 1 << 30
ATTEMPT = 3
ME = os.getpid()


class World:
    """A folder for sockets, children that listen there, and what is said to have been reached."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self.path = str(folder / "s")
        self.reached: list[int | None] = []
        self.asked: list[int] = []
        self.pidfd = pidfd_open(ME)
        stack.callback(os.close, self.pidfd)
        self.client = stack.enter_context(socket.socket(socket.AF_UNIX))
        self.client.settimeout(5)

    def peers(self, init: int, *, was_inside: bool = False) -> UnixPeers:
        """For a tree that begins with `init`; was_inside: what is remembered of ended ones."""

        def remembered(pid: int) -> bool:
            self.asked.append(pid)
            return was_inside

        return self._stack.enter_context(closing(UnixPeers(init, remembered, self.reached.append)))

    def listener(self, generations: int = 1) -> int:
        """Pid of a child (or its child …) that listens, and lives until the test ends or it is
        ended by `end`."""
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            _listens(self.path, tell, generations)
        os.close(tell)
        with os.fdopen(told) as said:
            pid = int(said.readline())
        self._stack.callback(self.end, child)
        return pid

    def end(self, pid: int) -> None:
        """Ends a child, at once."""
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return

    def watched(self, peers: UnixPeers, tid: int = TID) -> None:
        """What happens when a connect waits: its socket is taken, before it is connected."""
        peers.watch(self.pidfd, self.client.fileno(), tid, ATTEMPT)

    def connect(self) -> None:
        """The kernel carries the connect out."""
        self.client.connect(self.path)


def _listens(path: str, tell: int, generations: int) -> None:
    """Ends with the process that started it; never returns."""
    signal.alarm(60)
    if generations > 1:
        below = os.fork()
        if below == 0:
            _listens(path, tell, generations - 1)
        os.close(tell)
        os.waitpid(below, 0)
        os._exit(0)
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        server.settimeout(0.05)
        os.write(tell, f"{os.getpid()}\n".encode())
        while os.getppid() == parent:
            try:
                server.accept()[0].close()
            except TimeoutError:
                continue
    os._exit(0)


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as folder, ExitStack() as stack:
        yield World(stack, Path(folder))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def in_the_world(world: World, generations: int, init: Callable[[int], int]) -> list[int | None]:
    """What is reached by a connect to a listener, in a tree whose first process `init` names."""
    pid = world.listener(generations)
    peers = world.peers(init(pid))
    world.watched(peers)
    world.connect()
    peers.done(TID)
    return world.reached


@pytest.mark.parametrize("generations", [1, 2, 4])
def test_a_listener_that_descends_from_the_first_process_is_inside(
    world: World, generations: int
) -> None:
    assert in_the_world(world, generations, lambda pid: ME) == []


def test_the_first_process_itself_is_inside(world: World) -> None:
    assert in_the_world(world, 1, lambda pid: pid) == []


def test_a_listener_of_another_tree_is_reached(world: World) -> None:
    beside = os.fork()
    if beside == 0:
        signal.pause()
        os._exit(0)
    try:
        assert in_the_world(world, 1, lambda pid: beside) == [ATTEMPT]
        assert in_child(lambda: world.asked) == []
    finally:
        world.end(beside)


def test_the_parent_of_the_first_process_is_outside(world: World) -> None:
    pid = world.listener()
    peers = world.peers(pid)
    Path(world.path).unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(world.path)
        server.listen()
        world.watched(peers)
        world.connect()
        peers.done(TID)
    assert world.reached == [ATTEMPT]


# When it is asked


def test_a_connect_is_settled_when_its_thread_calls_again_and_not_when_another_does(
    world: World,
) -> None:
    world.listener()
    peers = world.peers(1 << 30)
    world.watched(peers)
    world.connect()
    peers.done(OTHER_TID)
    assert world.reached == []
    peers.done(TID)
    assert world.reached == [ATTEMPT]


def test_a_connect_is_settled_once(world: World) -> None:
    world.listener()
    peers = world.peers(1 << 30)
    world.watched(peers)
    world.connect()
    for _ in range(2):
        peers.done(TID)
        peers.sweep()
    assert world.reached == [ATTEMPT]


def test_a_connect_that_failed_reached_nobody(world: World) -> None:
    peers = world.peers(1 << 30)
    world.watched(peers)
    with pytest.raises(FileNotFoundError):
        world.connect()
    peers.done(TID)
    assert world.reached == []


def test_a_connect_whose_thread_never_calls_again_is_settled_by_a_sweep(world: World) -> None:
    world.listener()
    peers = world.peers(1 << 30)
    world.watched(peers)
    peers.sweep()
    assert world.reached == []
    world.connect()
    peers.sweep()
    assert world.reached == [ATTEMPT]


def test_a_peer_that_is_known_is_named_however_late_the_sweep_is(world: World) -> None:
    world.listener()
    peers = world.peers(1 << 30)
    world.watched(peers)
    world.connect()
    peers.sweep()
    assert world.reached == [ATTEMPT]


def test_a_connect_is_waited_for_as_long_as_its_thread_lives(world: World) -> None:
    peers = world.peers(1 << 30)
    before = descriptors()
    world.watched(peers, ME)
    peers.sweep()
    assert descriptors() == before + 1
    world.listener()
    world.connect()
    peers.sweep()
    assert (descriptors(), world.reached) == (before, [ATTEMPT])


def test_a_connect_whose_thread_is_gone_without_a_peer_reached_nobody(world: World) -> None:
    peers = world.peers(1 << 30)
    before = descriptors()
    world.watched(peers, NO_THREAD)
    peers.sweep()
    assert (descriptors(), world.reached) == (before, [])


def test_a_socket_for_datagrams_is_not_kept_open(world: World) -> None:
    peers = world.peers(1 << 30)
    before = descriptors()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        peers.watch(world.pidfd, made.fileno(), TID, ATTEMPT)
        assert descriptors() == before + 1


def test_every_socket_is_let_go_in_the_end(world: World) -> None:
    peers = world.peers(1 << 30)
    before = descriptors()
    for _ in range(10):
        world.watched(peers)
    assert descriptors() == before + 10
    peers.close()
    assert descriptors() == before


def test_all_that_waits_is_settled_when_the_run_ends(world: World) -> None:
    world.listener()
    peers = world.peers(1 << 30)
    before = descriptors()
    world.watched(peers)
    world.connect()
    peers.finish()
    assert world.reached == [ATTEMPT]
    assert descriptors() == before


def test_a_connect_that_is_still_refused_at_the_end_reached_nobody(world: World) -> None:
    peers = world.peers(1 << 30)
    world.watched(peers)
    peers.finish()
    assert world.reached == []


# Peers that have ended


@pytest.mark.parametrize(("was_inside", "reached"), [(True, []), (False, [ATTEMPT])])
def test_a_peer_that_has_ended_is_outside_unless_it_is_remembered(
    world: World, was_inside: bool, reached: list[int]
) -> None:
    pid = world.listener()
    peers = world.peers(ME, was_inside=was_inside)
    world.watched(peers)
    world.connect()
    world.end(pid)
    peers.done(TID)
    assert world.reached == reached
    assert world.asked == [pid]


def test_nobody_is_asked_about_a_peer_that_lives(world: World) -> None:
    in_the_world(world, 1, lambda pid: ME)
    assert world.asked == []


# What cannot be watched


@pytest.mark.parametrize(("most", "held"), [(3, 3), (100, 5)])
def test_no_more_sockets_are_held_than_so_many(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int, held: int
) -> None:
    monkeypatch.setattr(unix_peers, "MOST_WAITING", most)
    peers = world.peers(1 << 30)
    before = descriptors()
    for _ in range(5):
        world.watched(peers)
    assert descriptors() - before == held
    assert world.reached == [ATTEMPT] * (5 - held), "nobody knows what became of the others"


def test_a_socket_that_we_have_no_room_for_is_not_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(pidfd: int, descriptor: int) -> int:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(unix_peers, "pidfd_getfd", exhausted)
    with pytest.raises(OSError, match="none left"):
        world.watched(world.peers(ME))


def test_a_descriptor_that_is_not_there_is_passed_over(world: World) -> None:
    peers = world.peers(ME)
    peers.watch(world.pidfd, 1 << 20, TID, ATTEMPT)
    peers.done(TID)
    assert world.reached == []


def test_a_descriptor_that_is_no_socket_is_let_go_at_once(world: World) -> None:
    peers = world.peers(ME)
    with Path("/dev/null").open("rb") as file:
        before = descriptors()
        for _ in range(10):
            peers.watch(world.pidfd, file.fileno(), TID, ATTEMPT)
        assert descriptors() == before
