"""What Ctrl-C means while a live stream is read: the first one ends the stream, not the audit.

So do the other signals by which a program is told to end: of a service manager, of a terminal that
is closed.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egress_audit.api import Ending

STDERR = 2
ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
TOLD = b"\negress-audit: ended; judging what was read (Ctrl-C again to stop)\n"


@contextmanager
def interruptible(path: str) -> Iterator["Ending | None"]:
    """What ends the reading of standard input, told by the first SIGINT, SIGTERM or SIGHUP while
    the context lasts.

    A second one does what it usually does; one that was ignored before (`nohup`) still is. None,
    and nothing is changed, for any other input.
    """
    if path != "-":
        yield None
        return
    from egress_audit.api import Ending

    ending = Ending()
    before = {number: signal.getsignal(number) for number in ENDING}
    ours = [number for number in ENDING if before[number] is not signal.SIG_IGN]

    def end(number: int, frame: FrameType | None) -> None:
        as_before()
        ending.tell()
        # Not through `sys.stderr`, which the interrupted code may be writing to.
        with suppress(OSError):
            os.write(STDERR, TOLD)

    def as_before() -> None:
        for number in ours:
            signal.signal(number, before[number])

    for number in ours:
        signal.signal(number, end)
    try:
        yield ending
    finally:
        as_before()
        ending.close()
