"""The first process of a sandbox: bounds what runs there, reaps it, and cannot be ended by it."""

import os
import resource
import signal
import socket
from pathlib import Path
from types import FrameType

import pytest

from egress_audit.model.run import Role
from egress_audit.record import init
from tests.builders.namespaces import in_child
from tests.builders.programs import FORKS_UNTIL_REFUSED, python
from tests.builders.recorded_runs import Way, both_users, place, recorded, run_at

pytestmark = pytest.mark.opens_sockets

LIMITS = """
import resource
tell(core=resource.getrlimit(resource.RLIMIT_CORE), most=resource.getrlimit(resource.RLIMIT_NPROC))
status = Path("/proc/self/status").read_text()
tell(status=dict(line.split(":\\t") for line in status.splitlines() if ":\\t" in line))
tell(parent=os.getppid(), uid=os.getuid())
"""

ATTACKS_THE_FIRST = """
for number in sorted(signal.valid_signals() - {signal.SIGCHLD}):
    tried(os.kill, 1, number)
def memory():
    with open("/proc/1/mem", "rb") as image:
        image.read(1)
def descriptors():
    return os.listdir("/proc/1/fd")
def stolen():
    return syscall(438, os.pidfd_open(1), 3, 0)
tell(memory=tried(memory), descriptors=tried(descriptors), stolen=tried(stolen))
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
tell(trace=libc.ptrace(16, 1, None, None))
os.kill(1, 0)
tell(alive=True)
"""

LEAVES_ORPHANS = """
for _ in range(20):
    if not os.fork():
        if not os.fork():
            time.sleep(0.1)
        os._exit(0)
    os.wait()
time.sleep(0.5)
tell(left=[name for name in os.listdir("/proc") if name.isdecimal()])
"""


@both_users
def test_a_program_is_an_ordinary_user_without_any_capability(way: Way) -> None:
    told = recorded(python(LIMITS), way).told
    assert told["uid"] == (65534 if os.geteuid() == 0 else os.geteuid())
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(told["status"][name].strip(), 16) == 0
    assert told["status"]["NoNewPrivs"].strip() == "1"
    assert told["status"]["Seccomp"].strip() == "2"


THREADS_OWN = 0b11 << 31
"""Signals 32 and 33, which belong to the C library and which no program can set by it."""


def test_a_program_starts_with_the_signals_of_a_shell() -> None:
    seen = recorded(("sh", "-c", "grep SigIgn /proc/self/status > ignored"))
    ignored = int((seen.place.work / "ignored").read_text().split()[1], 16)
    assert ignored & ~THREADS_OWN == 0


def test_a_program_sees_the_first_process_as_its_parent() -> None:
    assert recorded(python(LIMITS)).told["parent"] == 1


def test_a_crash_is_piped_to_no_program_of_the_host() -> None:
    assert recorded(python(LIMITS)).told["core"] == [init.NO_CORE_PIPE] * 2


def test_a_program_that_forks_without_end_is_refused_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(init, "MOST_PROCESSES", 100)
    seen = run_at(place(), python(FORKS_UNTIL_REFUSED), observe_s=1.0)
    assert seen.told["refused"] == "EAGAIN"
    assert 50 < seen.told["children"] <= 100
    assert isinstance(seen.run.tree_ended_ns, int)
    assert all(probe.noticed for probe in seen.run.probes)


def test_a_bound_that_the_user_has_already_is_not_raised() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    told = recorded(python(LIMITS)).told["most"]
    assert told[0] == told[1]
    assert 0 < told[1] <= init.MOST_PROCESSES
    assert most == resource.RLIM_INFINITY or told[1] <= most


@both_users
def test_the_first_process_can_be_ended_traced_and_read_by_nobody_inside(way: Way) -> None:
    seen = recorded(python(ATTACKS_THE_FIRST), way)
    assert seen.told["alive"]
    assert seen.told["trace"] == -1
    for name in ("memory", "descriptors", "stolen"):
        assert seen.told[name] in ("EACCES", "EPERM")
    assert (seen.run.exit_status, seen.run.ended_by) == (0, "tree")
    assert all(probe.noticed for probe in seen.run.probes)


def test_a_signal_handler_of_the_caller_is_none_of_the_first_process() -> None:
    def fails(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the caller's own handler ran in the sandbox")

    before = signal.signal(signal.SIGUSR1, fails)
    try:
        seen = run_at(place(), python("tell(came=tried(os.kill, 1, signal.SIGUSR1))"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen.told["came"] == "done"
    assert seen.run.ended_by == "tree"
    assert seen.bundle.complete


def test_orphans_are_reaped() -> None:
    told = recorded(python(LEAVES_ORPHANS)).told["left"]
    assert len(told) == 2


def test_only_the_program_has_the_role_of_the_program() -> None:
    roles = [process.role for process in recorded(("true",)).run.processes]
    assert roles == [Role.RECORDER, Role.PROBE, Role.TARGET, Role.TARGET, Role.PROBE]


@pytest.mark.parametrize("kind", [socket.AF_INET, socket.AF_INET6])
def test_a_standard_stream_that_is_a_socket_of_a_network_is_cut_off(
    kind: socket.AddressFamily,
) -> None:
    def cut() -> tuple[list[int], bool, list[int]]:
        with socket.socket(kind, socket.SOCK_DGRAM) as leads_out:
            os.dup2(leads_out.fileno(), 0)
        before = init.network_streams()
        init.cut_off_streams()
        return (
            before,
            os.fstat(0).st_rdev == Path(os.devnull).stat().st_rdev,
            init.network_streams(),
        )

    assert in_child(cut) == ([0], True, [])


def test_a_socket_between_processes_stays_a_standard_stream() -> None:
    def looked() -> list[int]:
        ours, _ = socket.socketpair()
        os.dup2(ours.fileno(), 0)
        return init.network_streams()

    assert in_child(looked) == []
