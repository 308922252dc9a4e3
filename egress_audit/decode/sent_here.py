"""Addresses from which the recording machine itself sent, as the link layer says. HOT PATH.

A cooked header says so of each packet, and whatever a loopback interface recorded was sent by its
own machine. Such an address is the machine's own, or one that a raw socket invented: what it begins
was not begun by a stranger. What a router or a bridge passes on is recorded twice: it came in
before it left. Source: tcpdump.org/linktypes (LINUX_SLL, LINUX_SLL2); Linux if_packet.h.
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
MAX_CAME = 1 << 16
"""Senders, with protocol and port, of which it is kept that a packet came in; some 300 bytes each.
What others send counts as sent here if it leaves."""
MAC_ADDRESSES = 12
"""Octets of both in front of an Ethernet frame, which are zeros on the loopback of Linux."""
TO_US, TO_ANOTHER, OUTGOING = 0, 3, 4
"""PACKET_HOST, PACKET_OTHERHOST and PACKET_OUTGOING; those between are for many."""
COOKED = ((SLL, 0, 2), (SLL2, 10, 8))
"""Link type, and where its packet type (in its last octet) and its device type stand."""
SAYS_SO = (ETHERNET, SLL, SLL2, PPI, PKTAP, USER2)
UNTOLD, LOOPED, LEFT, CAME, CAME_FOR_MANY = range(5)
"""What the link layer says: nothing, recorded by a loopback interface, outgoing, or incoming."""


class SentHere:
    """Collects the senders of packets that this machine sent, and did not only pass on."""

    def __init__(self) -> None:
        self._senders: set[tuple[int, int, int]] = set()
        self._came: set[tuple[int, ...]] = set()
        """IP version, address, protocol and port of who sent what came in; the receiver too of what
        was for many."""
        self.beyond = False
        """There were more than MAX_SENDERS."""

    def take(self, batch: FrameBatch, packets: PacketBatch) -> None:
        """packets: outermost ones of these frames; those of whom the link layer may say so."""
        if not np.isin(batch.linktype, SAYS_SO).any():
            return
        told = _told(batch, packets.frame - batch.first_frame)
        rows = np.flatnonzero(told)
        # Nearly all of a loopback interface, and nobody is called by those from elsewhere.
        ends = packets.version[rows], packets.src_hi[rows], packets.src_lo[rows]
        rows = rows[~is_loopback(*ends)]
        self._hear(packets, rows[~self._are_known(packets, rows)], told)

    def _keep(self, sender: tuple[int, int, int]) -> None:
        """Keeps one that is not kept yet, if there is room."""
        if len(self._senders) < MAX_SENDERS:
            self._senders.add(sender)
        else:
            self.beyond = True

    def _are_known(self, packets: PacketBatch, rows: I64) -> Bool:
        """(m,) True for packets of senders that are kept already: nothing can change that."""
        if self.beyond:
            return np.ones(len(rows), np.bool_)
        return self.among(packets.version[rows], packets.src_hi[rows], packets.src_lo[rows])

    def _hear(self, packets: PacketBatch, rows: I64, told: U8) -> None:
        """Keeps who sent what was sent here. Not of what left if the like had come in before, for
        whatever receiver: routers translate it. rows: ascending; of no kept sender."""
        if not len(rows):
            return
        how = told[rows]
        by_receiver = (how == LEFT) | (how == CAME_FOR_MANY)
        receiver = packets.dst_hi[rows] * by_receiver, packets.dst_lo[rows] * by_receiver
        sender = packets.version[rows], packets.src_hi[rows], packets.src_lo[rows]
        columns = how, *sender, packets.proto[rows], packets.sport[rows], *receiver
        first = alike_rows(columns).first
        for told_so, *key in zip(*(column[first].tolist() for column in columns), strict=True):
            of_sender, of_both = tuple(key[:5]), tuple(key)
            sent_by = key[0], key[1], key[2]
            if sent_by in self._senders:
                continue
            if told_so in (CAME, CAME_FOR_MANY):
                if len(self._came) < MAX_CAME:
                    self._came.add(of_sender if told_so == CAME else of_both)
            elif told_so == LOOPED or not {of_sender, of_both} & self._came:
                self._keep(sent_by)

    def among(self, version: U8, hi: U64, lo: U64) -> Bool:
        """(n,) True for addresses from which this machine sent, or may have."""
        if self.beyond:
            return np.ones(len(lo), np.bool_)
        found: Bool = np.isin(lo, np.array([low for _, _, low in self._senders], np.uint64))
        rows = np.flatnonzero(found)
        ends = zip(version[rows].tolist(), hi[rows].tolist(), lo[rows].tolist(), strict=True)
        found[rows] = np.array([end in self._senders for end in ends], np.bool_)
        return found


def _told(batch: FrameBatch, chosen: I64) -> U8:
    """(n,) what the link layer of frames says of who sent them."""
    rows, linktype = recorded_as(batch, chosen)
    start = rows.start
    unaddressed: Bool = (linktype == ETHERNET) & (batch.buffer[start] == 0)
    for octet in range(1, MAC_ADDRESSES):
        likely = np.flatnonzero(unaddressed)
        unaddressed[likely] = batch.buffer[start[likely] + octet] == 0
    found: U8 = np.where(unaddressed, LOOPED, UNTOLD).astype(np.uint8)
    for cooked, sort, device in COOKED:
        of_this = np.flatnonzero(linktype == cooked)
        if len(of_this):
            header = start[of_this]
            last = batch.buffer[header + sort + (cooked == SLL)]
            at = header + device
            kind = batch.buffer[at].astype(np.int64) << 8 | batch.buffer[at + 1]
            many = np.where((last == TO_US) | (last == TO_ANOTHER), CAME, CAME_FOR_MANY)
            how = np.where(last == OUTGOING, LEFT, many)
            found[of_this] = np.where(kind == LOOPBACK_DEVICE, LOOPED, how)
    return found
