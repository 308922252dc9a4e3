"""What Ctrl-C means while a live stream is read: the first one ends the stream, not the audit."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egress_audit.api import Ending

STDERR = 2
TOLD = b"\negress-audit: ended; judging what was read (Ctrl-C again to stop)\n"


@contextmanager
def interruptible(path: str) -> Iterator["Ending | None"]:
    """What ends the reading of standard input, told by the first SIGINT while the context lasts.

    A second one interrupts as usual. None, and nothing is changed, for any other input.
    """
    if path != "-":
        yield None
        return
    from egress_audit.api import Ending

    ending = Ending()
    before = signal.getsignal(signal.SIGINT)

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        ending.tell()
        # Not through `sys.stderr`, which the interrupted code may be writing to.
        with suppress(OSError):
            os.write(STDERR, TOLD)

    signal.signal(signal.SIGINT, end)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGINT, before)
        ending.close()
