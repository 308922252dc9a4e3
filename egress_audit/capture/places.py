"""Places of a file where something is damaged and reading goes on, as many as are kept."""

from collections.abc import Iterable

import numpy as np

from egress_audit.columns import I64
from egress_audit.model.evidence import Damage

MAX_PLACES = 100
"""Places kept; one more says that there are others."""
BEYOND = "further such places, not counted"

Place = tuple[int, str]
"""Offset in the file, and what is damaged there."""


class Places:
    """The first places by their offset, whatever order they were noted in: a batch of frames tells
    of its options in step, and how long it is must not decide on what is kept."""

    def __init__(self) -> None:
        self._kept: list[Place] = []
        self._beyond: int | None = None
        """Offset of the first place that is not kept."""

    def note(self, places: Iterable[Place]) -> None:
        """Adds places; each counts once, however often it is noted."""
        found = sorted({*self._kept, *places})
        self._kept = found[:MAX_PLACES]
        if found[MAX_PLACES:]:
            offset, _ = found[MAX_PLACES]
            self._beyond = offset if self._beyond is None else min(self._beyond, offset)

    def told(self) -> list[Damage]:
        """All that are kept, and where the others begin if there are any."""
        kept = [Damage(offset, what) for offset, what in self._kept]
        return kept if self._beyond is None else [*kept, Damage(self._beyond, BEYOND)]


def longer_than_on_wire(position: I64, caplen: I64, wirelen: I64) -> list[Place]:
    """The first frames of which more was captured than there was, which can only be damage: one of
    a larger length may hold the records of frames behind it, of which nobody would hear.

    position: of each frame's record in the window; wirelen: as stated.
    """
    longer = caplen > wirelen
    if not longer.any():
        return []
    rows = np.flatnonzero(longer)[: MAX_PLACES + 1]
    columns = (column[rows].tolist() for column in (position, caplen, wirelen))
    words = "a frame claims {} captured bytes of {} on the wire"
    return [(at, words.format(caught, sent)) for at, caught, sent in zip(*columns, strict=True)]
