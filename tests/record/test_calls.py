"""What the recorder does with each waiting call: the caller is this process itself."""

import errno
import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from egress_audit.model.run import Role
from egress_audit.record import senders
from egress_audit.record.attempts import UNKNOWN_CALLER
from egress_audit.record.filter import KEYS
from egress_audit.record.notifications import FOREIGN_ABI
from egress_audit.record.packet_ends import ends_of
from egress_audit.record.syscalls import CAP_NET_RAW, CLONE_NEWPID
from tests.builders import packets as p
from tests.builders.call_world import DONE, LET_GO, PID, World
from tests.builders.memory import placed
from tests.builders.namespaces import enter

pytestmark = pytest.mark.opens_sockets

INET, INET6, VSOCK, PACKET, NETLINK, ALG = 2, 10, 40, 17, 16, 38
STREAM, DGRAM, RAW = 1, 2, 3
FAR = struct.pack("=H", INET) + (443).to_bytes(2, "big") + bytes([203, 0, 113, 9]) + bytes(8)
FAR_WORDS = ("connect", "AF_INET", "203.0.113.9", 443)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


@contextmanager
def paused_in_pid_namespace() -> Iterator[int]:
    """Pid of a process that is the first of a PID namespace, as ours numbers it."""
    reading, writing = os.pipe()
    above = os.fork()
    if above == 0:
        enter(CLONE_NEWPID)
        first = os.fork()
        if first == 0:
            signal.pause()
        os.write(writing, str(first).encode())
        os.waitpid(first, 0)
        os._exit(0)
    first = int(os.read(reading, 20))
    try:
        yield first
    finally:
        os.kill(first, signal.SIGKILL)
        os.waitpid(above, 0)
        os.close(reading)
        os.close(writing)


# What wants out


def test_a_connect_is_noted_and_let_go(world: World) -> None:
    with socket.socket() as made:
        assert world.call("connect", made.fileno(), placed(FAR), 16) == LET_GO
    assert world.wanted() == [FAR_WORDS]
    assert (world.attempts[0]["type"], world.attempts[0]["denied"]) == ("stream", None)


