"""Work in several processes comes back as if one had done it."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from egress_audit.cli.workers import MOST_UNASKED, in_order, processors, usual_jobs
from egress_audit.errors import EgressAuditError

_given: list[int] = []


def begin(offset: int) -> None:
    _given[:] = [offset]


def slow_first(task: int) -> tuple[int, int]:
    if task == 0:
        time.sleep(0.3)
    return task, _given[0]


def killed(task: int) -> int:
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def refusing(task: int) -> int:
    raise EgressAuditError(f"no {task}")


def long(task: str) -> None:
    Path(task).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(60)


@pytest.fixture
def workers_of_one_that_is_killed(tmp_path: Path) -> Iterator[list[int]]:
    notes = [tmp_path / "1", tmp_path / "2"]
    words = f"list(in_order(long, {[*map(str, notes)]}, 2, begin=begin, given=(7,)))"
    script = f"from tests.cli.test_workers import *\nif __name__ == '__main__':\n    {words}\n"
    file = tmp_path / "waits.py"
    file.write_text(script, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    waits = subprocess.Popen([sys.executable, str(file)], env=environment)
    _until(lambda: all(note.exists() and note.read_text(encoding="ascii") for note in notes))
    workers = [int(note.read_text(encoding="ascii")) for note in notes]
    waits.kill()
    waits.wait()
    yield workers
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def _until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def _is_at_work(pid: int) -> bool:
    """False for one that has ended, also where nobody has asked how."""
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_process_goes_on_for_one_that_was_killed(
    workers_of_one_that_is_killed: list[int],
) -> None:
    _until(lambda: not any(map(_is_at_work, workers_of_one_that_is_killed)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_tasks(jobs: int) -> None:
    done = list(in_order(slow_first, range(5), jobs, begin=begin, given=(7,)))
    assert done == [(task, 7) for task in range(5)]


def test_who_waits_is_told_that_nothing_is_ready_yet() -> None:
    told: list[int] = []
    done = in_order(slow_first, range(2), 2, begin=begin, given=(7,), idle=lambda: told.append(1))
    assert len(list(done)) == 2
    assert told


def test_a_process_that_is_killed_is_no_hang_and_no_crash() -> None:
    with pytest.raises(EgressAuditError, match="killed"):
        list(in_order(killed, range(4), 2, begin=begin, given=(7,)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_arrives(jobs: int) -> None:
    with pytest.raises(EgressAuditError, match="no 0"):
        list(in_order(refusing, range(3), jobs, begin=begin, given=(7,)))


def test_who_leaves_early_leaves_no_process_behind() -> None:
    results = in_order(slow_first, range(50), 2, begin=begin, given=(7,))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_little_work_is_not_worth_a_process() -> None:
    assert usual_jobs([1000] * 20) == 1


def test_much_work_takes_what_there_is_up_to_a_bound() -> None:
    assert usual_jobs([1 << 30] * 50) == min(MOST_UNASKED, processors())
    assert usual_jobs([1 << 40]) == 1
