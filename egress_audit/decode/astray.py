"""Packets of a machine to itself that were on a wire all the same. HOT PATH.

A loopback address is reached without leaving the machine, unless a raw socket or a routing table
says otherwise (RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3; `route_localnet` of Linux). What recorded
the packet tells: the loopback interface of Linux has Ethernet headers of zeros, or, in a cooked
capture, a device type of its own; that of BSD, macOS and Windows a link type of its own. Source:
Linux if_arp.h, drivers/net/loopback.c; tcpdump.org/linktypes.
"""

import numpy as np

from egress_audit.columns import I64, Bool, FrameBatch, PacketBatch, is_loopback
from egress_audit.decode.link_rows import Rows

FIRST_BYTE, LOOPBACK_FOUR = np.uint64(0xFF00_0000), np.uint64(127 << 24)
"""Of an IPv4 address, and of one that is mapped into IPv6."""
LOOPBACK_SIX = np.uint64(1)

ETHERNET, SLL, SLL2 = 1, 113, 276
USER2, PPI, PKTAP = 149, 192, 258
SAY_NOTHING = (0, 12, 14, 101, 108, 109, 117, 226, 228, 229, 239)
"""Link types of loopback interfaces (NULL, LOOP, IPNET), and those that leave out where a packet
was recorded (RAW, IPV4, IPV6, NFLOG, ENC, PFLOG)."""
LOOPBACK_DEVICE, NO_DEVICE = 772, 0xFFFF
"""ARPHRD_LOOPBACK and ARPHRD_VOID."""


def astray(batch: FrameBatch, packets: PacketBatch) -> int:
    """How many packets are for or from a loopback address, or from an address to itself, in frames
    of which the link layer says that no loopback interface recorded them.

    packets: outermost ones of these frames.
    """
    rows = _to_itself(packets)
    if not len(rows):
        return 0
    return int(np.count_nonzero(_on_a_wire(batch, packets.frame[rows] - batch.first_frame)))


def _to_itself(packets: PacketBatch) -> I64:
    """Rows of the packets that have no reason to leave the machine. Most batches have none: the
    lower halves of the addresses say so."""
    src, dst = packets.src_lo, packets.dst_lo
    likely: Bool = src == dst
    for address in (src, dst):
        likely |= address & FIRST_BYTE == LOOPBACK_FOUR
        likely |= address == LOOPBACK_SIX
    rows = np.flatnonzero(likely)
    version, high = packets.version[rows], (packets.src_hi[rows], packets.dst_hi[rows])
    low = src[rows], dst[rows]
    found: Bool = (low[0] == low[1]) & (high[0] == high[1])
    for hi, lo in zip(high, low, strict=True):
        found |= is_loopback(version, hi, lo)
    return rows[found]


def _on_a_wire(batch: FrameBatch, chosen: I64) -> Bool:
    """(n,) True for frames whose link layer is not that of a loopback interface."""
    rows, linktype = recorded_as(batch, chosen)
    start = rows.start
    found: Bool = ~np.isin(linktype, SAY_NOTHING)
    addresses = rows.u32(start) | rows.u32(start + 4) | rows.u32(start + 8)
    found &= (linktype != ETHERNET) | (addresses != 0)
    for cooked, at in ((SLL, 2), (SLL2, 8)):
        device = rows.u16(start + at)
        found &= (linktype != cooked) | ((device != LOOPBACK_DEVICE) & (device != NO_DEVICE))
    return found


def recorded_as(batch: FrameBatch, chosen: I64) -> tuple[Rows, I64]:
    """The frames and their link types, behind a header of the capturing system that names another
    one. They were decoded, so that these headers are whole."""
    start, linktype = batch.offset[chosen], batch.linktype[chosen].astype(np.int64)
    end = start + batch.caplen[chosen]
    rows = Rows(batch.buffer, start, end, np.zeros(len(start), np.bool_))
    apple = (linktype == PKTAP) | (linktype == USER2)
    length = np.where(apple, rows.u32_little(start), rows.u16_little(start + 2))
    named = np.where(apple, rows.u32_little(start + 8), rows.u32_little(start + 4))
    wrapped = apple | (linktype == PPI)
    behind = Rows(batch.buffer, np.where(wrapped, start + length, start), end, rows.cut)
    return behind, np.where(wrapped, named, linktype)
