"""The signals by which a run is asked to end, and which of them the user wants to be heard."""

import signal
from collections.abc import Iterable

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Of Ctrl-C, of a service manager, and of a terminal that is closed."""


def heeded(numbers: Iterable[signal.Signals]) -> list[signal.Signals]:
    """Those of the signals that are not ignored, as `nohup` has it for what it starts."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
