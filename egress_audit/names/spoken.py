"""What was said in each flow of its far end, numbered, so that flows alike are few."""

from collections.abc import Sequence

import numpy as np

from egress_audit.columns import I32, I64
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.link_names import LINK_SOURCES
from egress_audit.names.mentions import SOURCES, Mentions
from egress_audit.values import dataclass

ABOUT_OTHERS = frozenset((NameSource.DNS_QUERY, NameSource.DNS_ANSWER, *LINK_SOURCES))
"""Names said *in* a flow that do not name its far end, but what somebody was asked for."""
_IS_ABOUT_OTHERS = np.array([source in ABOUT_OTHERS for source in SOURCES])
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


def spoken(mentions: Mentions) -> Spoken:
    """What was said in flows of their far ends."""
    single = mentions.single()
    telling = (_IS_ABOUT_OTHERS[single.source] | single.outer) == 0
    each = single.host[telling].astype(np.int64) * len(SOURCES) + single.source[telling]
    distinct, number = np.unique(each, return_inverse=True)
    kinds: list[Said] = [()]
    for host, source in zip(
        *(part.tolist() for part in np.divmod(distinct, len(SOURCES))), strict=True
    ):
        kinds.append(((mentions.hosts[host], SOURCES[source]),))
    number_of = {said: place for place, said in enumerate(kinds)}
    found: list[int] = []
    for row, names in mentions.several():
        said, frame = _of_far_end(names)
        if not said:
            continue
        place = number_of.setdefault(said, len(kinds)) if len(said) < MAX_ALIKE else len(kinds)
        if place == len(kinds):
            kinds.append(said)
        found += row, frame, place
    rows, frames, numbers = np.array(found, np.int64).reshape(-1, 3).T
    return Spoken(
        np.concatenate((single.flow[telling], rows)),
        np.concatenate((single.frame[telling], frames)),
        np.concatenate((number + 1, numbers)).astype(np.int32),
        kinds,
    )


def _of_far_end(names: Sequence[Name]) -> tuple[Said, int]:
    """What is said of the far end, and in which frame it is first."""
    telling = [name for name in names if name.source not in ABOUT_OTHERS and not name.outer]
    said = tuple([(name.host, name.source) for name in telling])
    return said, telling[0].frame if telling else 0
