"""A function over many inputs in several processes; results in the order of the inputs.

Processes are started anew rather than forked, so that it is the same on every system. The function
and its inputs travel to them: both must be of a module, and can be pickled.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from egress_audit.errors import EgressAuditError, ExitCode

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_UNASKED = 4
"""Processes that are started without being asked for."""
SECONDS_EACH = 1.0
"""Work that makes one more process worth its start, which takes 0.4 s of its own."""
IDLE_S = 0.2
"""Between two calls of `idle`."""
AUDIT_S = 0.005
"""Of the smallest capture."""
BYTE_S = 1e-8
"""Of each byte of a capture."""


def usual_jobs(sizes: Sequence[int]) -> int:
    """How many processes are worth their start for captures of so many bytes."""
    work = len(sizes) * AUDIT_S + sum(sizes) * BYTE_S
    return max(1, min(MOST_UNASKED, processors(), len(sizes), int(work / SECONDS_EACH)))


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    jobs: int,
    *,
    begin: Callable[..., None],
    given: tuple[object, ...],
    idle: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """What the function makes of each task. `begin` is called once in each process with `given`,
    `idle` now and then while this one waits for others.

    Raises EgressAuditError if a process was killed, and whatever the function raises.
    """
    if jobs <= 1:
        begin(*given)
        yield from map(function, tasks)
        return
    # 30 ms that one process does not need.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(begin, given))
    at_work = True
    try:
        with _not_interrupted():
            waiting = [pool.submit(function, task) for task in tasks]
        waiting.reverse()
        while waiting:
            while not wait(waiting[-1:], IDLE_S).done:
                idle()
            yield waiting.pop().result()
        at_work = False
    except BrokenProcessPool as error:
        what = "a process that judged a capture was killed, perhaps for want of memory"
        raise EgressAuditError(what, hint="try again with --jobs 1") from error
    finally:
        # Those of a pool that was left early, or that could not all be started.
        if at_work:
            for process in multiprocessing.active_children():
                process.terminate()
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[..., None], given: tuple[object, ...]) -> None:
    """The first thing in each process: Ctrl-C ends it without a word, and so does the end of the
    process that waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_whom_waits, daemon=True).start()
    begin(*given)


def _end_with_whom_waits() -> None:
    """Whoever is killed tells its processes nothing: they would wait for work for ever, since each
    of them holds the pipe open through which it comes."""
    import multiprocessing

    waits = multiprocessing.parent_process()
    if waits is not None:
        waits.join()
        os._exit(ExitCode.NO_AUDIT)


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """Processes started in here ignore Ctrl-C until they can end without a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
