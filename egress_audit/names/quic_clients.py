"""What is kept of each client in a UDP flow of QUIC, by whose keys its further packets are read."""

from dataclasses import field
from typing import NamedTuple

from egress_audit.names.pieces import Pieces
from egress_audit.names.quic_protection import Keys
from egress_audit.values import dataclass

MAX_HELLO = 16 << 10
"""Bytes of handshake read of one client; a post-quantum hello has 1.8 kB."""


@dataclass(slots=True)
class Connection:
    """One client of the flow: its keys by version, and what it has said."""

    by_orig: bool
    to: bytes
    """Connection ID that its keys derive from."""
    sender: bytes
    version: int
    """Of its first packet: some clients change the version of their packets before their keys."""
    keys: dict[int, Keys]
    expected: int = 0
    """The packet number behind the highest."""
    hello: Pieces = field(default_factory=lambda: Pieces(MAX_HELLO))
    read_to: list[int] = field(default_factory=lambda: [0, 0])
    """Offset behind the last whole message, of both readings."""
    heard: bool = False

    @property
    def pending(self) -> bool:
        """True while a message has begun that is not whole."""
        return not self.heard or self.hello.has_hole or self.hello.length > self.read_to[0]


class Opening(NamedTuple):
    """A client whose first Initial has its whole hello, until it sends another one: a connection
    takes more time than the rest of reading it."""

    by_orig: bool
    to: bytes
    sender: bytes
    version: int
    number: int
    """Of the packet."""
    hello: bytes

    def connection(self) -> Connection:
        """What further packets are read with."""
        begun = Connection(self.by_orig, self.to, self.sender, self.version, {}, self.number + 1)
        begun.hello.add(0, self.hello)
        begun.read_to[0], begun.heard = len(self.hello), True
        return begun
