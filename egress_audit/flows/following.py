"""Streams that are read on, message by message, from where the next one begins. HOT PATH.

What lies between messages, the bodies, is counted by sequence number and never held. Where the
place of the next message is not known, it is looked for at the beginning of segments.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from egress_audit.columns import I64, U8, U32, Bool, PacketBatch
from egress_audit.flows.growing import grow_together

MAX_FOLLOWED = 400_000
"""Streams that are followed at a time, 150 bytes each."""
MAX_AHEAD = 1 << 30
"""A message that lies further ahead is looked for at the beginning of segments, too."""
METHODS = (
    b"GET ", b"POST", b"HEAD", b"PUT ", b"CONN", b"OPTI", b"PATC", b"DELE", b"TRAC", b"PRI ",
    b"PROP", b"MKCO", b"REPO", b"COPY", b"MOVE", b"LOCK", b"UNLO", b"SEAR", b"SUBS", b"NOTI",
    b"get ", b"post", b"head", b"put ", b"conn",
)  # fmt: skip
"""How segments begin in which a request does (RFC 9110 §9, RFC 4918 §9)."""
HANDSHAKE = b"\x16\x03\x01"
"""The first three octets of a record with a ClientHello."""
_METHOD_WORDS = np.frombuffer(b"".join(METHODS), "<u4").astype(np.uint32)
_HANDSHAKE_WORD = np.uint32(int.from_bytes(HANDSHAKE, "little"))

NOT, AT_PLACE, AT_SIGNS = 0, 1, 2
"""Whether a side is followed, and how its next message is found."""


class Following:
    """The sides of flows that are read on: where, and by whom."""

    def __init__(self) -> None:
        self._how: U8 = np.zeros(1 << 11, np.uint8)
        self._place: U32 = np.zeros(1 << 11, np.uint32)
        """Sequence number at which the next message begins."""
        self._named: Bool = np.zeros(1 << 11, np.bool_)
        """For `rows_of`; false but there."""
        self._readers: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, side: int) -> bool:
        return side in self._readers

    def grow(self, needed: int) -> None:
        """Makes room for so many sides."""
        grow_together(self, ("_how", "_place", "_named"), needed)

    def keep(self, side: int, place: int | None, reader: object) -> bool:
        """Follows a side from `place` on, None if that is not known; False if there is no room."""
        if side not in self._readers and len(self._readers) >= MAX_FOLLOWED:
            return False
        self._readers[side] = reader if place is not None else None
        self._how[side] = AT_SIGNS if place is None else AT_PLACE
        self._place[side] = 0 if place is None else place % (1 << 32)
        return True

    def taken(self, side: int) -> object:
        """What reads a side on, which is followed no more until it is kept again."""
        self._how[side] = NOT
        return self._readers.pop(side)

    def followed(self, sides: I64) -> Bool:
        """(n,) True where a side is followed."""
        found: Bool = self._how[sides] != NOT
        return found

    def candidates(self, packets: PacketBatch, side: I64, rows: I64) -> I64:
        """Those of the rows with payload in which the next message of their side may begin.

        A side may be kept again before its later rows are looked at, but never further back.
        """
        rows = rows[self._how[side[rows]] != NOT]
        if not len(rows):
            return rows
        ahead = (self._place[side[rows]] - packets.tcp_seq[rows]).view(np.int32)
        at_place = self._how[side[rows]] == AT_PLACE
        wanted = at_place & (ahead < packets.payload_len[rows])
        wanted[~at_place] = has_sign(packets, rows[~at_place])
        found: I64 = rows[wanted]
        return found

    def rows_of(self, sides: Collection[int], side: I64, rows: I64) -> I64:
        """Those of the rows that are of these sides."""
        named = [*sides]
        self._named[named] = True
        found: I64 = rows[self._named[side[rows]]]
        self._named[named] = False
        return found

    def origin(self, packets: PacketBatch, row: int, side: int) -> int | None:
        """Sequence number of the message that begins in a packet; None if none does."""
        how = self._how[side]
        if how == AT_PLACE:
            ahead = signed(int(self._place[side]) - int(packets.tcp_seq[row]))
            if ahead >= int(packets.payload_len[row]):
                return None  # a body goes on, or an old segment comes again
            if ahead > -MAX_AHEAD:
                return int(self._place[side])
        signed_so = how != NOT and has_sign(packets, np.array([row]))[0]
        return int(packets.tcp_seq[row]) if signed_so else None


def has_sign(packets: PacketBatch, rows: I64) -> Bool:
    """(n,) True where the payload of a packet begins as a request or a ClientHello does."""
    found: Bool = packets.payload_cap[rows] >= 4
    whole = rows[found]
    octets = packets.buffer[packets.payload[whole][:, None] + np.arange(4)]
    words = np.ascontiguousarray(octets).view("<u4").ravel()
    found[found] = np.isin(words, _METHOD_WORDS) | (words & np.uint32(0xFFFFFF) == _HANDSHAKE_WORD)
    return found


def is_keep_alive(packets: PacketBatch, row: int) -> bool:
    """True for a single zero, as probes of an idle connection carry (RFC 1122 §4.2.3.6)."""
    size, zero = int(packets.payload_len[row]), packets.buffer[packets.payload[row]] == 0
    return size == 1 and bool(zero)


def signed(distance: int) -> int:
    """A distance modulo 2^32 as a number from -2^31 on."""
    return (distance + (1 << 31)) % (1 << 32) - (1 << 31)
