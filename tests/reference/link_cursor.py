"""Where the reference decoder stands in a frame, and the link headers it may meet on its way.

Reading past the end of a frame raises `Short`, which `packet_decoder` turns into a value.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .capture_reader import ReferenceFrame
from .packet import Decoded


class Short(Exception):
    """The frame ends inside a link header."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a frame, and how many link headers have been read before it."""

    frame: ReferenceFrame
    at: int = 0
    headers: int = 0

    def read(self, offset: int, length: int, order: str = "big") -> int:
        """A number of `length` bytes, `offset` bytes from here."""
        first = self.at + offset
        if first + length > self.frame.caplen:
            raise Short
        taken = self.frame.data[first : first + length]
        return int.from_bytes(taken, "big" if order == "big" else "little")

    def peek(self, offset: int, length: int) -> int | None:
        """The same; None where the frame ends before."""
        try:
            return self.read(offset, length)
        except Short:
            return None

    def past(self, length: int) -> "Cursor":
        """The place `length` bytes on."""
        if self.at + length > self.frame.caplen:
            raise Short
        return replace(self, at=self.at + length)


Layer = Callable[[Cursor], Decoded]
Onward = Callable[[str | int, Cursor], Decoded]
"""Goes on with an EtherType (a number) or a header that has a name, at a place."""
