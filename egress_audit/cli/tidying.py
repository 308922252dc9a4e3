"""What is put in order however a run ends: its temporary folder, and the terminal's settings."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType


@contextmanager
def place_for(bundle: str | None, name: str) -> Iterator[str]:
    """Where the evidence goes: the folder asked for, or one that is gone afterwards."""
    if bundle is not None:
        yield str(Path(bundle).absolute())
        return
    with TemporaryDirectory(prefix="egress-audit-", ignore_cleanup_errors=True) as folder:
        # The report names the evidence by its folder, and a person knows the program's name.
        last = Path(name).name
        yield str(Path(folder, last if last not in ("", "..") else "run"))


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
