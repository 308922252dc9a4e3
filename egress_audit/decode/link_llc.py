"""IEEE 802.2, its extension SNAP, and the network layer identifiers of ISO. HOT PATH.

Sources: IEEE 802.2 §3 and §5.4; RFC 1042 (SNAP); RFC 2427 §4 and RFC 2684 §5 (bridged frames);
ISO/IEC TR 9577 (NLPID); IEEE 802.1H (the tunnel's organisation).
"""

import numpy as np

from egress_audit.columns import I64
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_rows import (
    ANY_IP,
    ETHERNET,
    IPV4,
    IPV6,
    NLPID,
    PPP,
    SNAP,
    Decoded,
    Rows,
    unless,
)

STP_DSAP = 0x42
LLC_SNAP, LLC_ISO, LLC_IP = 0xAAAA03, 0xFEFE03, 0x060603
NETBEUI_SAPS = (0xF0F0, 0xF0F1)
"""NetBIOS frames, asking and answering; the protocol has no network layer."""
PROBES = (0xAF, 0xE3)
"""XID and TEST, the poll bit aside."""

ETHERNET_OUI, TUNNEL_OUI, BRIDGED_OUI, CISCO_OUI = 0x000000, 0x0000F8, 0x0080C2, 0x00000C
BRIDGED_ETHERNET = (1, 7)
BRIDGED_SPANNING_TREE = 0x0E
CISCO_KINDS = {
    0x0104: link_kinds.PAGP,
    0x010B: ledger.STP,
    0x0111: link_kinds.UDLD,
    0x2000: link_kinds.CDP,
    0x2003: link_kinds.VTP,
    0x2004: link_kinds.DTP,
}

CIRCUIT_CALLS = 0x08
"""Q.933. Without a call reference it is about the state of circuits; with one it may call a far
party by its number."""
NLPID_KINDS = {0xCC: IPV4, 0x8E: IPV6, 0x80: SNAP, 0xCF: PPP}


def llc(rows: Rows) -> Decoded:
    """An 802.2 header: SNAP, ISO and IP lead on; some kinds are known to end at the link."""
    header = rows.u24(rows.start)
    snap, iso, ip = (header == known for known in (LLC_SNAP, LLC_ISO, LLC_IP))
    outcome = unless(
        rows.short(rows.start + 3),
        [
            (header >> 16 == STP_DSAP, ledger.STP),
            (np.isin(header & 0xEF, PROBES), link_kinds.LLC_PROBE),
            (np.isin(header >> 8, NETBEUI_SAPS), link_kinds.NETBEUI),
            (~(snap | iso | ip), ledger.LLC),
        ],
    )
    kind = np.where(snap, SNAP, np.where(iso, NLPID, ANY_IP))
    return rows.start + 3, kind, outcome


def snap(rows: Rows) -> Decoded:
    """Organisation and protocol: an EtherType, a bridged frame, or what Cisco's switches say."""
    organisation, protocol = rows.u24(rows.start), rows.u16(rows.start + 3)
    typed = (organisation == ETHERNET_OUI) | (organisation == TUNNEL_OUI)
    relayed = organisation == BRIDGED_OUI
    bridged = relayed & np.isin(protocol, BRIDGED_ETHERNET)
    cisco = organisation == CISCO_OUI
    known = [(cisco & (protocol == number), kind) for number, kind in CISCO_KINDS.items()]
    outcome = unless(
        rows.short(rows.start + 5),
        [
            *known,
            (relayed & (protocol == BRIDGED_SPANNING_TREE), ledger.STP),
            (~typed & ~bridged, ledger.LLC),
        ],
    )
    return rows.start + 5, np.where(bridged, ETHERNET, protocol), outcome


def nlpid(rows: Rows) -> Decoded:
    """One byte of ISO/IEC TR 9577."""
    value = rows.u8(rows.start)
    kind = by_table(value, NLPID_KINDS)
    status = (value == CIRCUIT_CALLS) & (rows.u8(rows.start + 1) == 0)
    status &= rows.start + 2 <= rows.end
    outcome = unless(
        rows.short(rows.start + 1),
        [(status, link_kinds.CIRCUIT_STATUS), (kind == 0, link_kinds.NLPID | value)],
    )
    return rows.start + 1, kind, outcome


def by_table(values: I64, table: dict[int, int]) -> I64:
    """What the table has for each value; 0 where it has nothing."""
    found = np.zeros(len(values), np.int64)
    for value, kind in table.items():
        found[values == value] = kind
    return found
