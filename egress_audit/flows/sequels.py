"""What comes in streams behind that which was read of them, and where it begins. HOT PATH.

Where the message before it says so, or where the first bytes of a segment do.
"""

import numpy as np

from egress_audit.columns import I64, PacketBatch
from egress_audit.flows.following import Following
from egress_audit.flows.head import Head, read_on
from egress_audit.flows.origins import Origins
from egress_audit.flows.segments import Segment
from egress_audit.flows.signs import Signs


class Sequels:
    """The sides whose heads are done, and that are read on."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._following = Following()
        self.signs = Signs()
        self.moved: set[int] = set()
        """Sides that are read on behind a message of the batch at hand: they may have more in it
        than was wanted of them."""
        self._begun_anew: dict[int, int] = {}
        """By side, the last row of that batch from which it was read on because of a sign."""
        self._unwanted: set[int] = set()
        """Rows with a sign in which nothing is wanted but that."""

    def grow(self, needed: int) -> None:
        """Makes room for so many sides."""
        self._following.grow(needed)
        self.signs.grow(needed)

    def release(self) -> None:
        """Lets go of everything, once all has been read."""
        self._following = Following()
        self.signs.release()

    def follow(self, side: int, place: int, reader: object) -> bool:
        """Reads a side on from the sequence number `place`; False if there is no room."""
        self.moved.add(side)
        return self._following.keep(side, place, reader)

    def candidates(self, packets: PacketBatch, side: I64, rows: I64) -> I64:
        """Those of the rows with payload of a new batch in which a message of a side that is
        followed may begin."""
        self.moved.clear()
        self._begun_anew.clear()
        return self._following.candidates(packets, side, rows)

    def by_sign(self, packets: PacketBatch, side: I64, rows: I64, wanted: I64) -> I64:
        """Those in which one begins by its first bytes, if the head of its side is done by then;
        without rows that are wanted anyway."""
        self.signs.look(packets, side, rows, self._origins)
        self._unwanted = self.signs.places.keys() - {*wanted.tolist()}
        return np.array([*self._unwanted], np.int64)

    def rows_of_moved(self, side: I64, rows: I64) -> I64:
        """The rows of sides that moved, to be gone through once more, in their order."""
        self._unwanted.clear()
        return self._following.rows_of(self.moved, side, rows)

    def may_have(self, side: int) -> bool:
        """True for a side of which a segment may open another head."""
        return side in self._following or side in self.signs.sides

    def passes_over(self, segment: Segment, done: bool) -> bool:
        """True for a segment in front of the sign by which its side is read on; and for one with a
        sign while the head of its side is not done, or if it is to be gone through once more."""
        if segment.row in self._unwanted and (not done or segment.side in self.moved):
            return True
        return segment.row <= self._begun_anew.get(segment.side, -1)

    def head(self, packets: PacketBatch, segment: Segment) -> Head | None:
        """The head that a segment opens, of a side whose one before is done; None if it does not.

        A side that is followed opens one where it is followed to, and nowhere else.
        """
        side, reader = segment.side, None
        if side in self._following:
            origin = self._following.origin(packets, segment.row, side)
            reader = self._following.taken(side) if origin is not None else None
        else:
            origin = self._sign(segment)
        return None if origin is None else read_on(side, origin, reader)

    def _sign(self, segment: Segment) -> int | None:
        """The sequence number at which a message begins in a segment; None if none does."""
        place = self.signs.places.get(segment.row)
        if place is None or self._origins.is_at(segment.side, segment.sequence):
            return None
        self.moved.add(segment.side)
        self._begun_anew[segment.side] = segment.row
        return segment.sequence + place
