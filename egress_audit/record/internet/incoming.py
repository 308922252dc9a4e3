"""Bytes that arrive on a connection, put in order: what is early waits within bounds.

Source: RFC 9293 §3.10.7.4 (which segments are acceptable), §3.4 (arithmetic).
"""

from egress_audit.record.internet.segments import MODULUS_MASK, ahead

WINDOW = 65_535
MAX_EARLY = 64
"""Segments of one connection that wait for an earlier one; more are dropped, and sent again."""
MAX_HELD = 16 * 1024 * 1024
"""Bytes that wait in all connections together."""


class Held:
    """How many early bytes wait in all connections together."""

    def __init__(self) -> None:
        self.size = 0


class Incoming:
    """What comes next from the client, and what came before its time."""

    __slots__ = ("_early", "_held", "fin_at", "next")

    def __init__(self, first: int, held: Held) -> None:
        self.next = first
        """Sequence number of the byte we wait for."""
        self.fin_at: int | None = None
        """Sequence number of the client's FIN, once its place is known."""
        self._early: dict[int, bytes] | None = None
        self._held = held

    def take(self, seq: int, data: bytes) -> bytes:
        """The bytes that are now in order, once each; b'' for a duplicate or something early."""
        offset = ahead(seq, self.next)
        if offset > 0:
            self._keep(seq, offset, data)
            return b""
        fresh = data[-offset:] if offset else data
        if not fresh:
            return b""
        fresh = fresh[:WINDOW]
        self.next = (self.next + len(fresh)) & MODULUS_MASK
        return fresh + self._followers() if self._early else fresh

    def drop(self) -> None:
        """Forgets what waits: the connection is over."""
        for data in (self._early or {}).values():
            self._held.size -= len(data)
        self._early = None

    def _keep(self, seq: int, offset: int, data: bytes) -> None:
        if offset + len(data) > WINDOW:
            return
        early = self._early = {} if self._early is None else self._early
        known = early.get(seq, b"")
        more = len(data) - len(known)
        full = seq not in early and len(early) >= MAX_EARLY
        if more <= 0 or full or self._held.size + more > MAX_HELD:
            return
        early[seq] = data
        self._held.size += more

    def _followers(self) -> bytes:
        """What waited and now follows; all that lies behind is forgotten."""
        early, found = self._early or {}, []
        for seq in sorted(early, key=lambda number: ahead(number, self.next)):
            offset = ahead(seq, self.next)
            if offset > 0:
                break
            data = early.pop(seq)
            self._held.size -= len(data)
            fresh = data[-offset:] if offset else data
            self.next = (self.next + len(fresh)) & MODULUS_MASK
            found.append(fresh)
        return b"".join(found)