def test_a_datagram_is_noted_as_one(world: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        assert world.call("sendto", made.fileno(), 0, 0, 0, placed(FAR), 16) == LET_GO
    assert world.wanted() == [("sendto", *FAR_WORDS[1:])]
    assert world.attempts[0]["type"] == "dgram"


@pytest.mark.parametrize("length", [2, 3, 7])
def test_an_address_that_is_cut_short_is_noted_and_leads_nowhere(world: World, length: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        for _ in range(2):  # What the first named is settled at the second.
            assert world.call("connect", made.fileno(), placed(FAR), length) == LET_GO
    assert world.wanted()[0][2] == FAR[2:length].hex()


def test_every_message_of_many_is_an_attempt(world: World) -> None:
    other = FAR[:7] + b"\x0a" + FAR[8:]
    many = b"".join(struct.pack("=QI52x", placed(raw), 16) for raw in (FAR, other))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        world.call("sendmmsg", made.fileno(), placed(many), 2)
    assert [words[2] for words in world.wanted()] == ["203.0.113.9", "203.0.113.10"]


def test_what_is_on_the_wire_is_read_before_a_socket_is_joined(world: World) -> None:
    with socket.socket() as made:
        world.call("connect", made.fileno(), placed(FAR), 16)
    assert world.drained == 1


def test_a_socket_that_is_bound_is_joined_to_its_process(world: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        world.call("connect", made.fileno(), placed(FAR), 16)
        packet = p.ipv4("127.0.0.1", "203.0.113.9", p.udp(made.getsockname()[1], 443), p.UDP)
    ends = ends_of(packet)
    assert ends is not None
    sender = world.senders.sender(ends, packet)
    assert sender is not None
    assert sender.process.pid == PID


def test_a_listen_is_joined_and_is_no_attempt(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        assert world.call("listen", made.fileno(), 5) == LET_GO
        packet = p.ipv4("127.0.0.1", "127.0.0.2", p.tcp(made.getsockname()[1], 9), p.TCP)
    ends = ends_of(packet)
    assert ends is not None
    assert world.senders.sender(ends, packet) is not None
    assert world.attempts == []


def test_dissolving_an_association_wants_nowhere(world: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        assert world.call("connect", made.fileno(), placed(bytes(16)), 16) == LET_GO
    assert world.attempts == []


@pytest.mark.parametrize("family", [NETLINK, ALG])
def test_asking_the_kernel_wants_nowhere(world: World, family: int) -> None:
    raw = struct.pack("=H", family) + bytes(10)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as made:
        assert world.call("connect", made.fileno(), placed(raw), 12) == LET_GO
    assert world.attempts == []


def test_a_call_on_no_socket_is_noted_and_left_to_the_kernel(world: World, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as made:
        assert world.call("connect", made.fileno(), placed(FAR), 16) == LET_GO
    assert world.wanted() == [FAR_WORDS]


def test_an_address_that_cannot_be_read_is_refused_and_told(world: World) -> None:
    with socket.socket() as made:
        assert world.call("connect", made.fileno(), 8, 16) == errno.EFAULT
    assert world.wanted() == [("connect", "", None, None)]
    assert world.attempts[0]["denied"] == "EFAULT"


@pytest.mark.parametrize(
    ("code", "answer"),
    [(errno.EMFILE, errno.EFAULT), (errno.EPERM, errno.EFAULT), (errno.EBADF, LET_GO)],
)
def test_a_socket_that_cannot_be_had_is_refused_unless_there_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int, answer: int
) -> None:
    def refuses(pidfd: int, descriptor: int) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(senders, "pidfd_getfd", refuses)
    with socket.socket() as made:
        assert world.call("connect", made.fileno(), placed(FAR), 16) == answer
    assert [attempt["denied"] for attempt in world.attempts] == ["EFAULT" if answer else None]


def test_a_caller_that_cannot_be_looked_at_is_refused_as_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(tid: int) -> None:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(world.processes, "task", exhausted)
    assert world.call("connect", 3, placed(FAR), 16) == errno.EFAULT
    assert [attempt["process"] for attempt in world.attempts] == [UNKNOWN_CALLER]


def test_a_call_of_a_foreign_abi_does_not_exist_and_is_told(world: World) -> None:
    assert world.call(FOREIGN_ABI, 1, 2, 3) == errno.ENOSYS
    assert world.wanted() == [("socket", "foreign ABI", None, None)]


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_the_kernel_are_refused_and_told(world: World, name: str) -> None:
    assert world.call(name, 1, 2, 3) == errno.EPERM
    assert (world.attempts[0]["call"], world.attempts[0]["denied"]) == (name, "EPERM")


def test_a_signal_to_the_recorders_own_group_is_sent_by_us_below_init_alone(world: World) -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    assert world.call("kill", 0, signal.SIGTERM) == DONE
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM
    assert world.attempts == []


def test_a_signal_that_there_is_not_is_refused_as_by_the_kernel(world: World) -> None:
    assert world.call("kill", 0, 4711) == errno.EINVAL


def test_a_signal_to_another_group_is_let_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpgrp", lambda: 1 << 30)
    assert world.call("kill", 0, 15) == LET_GO
    assert world.attempts == []


def test_a_signal_to_everybody_reaches_the_tree_alone(world: World) -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    assert world.call("kill", -1, signal.SIGTERM) == DONE
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM
    assert world.attempts == []


def test_a_signal_to_everybody_of_a_pid_namespace_is_let_go(world: World) -> None:
    with paused_in_pid_namespace() as pid:
        assert world.call("kill", -1, signal.SIGTERM, tid=pid) == LET_GO


def test_a_process_that_was_killed_has_attempted_nothing(world: World) -> None:
    world.listener.killed = True
    with socket.socket() as made:
        world.call("connect", made.fileno(), placed(FAR), 16)
    assert world.attempts == []


def test_a_task_that_is_gone_is_let_go(world: World) -> None:
    assert world.call("connect", 0, placed(FAR), 16, tid=(1 << 22) + 1) == LET_GO


def test_nothing_that_waits_is_nothing_handled(world: World) -> None:
    world.calls.handle()
    assert (world.calls.handled, world.listener.answers) == (0, [])


def test_where_a_probe_went_is_remembered_and_where_the_program_went_is_not() -> None:
    probed = {}
    for role in (Role.PROBE, Role.TARGET):
        made = World(role=role)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            made.call("sendto", sender.fileno(), 0, 0, 0, placed(FAR), 16)
        made.senders.close()
        made.processes.close()
        probed[role] = made.calls.probed
    assert probed == {Role.PROBE: {"203.0.113.9 443"}, Role.TARGET: set()}


def test_a_packet_that_went_elsewhere_is_an_attempt_of_its_own(world: World) -> None:
    process = world.processes.task(PID).process
    ends = ends_of(p.ipv6("fd00::2", "2001:db8::9", p.tcp(40_000, 443), p.TCP))
    assert ends is not None
    world.calls.mismatch(process, ends)
    assert world.wanted() == [("connect", "AF_INET6", "2001:db8::9", 443)]
    assert world.outcomes == [(0, "time-of-check")]


def test_a_packet_that_went_elsewhere_over_ipv4_has_its_address(world: World) -> None:
    ends = ends_of(p.ipv4("10.0.0.1", "203.0.113.9", p.udp(40_000, 443), p.UDP))
    assert ends is not None
    world.calls.mismatch(world.processes.task(PID).process, ends)
    assert world.wanted() == [FAR_WORDS]


# Sockets that are refused


@pytest.mark.parametrize("family", [VSOCK, 31, 44, 77])
def test_a_family_that_leads_out_some_other_way_is_refused(world: World, family: int) -> None:
    assert world.call("socket", family, STREAM) == errno.EAFNOSUPPORT
    assert world.attempts[0]["denied"] == "EAFNOSUPPORT"


@pytest.mark.parametrize(("family", "kind"), [(INET, RAW), (INET6, RAW), (PACKET, DGRAM)])
def test_a_raw_socket_is_refused_as_to_any_ordinary_user(
    world: World, family: int, kind: int
) -> None:
    assert world.call("socket", family, kind | os.O_NONBLOCK) == errno.EPERM
    assert world.attempts[0]["denied"] == "EPERM"


@pytest.mark.parametrize(("family", "kind"), [(INET, RAW), (PACKET, DGRAM)])
def test_a_raw_socket_is_let_go_where_the_program_keeps_the_capability(
    family: int, kind: int
) -> None:
    made = World(keep=1 << CAP_NET_RAW)
    assert made.call("socket", family, kind) == LET_GO
    assert made.attempts == []
    made.processes.close()


def test_another_family_is_refused_even_with_the_capability() -> None:
    made = World(keep=1 << CAP_NET_RAW)
    assert made.call("socket", VSOCK, RAW) == errno.EAFNOSUPPORT
    made.processes.close()


def test_a_second_listener_is_refused(world: World) -> None:
    assert world.call("seccomp", 1, 8) == errno.EBUSY
    assert world.attempts[0]["denied"] == "EBUSY"


def test_who_joins_a_group_is_answerable_for_its_reports(world: World) -> None:
    assert world.call("setsockopt", 3, 0, 35) == LET_GO
    report = p.ipv4("10.87.0.2", "224.0.0.22", bytes(16), 2)
    ends = ends_of(report)
    assert ends is not None
    assert world.senders.sender(ends, report) is not None
    assert world.attempts == []


def test_a_group_that_is_joined_is_told(world: World) -> None:
    member = socket.inet_aton("239.7.7.7") + socket.inet_aton("10.87.0.2")
    assert world.call("setsockopt", 3, 0, 35, placed(member), len(member)) == LET_GO
    assert world.wanted() == [("setsockopt", "AF_INET", "239.7.7.7", None)]


# io_uring


@pytest.mark.parametrize("name", ["io_uring_setup", "io_uring_enter", "io_uring_register"])
def test_io_uring_is_refused_as_if_the_kernel_had_none(world: World, name: str) -> None:
    assert world.call(name, 8) == errno.ENOSYS
    assert world.attempts[0]["denied"] == "ENOSYS"
    assert world.outcomes == []


def test_who_goes_on_without_io_uring_fell_back(world: World) -> None:
    world.call("io_uring_setup", 8)
    with socket.socket() as made:
        world.call("connect", made.fileno(), placed(FAR), 16)
    assert world.outcomes == [(0, "fell-back")]


def test_asking_for_io_uring_again_is_no_falling_back(world: World) -> None:
    world.call("io_uring_setup", 8)
    world.call("io_uring_register", 8)
    assert world.outcomes == []
