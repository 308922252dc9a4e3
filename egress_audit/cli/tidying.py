"""What is put in order however a run ends: its temporary folder, and the terminal's settings."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import FrameType
from typing import NoReturn

from egress_audit.errors import EgressAuditError


@contextmanager
def place_for(bundle: str | None, name: str) -> Iterator[str]:
    """Where the evidence goes: the folder asked for, or one that is gone afterwards."""
    if bundle is not None:
        yield str(Path(bundle).absolute())
        return
    with _folder_that_goes() as folder:
        # The report names the evidence by its folder, and a person knows the program's name.
        last = Path(name).name
        yield str(Path(folder, last if last not in ("", "..") else "run"))


@contextmanager
def _folder_that_goes() -> Iterator[str]:
    """A temporary folder that is gone afterwards, even if we are killed.

    Another process makes it and removes it: when it is told to, or there is nobody left to tell it.
    """
    read_path, path_told = os.pipe()
    read_end, end_told = os.pipe()
    tidier = os.fork()
    if tidier == 0:
        os.close(end_told)
        _tidy(path_told, read_end)
    os.close(path_told)
    os.close(read_end)
    try:
        with os.fdopen(read_path, "rb") as stream:
            folder = os.fsdecode(stream.read())
        if not folder:
            what = "no temporary folder can be made for the evidence"
            raise EgressAuditError(what, hint="name a folder for it with --bundle, or set TMPDIR")
        yield folder
    finally:
        # Not by closing it alone, since processes that we left behind may have it open too.
        with suppress(BrokenPipeError):
            os.write(end_told, b".")
        os.close(end_told)
        os.waitpid(tidier, 0)


def _tidy(tell_path: int, wait_for: int) -> NoReturn:
    """In a process of its own: makes the folder, and removes it in the end."""
    try:
        os.setsid()  # What the terminal sends is for the others.
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)  # Who reads our output waits for nobody else's end.
        folder = mkdtemp(prefix="egress-audit-")
        with suppress(BrokenPipeError):
            os.write(tell_path, os.fsencode(folder))
        os.close(tell_path)
        os.read(wait_for, 1)
        rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


@contextmanager
def ended_tidily() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end us by the way on which everything is tidied up."""
    owner = os.getpid()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def settings_kept() -> Iterator[None]:
    """Gives standard input, if it is a terminal, the settings back that it had."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield
        return
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        yield
    finally:
        # The program may have left the terminal to another job, and we would be stopped.
        told = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTTOU, told)
