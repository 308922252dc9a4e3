"""Work counted in steps of Python, so that no test of what something costs asks a clock."""

import gc
import sys
from collections.abc import Callable
from types import FrameType


def steps_of(action: Callable[[], object]) -> int:
    """Lines that an action runs, a line in a loop each time round; the same on every machine.

    What numpy, `re` and the like do within a call is one step. Other tests' objects are not taken
    apart meanwhile: that would count as steps of the action.
    """
    steps = 0

    def count(_frame: FrameType, event: str, _argument: object) -> object:
        nonlocal steps
        steps += event == "line"
        return count

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()
    sys.settrace(count)  # type: ignore[arg-type]
    try:
        action()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return steps
