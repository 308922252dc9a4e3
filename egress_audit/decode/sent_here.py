"""Addresses from which the recording machine itself sent, as the link layer says. HOT PATH.

A cooked header says so of each packet, and whatever a loopback interface recorded was sent by its
own machine. Such an address is the machine's own, or one that a raw socket invented: what it begins
was not begun by a stranger. Source: tcpdump.org/linktypes (LINUX_SLL, LINUX_SLL2); Linux
if_packet.h.
"""

import numpy as np

from egress_audit.columns import (
    I64,
    U8,
    U64,
    Bool,
    FrameBatch,
    PacketBatch,
    alike_rows,
    is_loopback,
)
from egress_audit.decode.astray import (
    ETHERNET,
    LOOPBACK_DEVICE,
    PKTAP,
    PPI,
    SLL,
    SLL2,
    USER2,
    recorded_as,
)

MAX_SENDERS = 1 << 14
"""Addresses that are kept; each takes some 200 bytes."""
MAC_ADDRESSES = 12
"""Octets of both in front of an Ethernet frame, which are zeros on the loopback of Linux."""
OUTGOING = 4
"""PACKET_OUTGOING."""
COOKED = ((SLL, 0, 2), (SLL2, 10, 8))
"""Link type, and where its packet type (in its last octet) and its device type stand."""
SAYS_SO = (ETHERNET, SLL, SLL2, PPI, PKTAP, USER2)


class SentHere:
    """Collects the senders of packets that this machine sent."""

    def __init__(self) -> None:
        self._senders: set[tuple[int, int, int]] = set()
        self.beyond = False
        """There were more than MAX_SENDERS."""

    def take(self, batch: FrameBatch, packets: PacketBatch) -> None:
        """packets: outermost ones of these frames; those of whom the link layer may say so."""
        if not np.isin(batch.linktype, SAYS_SO).any():
            return
        rows = np.flatnonzero(_sent_here(batch, packets.frame - batch.first_frame))
        # Nearly all of a loopback interface, and nobody is called by those from elsewhere.
        ends = packets.version[rows], packets.src_hi[rows], packets.src_lo[rows]
        rows = rows[~is_loopback(*ends)]
        if not len(rows):
            return
        columns = packets.version[rows], packets.src_hi[rows], packets.src_lo[rows]
        first = alike_rows(columns).first
        for sender in zip(*(column[first].tolist() for column in columns), strict=True):
            if len(self._senders) < MAX_SENDERS:
                self._senders.add(sender)
            else:
                self.beyond |= sender not in self._senders

    def among(self, version: U8, hi: U64, lo: U64) -> Bool:
        """(n,) True for addresses from which this machine sent, or may have."""
        if self.beyond:
            return np.ones(len(lo), np.bool_)
        found: Bool = np.isin(lo, np.array([low for _, _, low in self._senders], np.uint64))
        rows = np.flatnonzero(found)
        ends = zip(version[rows].tolist(), hi[rows].tolist(), lo[rows].tolist(), strict=True)
        found[rows] = np.array([end in self._senders for end in ends], np.bool_)
        return found


def _sent_here(batch: FrameBatch, chosen: I64) -> Bool:
    """(n,) True for frames that this machine sent, by their link layer."""
    rows, linktype = recorded_as(batch, chosen)
    start = rows.start
    found: Bool = (linktype == ETHERNET) & (batch.buffer[start] == 0)
    for octet in range(1, MAC_ADDRESSES):
        likely = np.flatnonzero(found)
        found[likely] = batch.buffer[start[likely] + octet] == 0
    for cooked, sort, device in COOKED:
        of_this = np.flatnonzero(linktype == cooked)
        if len(of_this):
            header = start[of_this]
            last = header + sort + (cooked == SLL)
            outgoing = batch.buffer[last] == OUTGOING
            at = header + device
            kind = batch.buffer[at].astype(np.int64) << 8 | batch.buffer[at + 1]
            found[of_this] = outgoing | (kind == LOOPBACK_DEVICE)
    return found
