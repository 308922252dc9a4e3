"""The frames of one link type as columns, and what a link header says comes next. HOT PATH."""

from collections.abc import Callable, Sequence

import numpy as np

from egress_audit.columns import I64, U8, Bool
from egress_audit.decode import ledger
from egress_audit.values import dataclass

IPV4, IPV6, MPLS = 0x0800, 0x86DD, 0x8847
ANY_IP = -1
"""Stands for an EtherType where the link type says IP and the packet says which."""
LLC, SNAP, NLPID, PPP, WLAN_PADDED = -2, -3, -4, -5, -6
"""Headers that follow another and have no EtherType: IEEE 802.2; its extension from the OUI on;
ISO/IEC TR 9577; a PPP protocol field; 802.11 with its header filled up to four bytes."""
FIRST_LINKTYPE = -1000
CHECK_SEQUENCE = 4
SHORTEST_PACKET = 20
"""Bytes of IPv4 without options: what is shorter holds no packet of either version."""


def linktype_kind(linktype: I64) -> I64:
    """What stands for "a frame of this link type comes next" in a column of EtherTypes."""
    return FIRST_LINKTYPE - linktype


ETHERNET, PPP_SERIAL, C_HDLC, IEEE802_11, FRELAY, PRISM, AVS = (
    FIRST_LINKTYPE - number for number in (1, 9, 104, 105, 107, 119, 163)
)

Decoded = tuple[I64, I64, I64]
"""Start of the network layer, EtherType, outcome so far: each (rows,).

In place of an EtherType a header may name one of the negative kinds of this file.
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """The frames of one link type: where each begins and ends in the buffer."""

    buffer: U8
    start: I64
    end: I64
    cut: Bool
    """The file holds less of the frame than was on the wire."""

    def u8(self, at: I64) -> I64:
        """Bytes at `at`; garbage where `at` lies past the frame's end."""
        value: I64 = self.buffer[np.minimum(at, len(self.buffer) - 1)].astype(np.int64)
        return value

    def u16(self, at: I64) -> I64:
        """Big-endian 16-bit values at `at`; garbage where `at` lies past the frame's end."""
        size = len(self.buffer) - 1
        view = np.ndarray((size,), ">u2", buffer=self.buffer.data, strides=(1,))
        value: I64 = view[np.minimum(at, size - 1)].astype(np.int64)
        return value

    def u24(self, at: I64) -> I64:
        """Big-endian 24-bit values at `at`."""
        return self.u16(at) << 8 | self.u8(at + 2)

    def u32(self, at: I64) -> I64:
        """Big-endian 32-bit values at `at`."""
        return self.u16(at) << 16 | self.u16(at + 2)

    def u16_little(self, at: I64) -> I64:
        """Little-endian 16-bit values at `at`."""
        return self.u8(at) | self.u8(at + 1) << 8

    def u32_little(self, at: I64) -> I64:
        """Little-endian 32-bit values at `at`."""
        return self.u16_little(at) | self.u16_little(at + 2) << 16

    def short(self, at: I64) -> I64:
        """Outcome of frames that end before `at`; PACKET for the others."""
        outcome = np.zeros(len(at), np.int64)
        beyond = np.flatnonzero(at > self.end)
        if len(beyond):
            cut = self.cut[beyond]
            outcome[beyond] = np.where(cut, ledger.TRUNCATED, ledger.LINK_MALFORMED)
        return outcome

    def inside(self, chosen: I64, start: I64) -> "Rows":
        """Some of the frames from a later header on. chosen: indexes; start: of that header."""
        return Rows(self.buffer, start, self.end[chosen], self.cut[chosen])

    def all(self, value: int) -> I64:
        """`value` in every row."""
        return np.full(len(self.start), value, np.int64)


Header = Callable[[Rows], Decoded]
"""Reads one header at the start of every row, and says where the next begins and what it is."""


Verdict = tuple[Bool, int | I64]
"""Where a condition holds, and the outcome of those rows."""


def unless(outcome: I64, verdicts: Sequence[Verdict]) -> I64:
    """`outcome`, or where it is PACKET still, that of the first verdict whose condition holds."""
    for condition, value in verdicts:
        outcome = np.where((outcome == ledger.PACKET) & condition, value, outcome)
    return outcome


def lasts_to_end(rows: Rows, at: I64, length: I64) -> Bool:
    """True where `length` bytes from `at` on are all that is left but a check sequence, or may be
    of a frame that was cut."""
    left = rows.end - at
    return (length <= left) & (left <= length + CHECK_SEQUENCE) | rows.cut


def measured_header(
    rows: Rows, length: I64, least: int, *, fields: int = 0, before: Sequence[Verdict] = ()
) -> tuple[I64, I64]:
    """Where headers end that say how long they are, and the outcome so far.

    least: bytes of the shortest that is one; fields: bytes up to the last field that is read, if
    these are fewer; before: verdicts that go before those on the length.
    """
    behind = rows.start + np.maximum(length, least)
    on_length = (length < least, ledger.LINK_MALFORMED), (behind > rows.end, rows.short(behind))
    return behind, unless(rows.short(rows.start + (fields or least)), [*before, *on_length])
