"""Segments in which, anywhere in a stream, a request or a ClientHello begins. HOT PATH.

Known by their first bytes: what came before it in its stream was unknown, or all that was looked
for there. So are found a second ClientHello (RFC 8446 §4.1.4), one that plain words asked for late
in their talk, and those behind a SYN that reuses the ports of a connection.
"""

import re

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.flows.growing import grown
from egress_audit.flows.origins import Origins

METHODS = (
    b"GET ", b"POST", b"HEAD", b"PUT ", b"CONN", b"OPTI", b"PATC", b"DELE", b"TRAC", b"PRI ",
    b"PROP", b"MKCO", b"REPO", b"COPY", b"MOVE", b"LOCK", b"UNLO", b"SEAR", b"SUBS", b"NOTI",
    b"get ", b"post", b"head", b"put ", b"conn",
)  # fmt: skip
"""How segments begin in which a request does (RFC 9110 §9, RFC 4918 §9)."""
HANDSHAKE = b"\x16\x03\x01"
"""The first three octets of a record with a first ClientHello."""
_SHORTEST, _LONGEST = 4, 16
"""Octets of a segment that are looked at."""
_SIGN = re.compile(
    rb"(\x14\x03[\0-\x04]\0\x01\x01|\x12[\0\x01]..\0\0.\0)?\x16\x03[\0-\x04]"
    rb"(?:\0[\x01-\x05]\x01|.{0,2}\Z|..\x01(?:\Z|\0(?:.{0,2}\Z|..\x03)))|" + b"|".join(METHODS),
    re.S,
)
"""Maybe change_cipher_spec (RFC 8446 §D.4), or the header in which SQL Server's clients wrap theirs
([MS-TDS] §2.2.3.1), then a record of any version with a ClientHello: below 64 KiB, of version 3, as
random bytes look once in 2^43. Of a record of up to five octets less can be asked."""
_COULD_BE: Bool = np.zeros(1 << 16, np.bool_)
"""By the first two octets."""
_BEFORE = b"\x14\x03", b"\x12\0", b"\x12\x01"
_COULD_BE[[int.from_bytes(sign[:2], "little") for sign in (*METHODS, HANDSHAKE, *_BEFORE)]] = True
_SERVER_HELLO, _RESPONSE = (0x16, 2), np.frombuffer(b"HTTP/1.", np.uint8)


class Signs:
    """The segments of the batch at hand that begin so, and the sides that are not looked at."""

    def __init__(self) -> None:
        self._serving: Bool = np.zeros(1 << 11, np.bool_)
        self.places: dict[int, int] = {}
        """Of each such row, how far behind its first byte of payload a message begins."""
        self.sides: set[int] = set()
        """Of these rows."""

    def grow(self, needed: int) -> None:
        """Makes room for so many sides."""
        self._serving = grown(self._serving, needed)

    def release(self) -> None:
        """Lets go of everything, once all has been read."""
        self._serving = self._serving[:0].copy()

    def pass_over(self, packets: PacketBatch, side: I64, rows: I64) -> None:
        """Looks no more at responders that begin as servers of TLS and HTTP do.

        rows: with which streams begin. Nearly all segments are of these, and to read a byte of each
        would take longer than all else that is done here.
        """
        rows = rows[(side[rows] & 1 == 0) & (packets.payload_cap[rows] >= len(_RESPONSE))]
        if not len(rows):
            return
        first = packets.buffer[packets.payload[rows][:, None] + np.arange(len(_RESPONSE))]
        serves = (first[:, 0] == _SERVER_HELLO[0]) & (first[:, 5] == _SERVER_HELLO[1])
        serves |= (first == _RESPONSE).all(axis=1)
        self._serving[side[rows[serves]]] = True

    def look(self, packets: PacketBatch, side: I64, rows: I64, origins: Origins) -> None:
        """Finds `places` and `sides` in a batch; rows: those with payload.

        The first segment of a stream is none, and so it is if it comes again.
        """
        rows = rows[~self._serving[side[rows]]]
        rows = rows[~origins.begun_with(packets, side, rows)]
        if not len(rows):
            self.places, self.sides = {}, set()
            return
        found = places_of_signs(packets, rows)
        at = np.flatnonzero(found >= 0)
        self.places = dict(zip(rows[at].tolist(), found[at].tolist(), strict=True))
        self.sides = {*side[rows[at]].tolist()}


def places_of_signs(packets: PacketBatch, rows: I64) -> I64:
    """(n,) how far behind its first byte a request or a ClientHello begins in the payload of a
    packet; -1 where none does near its beginning."""
    found = np.full(len(rows), -1)
    start, captured = packets.payload[rows], packets.payload_cap[rows]
    near = np.flatnonzero(captured >= _SHORTEST)
    first = packets.buffer[start[near]] | packets.buffer[start[near] + 1].astype(np.uint16) << 8
    near = near[_COULD_BE[first]]
    ends = start[near] + np.minimum(captured[near], _LONGEST)
    octets = packets.buffer.data
    for at, a, b in zip(near.tolist(), start[near].tolist(), ends.tolist(), strict=True):
        sign = _SIGN.match(bytes(octets[a:b]))
        if sign:
            found[at] = len(sign[1] or b"")
    return found
