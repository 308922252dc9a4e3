"""Headers that the capturing system made itself: cooked, NFLOG, PKTAP, PPI. HOT PATH.

Sources: tcpdump.org/linktypes (LINUX_SLL, LINUX_SLL2, NFLOG, PKTAP, PPI); Linux if_arp.h for the
device types and nfnetlink_log.h for the attributes.
"""

import numpy as np

from egress_audit.columns import I64
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_llc import by_table
from egress_audit.decode.link_rows import (
    FIRST_LINKTYPE,
    FRELAY,
    IEEE802_11,
    IPV4,
    IPV6,
    LLC,
    Decoded,
    Rows,
    linktype_kind,
    measured_header,
    unless,
)

SLL_802_2 = 0x0004
"""What the cooked headers have for a protocol where an 802.2 header follows."""
DEVICES = {
    770: FRELAY,
    801: IEEE802_11,
    802: FIRST_LINKTYPE - 119,
    803: FIRST_LINKTYPE - 127,
}
"""ARPHRD_ types whose frames follow whole, so that the protocol field says nothing."""

NFLOG_HEADER, ATTRIBUTE_HEADER, PAYLOAD = 4, 4, 9
MAX_ATTRIBUTES = 64
"""The kernel writes some twenty, each once."""
FAMILIES = {2: IPV4, 10: IPV6}

PKTAP_READ, PKTAP_LEAST, PACKET_RECORD = 12, 108, 1
USER2 = 149
PPI_HEADER = 8


def linux_sll(rows: Rows) -> Decoded:
    """LINUX_SLL: 16 bytes, the protocol in the last two."""
    return _cooked(rows, rows.start + 2, rows.start + 14, rows.start + 16)


def linux_sll2(rows: Rows) -> Decoded:
    """LINUX_SLL2: 20 bytes, the protocol in the first two."""
    return _cooked(rows, rows.start + 8, rows.start, rows.start + 20)


def _cooked(rows: Rows, device: I64, protocol: I64, network: I64) -> Decoded:
    ethertype = rows.u16(protocol)
    kind = np.where(ethertype == SLL_802_2, LLC, ethertype)
    whole = by_table(rows.u16(device), DEVICES)
    return network, np.where(whole != 0, whole, kind), rows.short(network)


def nflog(rows: Rows) -> Decoded:
    """NFLOG: family, then attributes up to the one that holds the packet.

    The lengths and types of attributes are in the byte order of the machine that captured. Types
    are small numbers, so the first of each frame shows which it is.
    """
    little = rows.u8(rows.start + 7) == 0
    at, outcome = rows.start + NFLOG_HEADER, rows.short(rows.start + NFLOG_HEADER)
    search = outcome == ledger.PACKET
    for _ in range(MAX_ATTRIBUTES):
        if not search.any():
            break
        length = np.where(little, rows.u16_little(at), rows.u16(at))
        sort = np.where(little, rows.u16_little(at + 2), rows.u16(at + 2)) & 0x7FFF
        header = rows.short(at + ATTRIBUTE_HEADER)
        refused = unless(header, [(length < ATTRIBUTE_HEADER, ledger.LINK_MALFORMED)])
        outcome = np.where(search, refused, outcome)
        search &= (refused == ledger.PACKET) & (sort != PAYLOAD)
        at = np.where(search, at + (length + 3 & ~3), at)
    family = rows.u8(rows.start)
    kind = by_table(family, FAMILIES)
    length = np.where(little, rows.u16_little(at), rows.u16(at))
    # The kernel writes the packet last: what stands behind it may be another one.
    more = at + (length + 3 & ~3) + ATTRIBUTE_HEADER <= rows.end
    outcome = unless(
        outcome,
        [
            (search, link_kinds.NESTED),
            (kind == 0, ledger.FAMILY | family),
            (more, ledger.LINK_MALFORMED),
        ],
    )
    return at + ATTRIBUTE_HEADER, kind, outcome


def pktap(rows: Rows) -> Decoded:
    """PKTAP: length, sort of record, link type of what follows; all little-endian."""
    length, sort = rows.u32_little(rows.start), rows.u32_little(rows.start + 4)
    other = (sort != PACKET_RECORD, link_kinds.PKTAP_RECORD | sort)
    behind, outcome = measured_header(rows, length, PKTAP_LEAST, fields=PKTAP_READ, before=[other])
    return behind, linktype_kind(rows.u32_little(rows.start + 8)), outcome


def user2(rows: Rows) -> Decoded:
    """USER2, which Apple's tools wrote for PKTAP: taken for it where its header fits."""
    length, sort = rows.u32_little(rows.start), rows.u32_little(rows.start + 4)
    like = (length >= PKTAP_LEAST) & (rows.start + length <= rows.end) & (sort == PACKET_RECORD)
    behind, kind, outcome = pktap(rows)
    return behind, kind, np.where(like, outcome, ledger.LINKTYPE | USER2)


def ppi(rows: Rows) -> Decoded:
    """PPI: version, flags, length, link type of what follows; little-endian."""
    behind, outcome = measured_header(rows, rows.u16_little(rows.start + 2), PPI_HEADER)
    return behind, linktype_kind(rows.u32_little(rows.start + 4)), outcome
