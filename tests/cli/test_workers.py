"""Work in several processes comes back as if one had done it."""

import multiprocessing
import os
import signal
import time

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
