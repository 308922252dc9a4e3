"""What the bytes of a connection deserve: decided by what the client says first, or by its silence.

A dialogue gets the client's bytes in order, in pieces of any size, and hands back what a server
would say; it keeps no more of them than it needs to decide.
"""

from typing import NamedTuple, Protocol

SECOND_NS = 1_000_000_000
IDLE_NS = 300 * SECOND_NS
"""How long a connection may be silent where we wait for the client."""
PAUSE_NS = 5 * SECOND_NS
"""How long after bytes that nobody understands the connection is closed."""


class Reply(NamedTuple):
    """What to send to the client."""

    data: bytes = b""
    close: bool = False
    """Whether our half is closed behind it."""


NOTHING_YET = Reply()
CLOSE = Reply(close=True)


class Dialogue(Protocol):
    """A server for one connection."""

    @property
    def patience_ns(self) -> int:
        """How long a silence of the client lasts before `silence` is called; it may change."""

    def take(self, data: bytes) -> Reply:
        """The answer to more bytes, never empty; not called any more once we closed."""

    def silence(self) -> Reply:
        """What is said after `patience_ns` without a byte."""

    def end(self) -> Reply:
        """What is said when the client has closed its half. Ours is closed behind it."""


class Patient:
    """What dialogues share that wait for the client as long as it likes, and have no last word."""

    __slots__ = ()

    patience_ns: int = IDLE_NS

    def silence(self) -> Reply:
        """The end."""
        return CLOSE

    def end(self) -> Reply:
        """The end."""
        return CLOSE
