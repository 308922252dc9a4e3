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

NO_SEQUENCES = ("", "dumb", "unknown")
"""Values of TERM for which no terminal obeys ECMA-48."""
ORDINARY = (
    b"\x18\x1b\\"  # CAN, ST: end a sequence or a string that stopped in the middle.
    b"\x1b7\x1b[?1049l"  # The usual screen; off it already, the cursor stays where it is.
    b"\x1b7\x1b[r\x1b8"  # DECSTBM: all rows scroll.
    b"\x1b[0m\x1b(B\x0f"  # SGR, and ASCII as the character set.
    b"\x1b[?5l\x1b]R\x1b\\\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\"  # The user's own colours.
    b"\x1b[?25h\x1b[?7h\x1b[4l"  # The cursor shows, lines wrap, nothing is pushed aside.
    b"\x1b[?1l\x1b>\x1b[?2004l"  # Keys and pasted text as they are,
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l"  # and nothing of the mouse.
)
"""What makes a terminal readable whatever a program left it in, and moves nothing.

Source: ECMA-48; xterm's control sequences (DECSET 1049, 1000 to 1006, 2004; OSC 104, 110, 111);
console_codes(4) for the palette of Linux's own console."""


@contextmanager
def place_for(bundle: str | None) -> Iterator[str]:
    """Where the evidence goes: the folder asked for, or one that is gone afterwards."""
    if bundle is not None:
        yield str(Path(bundle).absolute())
        return
    with _folder_that_goes() as folder:
        yield str(Path(folder, "bundle"))


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
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # So is what a service manager sends to all.
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
def terminal_kept() -> Iterator[None]:
    """Gives the terminal its settings back, and ends what the program may have left begun in it."""
    streams = [stream for stream in (sys.stdin, sys.stdout, sys.stderr) if stream is not None]
    terminals = [stream.fileno() for stream in streams if stream.isatty()]
    if not terminals:
        yield
        return
    import termios

    before = termios.tcgetattr(terminals[0])
    try:
        yield
    finally:
        # The program may have left the terminal to another job, and we would be stopped.
        told = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with suppress(termios.error):
            termios.tcsetattr(terminals[0], termios.TCSADRAIN, before)
        if os.environ.get("TERM", "") not in NO_SEQUENCES:
            with suppress(OSError):
                os.write(terminals[-1], ORDINARY)
        signal.signal(signal.SIGTTOU, told)
