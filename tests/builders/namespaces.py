"""A function run in a forked child, as another user and in namespaces of its own.

What the child does to mounts, links and its user is gone when it ends. Tests that use sockets in
there are marked `opens_sockets`; the network they see is their own.
"""

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TypeVar

from egress_audit.record import syscalls

NOBODY = 65534
SECONDS = 60
"""After these a child that hangs is ended."""

Result = TypeVar("Result")


class ChildFailed(AssertionError):
    """The child ended without an answer, or with an error that cannot be pickled."""


class _Answer:
    """Ends the child: tells `value`, or the error with which the block was left."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.value: object = None

    def __enter__(self) -> "_Answer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> NoReturn:
        told = "".join(traceback.format_exception(error)) if error else ""
        try:
            answer = pickle.dumps((self.value, error, told))
            pickle.loads(answer)
        except (pickle.PicklingError, TypeError, AttributeError) as unpicklable:
            answer = pickle.dumps((None, None, f"{told}{unpicklable}"))
        with os.fdopen(self._pipe, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)


def in_child(
    function: Callable[[], Result], *, as_nobody: bool = False, namespaces: int = 0
) -> Result:
    """What `function` returns in a forked child; raises what it raises there.

    `namespaces`: CLONE_NEW… flags. An ordinary user gets a user namespace with them, in which its
    uid is itself. `as_nobody` changes nothing for a test that is run by an ordinary user.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        signal.alarm(SECONDS)
        with _Answer(writing) as answer:
            if as_nobody and os.geteuid() == 0:
                become_nobody()
            if namespaces:
                enter(namespaces)
            answer.value = function()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if not said:
        raise ChildFailed(f"the child ended with wait status {status:#x}")
    value, error, told = pickle.loads(said)
    if error is not None:
        error.add_note(told)
        raise error
    if told:
        raise ChildFailed(told)
    return value  # type: ignore[no-any-return]


def become_nobody() -> None:
    """Makes root an ordinary user, as `setpriv` would."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


def enter(namespaces: int) -> None:
    """Moves this process into new namespaces; mounts stay out of the host's sight."""
    uid, gid = os.geteuid(), os.getegid()
    if uid:
        namespaces |= syscalls.CLONE_NEWUSER
    syscalls.unshare(namespaces)
    if namespaces & syscalls.CLONE_NEWUSER:
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="utf-8")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="utf-8")
    if namespaces & syscalls.CLONE_NEWNS:
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)


def mounts_of_the_host() -> str:
    """The mount table of this process, to compare before and after."""
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def links_of_the_host() -> list[str]:
    """The network links of this process, to compare before and after."""
    lines = Path("/proc/self/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    return sorted(line.partition(":")[0].strip() for line in lines)
