"""In which phase of a run each flow began."""

from collections.abc import Sequence

import numpy as np

from egress_audit.columns import I32, I64
from egress_audit.model.destination import Absent
from egress_audit.model.run import Phase


def phase_at(phases: Sequence[Phase], ts_ns: I64) -> tuple[I32, tuple[str | Absent, ...]]:
    """(n,) number of the phase at each time, and the words by number; the first is no phase.

    Where phases lie inside each other it is the one that began last.
    """
    words: list[str | Absent] = [Absent.NOT_FOUND]
    numbers: I32 = np.zeros(len(ts_ns), np.int32)
    for phase in sorted(phases, key=lambda phase: phase.begin_ns):
        inside = ts_ns >= phase.begin_ns
        if not isinstance(phase.end_ns, Absent):
            inside &= ts_ns < phase.end_ns
        if phase.word not in words:
            words.append(phase.word)
        numbers[inside] = words.index(phase.word)
    return numbers, tuple(words)
