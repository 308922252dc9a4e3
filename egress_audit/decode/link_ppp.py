"""PPP in its framings, PPP over Ethernet, and Cisco's HDLC. HOT PATH.

Sources: RFC 1661 §2 and §6.5 (protocol field and its compression), RFC 1662 §3.1 (address and
control), RFC 2516 §4 (PPPoE), RFC 3518 §4.2 (bridged frames); tcpdump.org/linktypes (PPP,
PPP_HDLC, PPP_ETHER, PPP_PPPD, PPP_WITH_DIR, C_HDLC, C_HDLC_WITH_DIR).
"""

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_llc import by_table
from egress_audit.decode.link_rows import (
    C_HDLC,
    ETHERNET,
    IPV4,
    IPV6,
    MPLS,
    NLPID,
    PPP,
    Decoded,
    Header,
    Rows,
    unless,
)

ALL_STATIONS, UNNUMBERED = 0xFF, 0x03
CISCO_ADDRESSES = (0x0F, 0x8F)
"""Unicast and multicast: what follows is Cisco's HDLC, whatever the file says it holds."""
BRIDGED = 0x0031
PROTOCOLS = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS, BRIDGED: ETHERNET}
LAN_IDENTIFIED = 0x40
BRIDGED_ETHERNET, BRIDGED_SPANNING_TREE = 1, 0
CONTROL_PROTOCOLS = (
    *(0x8021, 0x8031, 0x8053, 0x8057, 0x80FD, 0x8207, 0x8281),
    *(0xC021, 0xC023, 0xC223, 0xC227),
)
"""Those whose packets are a code, an identifier and a length, as LCP's (RFC 1661 §5). One bit makes
IPCP of an IPv4 packet, whose length stands in the same place."""
CODES_END, CONTROL_HEADER = 0x40, 4
"""No such protocol has more than 20 codes; the first byte of a packet of IP is larger than 0x40."""
LAST_BPDU = 4
"""The protocol that each bridge's message begins with is 0, and the version at most this one (IEEE
802.1Q §14.1)."""
PPPOE_HEADER = 6
CISCO_SLARP, CISCO_CDP, CISCO_OSI = 0x8035, 0x2000, 0x00FE
OSI_KINDS = (0x81, 0x82, 0x83)


def ppp(rows: Rows) -> Decoded:
    """PPP as files have it: with or without address and control, or Cisco's HDLC in its place."""
    address = rows.u8(rows.start)
    cisco, framed = np.isin(address, CISCO_ADDRESSES), address == ALL_STATIONS
    behind = rows.start + np.where(framed, 2, 0)
    outcome = rows.short(np.maximum(behind, rows.start + 1))
    return behind, np.where(cisco, C_HDLC, PPP), outcome


def ppp_pppd(rows: Rows) -> Decoded:
    """PPP_PPPD: the direction (0 or 1) stands where the address would be."""
    replaced = (rows.u8(rows.start) <= 1) & (rows.u8(rows.start + 1) == UNNUMBERED)
    behind, kind, outcome = ppp(rows)
    outcome = unless(rows.short(rows.start + 2), [(~replaced, outcome)])
    return np.where(replaced, rows.start + 2, behind), np.where(replaced, PPP, kind), outcome


def behind_direction(kind: int) -> Header:
    """The header that is one byte of direction; what follows is of the given kind."""

    def direction(rows: Rows) -> Decoded:
        return rows.start + 1, rows.all(kind), rows.short(rows.start + 1)

    return direction


def ppp_protocol(rows: Rows) -> Decoded:
    """The protocol field: one byte if it is odd, as only the last byte of a protocol is."""
    first = rows.u8(rows.start)
    compressed = first & 1 == 1
    behind = rows.start + np.where(compressed, 1, 2)
    protocol = np.where(compressed, first, rows.u16(rows.start))
    kind = by_table(protocol, PROTOCOLS)
    control, header_end = np.isin(protocol, CONTROL_PROTOCOLS), behind + CONTROL_HEADER
    outcome = unless(
        rows.short(behind),
        [
            (control & (header_end > rows.end), rows.short(header_end)),
            (control & ~_is_control(rows, behind), link_kinds.MORE_THAN_UPKEEP),
            (kind == 0, link_kinds.PPP_PROTOCOL | protocol),
        ],
    )
    bridged = protocol == BRIDGED
    if bridged.any():
        inside, refused = _bridged(rows, behind)
        behind = np.where(bridged, inside, behind)
        outcome = unless(outcome, [(bridged, refused)])
    return behind, kind, outcome


def _is_control(rows: Rows, at: I64) -> Bool:
    """(n,) True for what is laid out as LCP's packets; padding may follow (RFC 1661 §2)."""
    length = rows.u16(at + 2)
    fits = (length >= CONTROL_HEADER) & ((at + length <= rows.end) | rows.cut)
    return fits & (rows.u8(at) < CODES_END)


def _bridged(rows: Rows, at: I64) -> tuple[I64, I64]:
    """Where the frame behind each header of RFC 3518 §4.2 begins, and why there is none."""
    flags, sort = rows.u8(at), rows.u8(at + 1)
    inside = at + np.where(flags & LAN_IDENTIFIED != 0, 6, 2)
    spanning_tree, version_end = sort == BRIDGED_SPANNING_TREE, inside + 3
    outcome = unless(
        rows.short(at + 2),
        [
            (spanning_tree & (version_end > rows.end), rows.short(version_end)),
            (spanning_tree & (rows.u24(inside) <= LAST_BPDU), ledger.STP),
            (sort != BRIDGED_ETHERNET, link_kinds.PPP_PROTOCOL | BRIDGED),
            (inside > rows.end, rows.short(inside)),
        ],
    )
    return inside, outcome


def pppoe(rows: Rows) -> Decoded:
    """A session of PPPoE: version, code, session, length. The code is not asked, as Linux does not
    ask it: what sets a session up has an EtherType of its own."""
    behind = rows.start + PPPOE_HEADER
    return behind, rows.all(PPP), rows.short(behind)


def c_hdlc(rows: Rows) -> Decoded:
    """Cisco's HDLC: address, control, then an EtherType; 0x00FE leads to ISO protocols.

    Some send a zero byte before the identifier of an ISO protocol, others do not.
    """
    behind = rows.start + 4
    protocol = rows.u16(rows.start + 2)
    osi = protocol == CISCO_OSI
    padded = osi & np.isin(rows.u8(behind + 1), OSI_KINDS) & (rows.u8(behind) == 0)
    outcome = unless(
        rows.short(behind),
        [
            (protocol == CISCO_SLARP, link_kinds.SLARP),
            (protocol == CISCO_CDP, link_kinds.CDP),
        ],
    )
    padded &= rows.short(behind + 2) == ledger.PACKET
    return behind + padded, np.where(osi, NLPID, protocol), outcome
