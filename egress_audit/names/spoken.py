"""What was said in each flow of its far end, numbered, so that flows alike are few.."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from egress_audit.columns import I32, I64
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.link_names import LINK_SOURCES

ABOUT_OTHERS = frozenset((NameSource.DNS_QUERY, NameSource.DNS_ANSWER, *LINK_SOURCES))
"""Names said *in* a flow that do not name its far end, but what somebody was asked for."""
MAX_ALIKE = 4
"""Names said in a flow from which on it is not compared with others: hardly any is like it."""
Said = tuple[tuple[str, NameSource], ...]
"""Hosts with how each was said."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What flows said of their far ends."""

    rows: I64
    """(k,) Rows of the flows that said something, each once."""
    frames: I64
    """(k,) The first frame that says it."""
    kind: I32
    """(k,) Index into `kinds`."""
    kinds: list[Said]
    """Each once, but for those of MAX_ALIKE names and more; the first one is empty."""


def spoken(flows: Iterable[tuple[int, tuple[Name, ...]]]) -> Spoken:
    """What is said in flows, each given once, with the names that were spoken in it."""
    kinds: list[Said] = [()]
    number_of: dict[Said, int] = {}
    found: list[int] = []
    said: Said
    for row, names in flows:
        if len(names) == 1:  # as of nearly all
            (name,) = names
            if name.source in ABOUT_OTHERS or name.outer:
                continue
            said, frame = ((name.host, name.source),), name.frame
        else:
            telling = [name for name in names if name.source not in ABOUT_OTHERS and not name.outer]
            if not telling:
                continue
            said, frame = tuple([(name.host, name.source) for name in telling]), telling[0].frame
        alike = len(said) < MAX_ALIKE
        number = number_of.setdefault(said, len(kinds)) if alike else len(kinds)
        if number == len(kinds):
            kinds.append(said)
        found += row, frame, number
    rows, frames, numbers = np.array(found, np.int64).reshape(-1, 3).T
    return Spoken(rows, frames, numbers.astype(np.int32), kinds)
