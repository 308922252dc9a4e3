"""What is known of a stream by one look at how it begins: most heads need no other. HOT PATH."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch


class Look(NamedTuple):
    """What one look found."""

    done: bool = False
    """Everything is there that any number of further bytes would say."""
    needs: int = 0
    """Bytes of the stream up to which a reader would find nothing, and be hungry. When they are
    there it is looked at once more; of such a stream nothing goes on."""
    read: int = 0
    """Of what is done, where in the stream it may go on."""
    reader: Any = None
    """What reads it on from there, or None."""
    said: Any = None
    """What is to be heard of what is done; the caller's own."""


Done = tuple[int, int, int, Look]
"""Flow, frame and nanoseconds of the bytes that came last, and the look that is done with them."""
UNKNOWN = Look()
"""A head must begin, and readers be asked."""


class Glance(NamedTuple):
    """Who looks."""

    take: Callable[[PacketBatch, I64, I64], tuple[Bool, I64]]
    """The side of every packet, and (n,) rows with whose payloads streams begin, to (n,) True for
    streams that are done: there is nothing to hear in them, ever, or all of it is there, and is
    heard some time before the end; and to the `needs` of a look, if it was captured to its end."""
    look: Callable[[bytes], Look]
    """What one look at the beginning of a stream finds."""
    hear: Callable[[list[Done]], None]
    """Hears looks that are done, in no order."""


def _none_done(_: PacketBatch, __: I64, rows: I64) -> tuple[Bool, I64]:
    return np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.int64)


def _unseen(_: bytes) -> Look:
    return UNKNOWN


def _unheard(_: list[Done]) -> None:
    pass


BLIND = Glance(_none_done, _unseen, _unheard)
"""Every head is begun."""
