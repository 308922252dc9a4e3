"""What is known of a stream by one look at how it begins: most heads need no other. HOT PATH."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from egress_audit.columns import I64, U8, Bool, PacketBatch


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


class Beginning(NamedTuple):
    """The first payload of a stream, with which it is done."""

    flow: int
    by_orig: bool
    frame: int
    ts_ns: int
    stream: bytes


class Glance(NamedTuple):
    """Who looks."""

    size: int
    """First bytes of a stream that `says_nothing` looks at."""
    says_nothing: Callable[[U8], Bool]
    """(n, size) first bytes to (n,) True for streams in which there is nothing to hear, ever."""
    says_all: Callable[[U8, I64], Bool]
    """The same, and (n,) sizes of what is there, to (n,) True where all that will ever be heard is
    there, whatever it is."""
    look: Callable[[bytes], Look]
    """What one look at the beginning of a stream finds."""
    hear: Callable[[list[Done]], None]
    """Hears looks that are done, in no order."""
    read: Callable[[list[Beginning]], None]
    """Reads beginnings in which all is said, and hears them, some time before the end."""

    def told_apart(self, packets: PacketBatch, rows: I64) -> tuple[Bool, Bool]:
        """(n,) True for those of some rows, with which streams begin, whose streams say nothing;
        and True for those in which all is said."""
        nothing: Bool = packets.payload_cap[rows] >= self.size
        everything = nothing & (packets.payload_cap[rows] >= packets.payload_len[rows])
        at = rows[nothing]
        first = packets.buffer[packets.payload[at][:, None] + np.arange(self.size)]
        everything[nothing] &= self.says_all(first, packets.payload_cap[at])
        nothing[nothing] = self.says_nothing(first)
        return nothing, everything


def _nothing_known(first: U8) -> Bool:
    return np.zeros(len(first), np.bool_)


def _less_known(first: U8, _: I64) -> Bool:
    return _nothing_known(first)


def _unread(_: list[Beginning]) -> None:
    pass


def _unseen(_: bytes) -> Look:
    return UNKNOWN


def _unheard(_: list[Done]) -> None:
    pass


BLIND = Glance(1, _nothing_known, _less_known, _unseen, _unheard, _unread)
"""Every head is begun."""
