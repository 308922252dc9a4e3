"""What is put in order however a run ends: its temporary folder, and the terminal's settings."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

NO_SEQUENCES = ("", "dumb", "unknown")
"""Values of TERM for which no terminal obeys ECMA-48."""
ORDINARY = (
    b"\x18\x1b\\"  # CAN, ST: end a sequence or a string that stopped in the middle.
    b"\x1b7\x1b[?1049l"  # The usual screen; off it already, the cursor stays where it is.
    b"\x1b7\x1b[r\x1b8"  # DECSTBM: all rows scroll.
    b"\x1b[0m\x1b(B\x0f"  # SGR, and ASCII as the character set.
    b"\x1b[?25h\x1b[?7h\x1b[4l"  # The cursor shows, lines wrap, nothing is pushed aside.
    b"\x1b[?1l\x1b>\x1b[?2004l"  # Keys and pasted text as they are,
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l"  # and nothing of the mouse.
)
"""What makes a terminal readable whatever a program left it in, and moves nothing.

Source: ECMA-48; xterm's control sequences (DECSET 1049, 1000 to 1006, 2004)."""


@contextmanager
def place_for(bundle: str | None) -> Iterator[str]:
    """Where the evidence goes: the folder asked for, or one that is gone afterwards."""
    if bundle is not None:
        yield str(Path(bundle).absolute())
        return
    with TemporaryDirectory(prefix="egress-audit-", ignore_cleanup_errors=True) as folder:
        yield str(Path(folder, "bundle"))


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
