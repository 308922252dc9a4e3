"""What is known of a stream by one look at how it begins: most heads need no other. HOT PATH."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from egress_audit.columns import I64, U8, Bool, PacketBatch
from egress_audit.flows.segments import Segment


class Look(NamedTuple):
    """What one look found."""

    done: bool = False
    """Everything is said and heard that any number of further bytes would say."""
    needs: int = 0
    """Bytes of the stream up to which a reader would find nothing, and be hungry. When they are
    there it is looked at once more; of such a stream nothing goes on."""
    read: int = 0
    """Of what is done, where in the stream it may go on."""
    reader: Any = None
    """What reads it on from there, or None."""


UNKNOWN = Look()
"""A head must begin, and readers be asked."""
DONE = Look(done=True)


class Glance(NamedTuple):
    """Who looks."""

    size: int
    """First bytes of a stream that `says_nothing` looks at."""
    says_nothing: Callable[[U8], Bool]
    """(n, size) first bytes to (n,) True for streams in which there is nothing to hear, ever."""
    hear: Callable[[Segment, bytes], Look]
    """Hears the stream that ends with a segment, if one look is enough for it."""

    def passed_over(self, packets: PacketBatch, rows: I64) -> I64:
        """Those of some rows, with which streams begin, whose streams say nothing."""
        rows = rows[packets.payload_cap[rows] >= self.size]
        at = packets.payload[rows][:, None] + np.arange(self.size)
        found: I64 = rows[self.says_nothing(packets.buffer[at])]
        return found


def _nothing_known(first: U8) -> Bool:
    return np.zeros(len(first), np.bool_)


def _unheard(_: Segment, __: bytes) -> Look:
    return UNKNOWN


BLIND = Glance(1, _nothing_known, _unheard)
"""Every head is begun."""
