"""Which process a thread belongs to, whose child it is, and when it is another one."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role
from egress_audit.record import syscalls
from egress_audit.record.processes import MOST_TASKS, Processes, start_time_of
from tests.builders.namespaces import in_child

SLEEP = os.path.realpath(shutil.which("sleep") or "/bin/sleep")
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
NOW_NS = 1_795_255_923_512_000_000
PATIENCE_S = 10


class Met:
    """Processes, and those that became known, in order."""

    def __init__(self) -> None:
        self.new: list[Process] = []
        self.processes = Processes(self.new.append, lambda: NOW_NS)


@pytest.fixture
def met() -> Iterator[Met]:
    made = Met()
    yield made
    made.processes.close()


@contextmanager
def sleeping(*words: str) -> Iterator[int]:
    """The pid of a program that runs until the block is left."""
    with subprocess.Popen([SLEEP, "60", *words]) as made:
        # Its arguments are there last of all.
        becomes(lambda: b"sleep" in Path(f"/proc/{made.pid}/cmdline").read_bytes())
        try:
            yield made.pid
        finally:
            made.kill()


def becomes(claim: Callable[[], bool]) -> None:
    """Waits until a claim is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def paused() -> int:
    """The pid of a forked child that waits for a signal."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    return pid


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@contextmanager
def another_thread() -> Iterator[int]:
    """The number of a thread of this process that lives until the block is left."""
    told: Queue[int] = Queue()
    done = threading.Event()

    def thread() -> None:
        told.put(threading.get_native_id())
        done.wait(PATIENCE_S)

    worker = threading.Thread(target=thread)
    worker.start()
    try:
        yield told.get(timeout=PATIENCE_S)
    finally:
        done.set()
        worker.join()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# What is known of a process


def test_a_process_is_described_as_the_kernel_has_it(met: Met) -> None:
    with sleeping("60") as pid:
        process = met.processes.task(pid).process
    assert (process.id, process.pid, process.exe) == (1, pid, SLEEP)
    assert process.cmdline == f"{SLEEP} 60 60"
    assert (process.first_ns, process.exe_sha256) == (NOW_NS, Absent.NOT_FOUND)
    assert met.new == [process]


def test_the_start_time_is_that_of_the_kernel(met: Met) -> None:
    with sleeping() as pid:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        assert met.processes.task(pid).process.start_time == int(stat.split()[21])


def test_a_name_with_parentheses_and_blanks_does_not_shift_the_fields(
    met: Met, tmp_path: Path
) -> None:
    program = tmp_path / "a ) 1 2 (b"
    shutil.copy(SLEEP, program)
    with subprocess.Popen([program, "60"]) as made:
        becomes(lambda: os.path.realpath(f"/proc/{made.pid}/exe") == str(program))
        process = met.processes.task(made.pid).process
        fields = Path(f"/proc/{made.pid}/stat").read_text(encoding="utf-8")[-400:]
        made.kill()
    assert process.exe == str(program)
    assert process.start_time == int(fields.rpartition(")")[2].split()[19])


def test_a_secret_in_the_arguments_is_masked(met: Met) -> None:
    program = [sys.executable, "-c", "import time; time.sleep(60)", "--token=hunter2hunter2"]
    with subprocess.Popen(program) as made:
        becomes(lambda: b"--token" in Path(f"/proc/{made.pid}/cmdline").read_bytes())
        process = met.processes.task(made.pid).process
        made.kill()
    assert "--token" in str(process.cmdline)
    assert "hunter2" not in str(process.cmdline)


def test_arguments_past_the_bound_are_said_to_be_cut(met: Met) -> None:
    program = [sys.executable, "-c", "import time; time.sleep(60)", *["--an-option"] * 500]
    with subprocess.Popen(program) as made:
        becomes(lambda: b"--an" in Path(f"/proc/{made.pid}/cmdline").read_bytes())
        process = met.processes.task(made.pid).process
        made.kill()
    assert str(process.cmdline).endswith(" …")


def test_a_process_met_twice_is_one(met: Met) -> None:
    with sleeping() as pid:
        first = met.processes.task(pid).process
        assert met.processes.task(pid).process is first
    assert len(met.new) == 1


def test_a_thread_belongs_to_its_process(met: Met) -> None:
    with another_thread() as tid:
        of_thread, of_process = met.processes.task(tid), met.processes.task(os.getpid())
    assert tid != os.getpid()
    assert of_thread.process is of_process.process
    assert len(met.new) == 1


def test_a_thread_that_ended_does_not_end_its_process(met: Met) -> None:
    with another_thread() as tid:
        met.processes.task(tid)
    becomes(lambda: not Path(f"/proc/self/task/{tid}").exists())
    met.processes.sweep()
    assert met.processes.gone == set()


# Becoming another program


def test_after_an_exec_a_process_has_a_new_identity(met: Met) -> None:
    script = f"read line; exec {SLEEP} 60"
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE) as made:
        before = met.processes.task(made.pid)
        first = before.process
        met.processes.executed(before)
        assert made.stdin is not None
        made.stdin.write(b"go\n")
        made.stdin.flush()
        becomes(lambda: os.path.realpath(f"/proc/{made.pid}/exe") == SLEEP)
        second = met.processes.task(made.pid).process
        made.kill()
    assert (first.id, second.id) == (1, 2)
    assert (first.pid, first.start_time) == (second.pid, second.start_time)
    assert second.exe == SLEEP
    assert second.role is first.role


def test_an_exec_that_failed_makes_no_new_identity(met: Met) -> None:
    with sleeping() as pid:
        task = met.processes.task(pid)
        met.processes.executed(task)
        met.processes.task(pid)
    assert len(met.new) == 1


# Ends


def test_a_process_that_ended_is_gone_after_a_sweep(met: Met) -> None:
    pid = paused()
    process = met.processes.task(pid).process
    met.processes.sweep()
    assert met.processes.gone == set()
    end(pid)
    met.processes.sweep()
    assert met.processes.gone == {process.id}


def test_a_process_that_is_gone_cannot_be_met(met: Met) -> None:
    pid = paused()
    end(pid)
    before = descriptors()
    for _ in range(5):
        with pytest.raises(OSError, match=str(pid)):
            met.processes.task(pid)
    assert descriptors() == before


def test_a_process_that_was_known_and_is_gone_cannot_be_met(met: Met) -> None:
    pid = paused()
    met.processes.task(pid)
    end(pid)
    with pytest.raises(OSError, match=str(pid)):
        met.processes.task(pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may choose a pid")
def test_a_pid_that_is_used_again_is_another_process_in_no_role(met: Met) -> None:
    pid = paused()
    met.processes.declare(pid, Role.PROBE)
    first = met.processes.task(pid).process
    end(pid)
    time.sleep(0.03)  # Another tick of the clock that start times are in.
    LAST_PID.write_text(str(pid - 1), encoding="utf-8")
    again = paused()
    second = met.processes.task(again).process
    end(again)
    if again != pid:
        pytest.skip("somebody else took the pid")
    assert (first.role, second.role) == (Role.PROBE, Role.TARGET)
    assert first.id != second.id


def test_descriptors_are_kept_of_so_many_tasks_and_no_more(met: Met) -> None:
    pids = [paused() for _ in range(MOST_TASKS + 5)]
    before = descriptors()
    for pid in pids:
        met.processes.task(pid)
    assert descriptors() == before + 2 * MOST_TASKS
    assert met.processes.task(pids[0]).process.id == 1
    met.processes.close()
    assert descriptors() == before
    for pid in pids:
        end(pid)


# Roles


def test_a_process_that_nobody_declared_is_the_program_s(met: Met) -> None:
    with sleeping() as pid:
        assert met.processes.task(pid).process.role is Role.TARGET


def family(role: Role, then: Callable[[Processes, int, int], tuple[Role, ...]]) -> tuple[Role, ...]:
    """What `then` returns of a process in that role and its child, below a first process of ours.

    Orphans become children of the first process, as in a pid namespace.
    """

    def init() -> tuple[Role, ...]:
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
        reading, writing = os.pipe()
        parent = os.fork()
        if parent == 0:
            os.write(writing, str(paused()).encode())
            signal.pause()
        child = int(os.read(reading, 16))
        processes = Processes(lambda process: None, lambda: NOW_NS)
        processes.declare(os.getpid(), Role.RECORDER)
        processes.declare(parent, role)
        try:
            return then(processes, parent, child)
        finally:
            for pid in (parent, child):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    return in_child(init)


@pytest.mark.parametrize("role", [Role.EXERCISER, Role.PROBE, Role.TARGET])
def test_a_child_inherits_the_role_of_its_parent(role: Role) -> None:
    def roles(processes: Processes, parent: int, child: int) -> tuple[Role, ...]:
        first = processes.task(child).process
        return first.role, processes.task(parent).process.role

    assert family(role, roles) == (role, role)


def test_a_child_knows_its_parent() -> None:
    def told(processes: Processes, parent: int, child: int) -> tuple[Role, ...]:
        mother = processes.task(parent).process
        assert processes.task(child).process.parent == mother.id
        return ()

    assert family(Role.TARGET, told) == ()


@pytest.mark.parametrize("role", [Role.EXERCISER, Role.TARGET])
def test_a_daemon_that_was_never_seen_below_its_parent_counts_as_the_program_s(role: Role) -> None:
    def daemon(processes: Processes, parent: int, child: int) -> tuple[Role, ...]:
        end(parent)
        becomes(lambda: Path(f"/proc/{child}/stat").read_text().split()[3] == str(os.getpid()))
        return (processes.task(child).process.role,)

    assert family(role, daemon) == (Role.TARGET,)


def test_a_daemon_that_was_seen_below_its_parent_keeps_its_role() -> None:
    def daemon(processes: Processes, parent: int, child: int) -> tuple[Role, ...]:
        before = processes.task(child).process.role
        end(parent)
        processes.executed(processes.task(child))
        return before, processes.task(child).process.role

    assert family(Role.EXERCISER, daemon) == (Role.EXERCISER, Role.EXERCISER)


def test_the_first_process_itself_is_the_recorder_s(met: Met) -> None:
    met.processes.declare(os.getpid(), Role.RECORDER)
    assert met.processes.task(os.getpid()).process.role is Role.RECORDER


def test_the_first_process_in_a_role_is_known_by_its_latest_identity(met: Met) -> None:
    with sleeping() as pid, sleeping() as other:
        met.processes.declare(pid, Role.TARGET)
        met.processes.task(pid)
        met.processes.task(other)
        assert met.processes.first(Role.TARGET) == 1


def test_nobody_is_first_in_a_role_that_was_not_declared(met: Met) -> None:
    with sleeping() as pid:
        met.processes.task(pid)
        assert met.processes.first(Role.TARGET) is None


def test_a_process_that_is_gone_cannot_be_declared(met: Met) -> None:
    pid = paused()
    end(pid)
    met.processes.declare(pid, Role.PROBE)
    assert met.processes.first(Role.PROBE) is None


def test_a_process_has_the_start_time_that_it_is_known_by(met: Met) -> None:
    assert start_time_of(os.getpid()) == met.processes.task(os.getpid()).process.start_time
