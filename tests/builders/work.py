"""Work counted in steps of Python, so that no test of what something costs asks a clock."""

import sys
from collections.abc import Callable
from types import FrameType


def steps_of(action: Callable[[], object]) -> int:
    """Lines that an action runs, a line in a loop each time round; the same on every machine.

    What numpy, `re` and the like do within a call is one step.
    """
    steps = 0

    def count(_frame: FrameType, event: str, _argument: object) -> object:
        nonlocal steps
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)  # type: ignore[arg-type]
    try:
        action()
    finally:
        sys.settrace(before)
    return steps
