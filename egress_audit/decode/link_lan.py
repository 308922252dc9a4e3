"""Networks of the same family as Ethernet that few still have, and ATM. HOT PATH.

Sources: IEEE 802.5 §3 (token ring; its MAC vectors §3.3), ANSI X3.139 (FDDI) and X3.229 (its SMT),
RFC 2625 §3 (Fibre Channel), RFC 2684 (ATM), RFC 4391 §6 (InfiniBand), RFC 2734 (IEEE 1394), RFC
1201 and 1051 (ARCNET); tcpdump.org/linktypes for the headers that stand before them.
"""

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.decode import link_kinds
from egress_audit.decode.link_arp import ARP, RARP
from egress_audit.decode.link_llc import BRIDGED_ETHERNET, BRIDGED_OUI, LLC_SNAP, by_table
from egress_audit.decode.link_rows import (
    ANY_IP,
    ETHERNET,
    IPV4,
    IPV6,
    LLC,
    SHORTEST_PACKET,
    Decoded,
    Rows,
    lasts_to_end,
    unless,
)

TOKEN_RING_HEADER, FDDI_HEADER, FIBRE_CHANNEL_HEADER = 14, 13, 16
MAC_VECTOR = 4
"""Length, classes and command, the least that a MAC frame of a token ring holds."""
RING_CONTROL = (0x00, 0x80, *range(0xC0, 0xD0))
"""Void frames, tokens, claims and beacons of FDDI: a number or an address, if anything."""
STATION_MANAGEMENT = range(0x41, 0x50)
SMT_HEADER, SMT_LENGTH_AT = 20, 18
INFINIBAND_HEADER, FIREWIRE_HEADER = 44, 18
SUNATM_HEADER, LANE_HEADER = 4, 2
TRAFFIC_LANE, TRAFFIC_LLC = 1, 2
SIGNALLING_CIRCUIT, UPKEEP_CIRCUIT = 5, 16
"""Q.2931, which calls a far party by its number, and ILMI, which does not (ATM Forum UNI 3.1)."""
BRIDGE_PAD = 2
ARCNET_NEW = 0x80
"""Protocols from here on begin with the split flag of RFC 1201."""
ARCNET_OLD_HEADER, ARCNET_NEW_HEADER, ARCNET_EXCEPTION = 5, 8, 4
ARCNET_OLD = (0xF0, 0xF1)
ARCNET_KINDS = {0xF0: IPV4, 0xD4: IPV4, 0xC4: IPV6, 0xF1: ARP, 0xD5: ARP, 0xD6: RARP}


def token_ring(rows: Rows) -> Decoded:
    """Access and frame control, two addresses, a route if the source says so; then 802.2."""
    header = rows.start + TOKEN_RING_HEADER
    routed = rows.u8(rows.start + 8) & 0x80 != 0
    behind = header + np.where(routed, np.maximum(rows.u8(header) & 0x1F, 2), 0)
    mac = rows.u8(rows.start + 1) >> 6 == 0
    vector, vector_end = rows.u16(behind), behind + MAC_VECTOR
    upkeep = (vector >= MAC_VECTOR) & lasts_to_end(rows, behind, vector)
    outcome = unless(
        rows.short(header),
        [
            (mac & (vector_end > rows.end), rows.short(vector_end)),
            (mac & upkeep, link_kinds.TOKEN_RING_MAC),
            (mac, link_kinds.MORE_THAN_UPKEEP),
            (behind > rows.end, rows.short(behind)),
        ],
    )
    return behind, rows.all(LLC), outcome


def fddi(rows: Rows) -> Decoded:
    """Frame control and two addresses, then 802.2; other frames keep the ring going, but for those
    whose control is reserved or left to implementers."""
    behind = rows.start + FDDI_HEADER
    control = rows.u8(rows.start)
    ring = np.isin(control, RING_CONTROL) & (rows.end - behind < SHORTEST_PACKET)
    information = SMT_HEADER + rows.u16(behind + SMT_LENGTH_AT)
    management, header = np.isin(control, STATION_MANAGEMENT), behind + SMT_HEADER
    whole = lasts_to_end(rows, behind, information)
    outcome = unless(
        rows.short(behind),
        [
            (management & (header > rows.end), rows.short(header)),
            (ring | management & whole, link_kinds.FDDI_MAC),
            (control & 0x70 != 0x50, link_kinds.MORE_THAN_UPKEEP),
        ],
    )
    return behind, rows.all(LLC), outcome


def ip_over_fibre_channel(rows: Rows) -> Decoded:
    """The network header of RFC 2625, then 802.2."""
    behind = rows.start + FIBRE_CHANNEL_HEADER
    return behind, rows.all(LLC), rows.short(behind)


def ip_over_infiniband(rows: Rows) -> Decoded:
    """A global routing header, then an EtherType and two bytes that are reserved."""
    behind = rows.start + INFINIBAND_HEADER
    return behind, rows.u16(behind - 4), rows.short(behind)


def ip_over_firewire(rows: Rows) -> Decoded:
    """Two addresses of eight bytes, then an EtherType."""
    behind = rows.start + FIREWIRE_HEADER
    return behind, rows.u16(behind - 2), rows.short(behind)


def atm(rows: Rows) -> Decoded:
    """ATM_RFC1483: 802.2; bridged frames have two bytes of padding before them."""
    return _logical_link(rows, rows.start)


def classical_ip(rows: Rows) -> Decoded:
    """ATM_CLIP: 802.2 with SNAP, or a packet without any header."""
    plain = (rows.u8(rows.start) != LLC_SNAP >> 16) | (rows.start == rows.end)
    behind, kind, outcome = _logical_link(rows, rows.start)
    return np.where(plain, rows.start, behind), np.where(plain, ANY_IP, kind), outcome


def sun_atm(rows: Rows) -> Decoded:
    """SUNATM: sort of traffic, path and circuit; then LAN emulation or 802.2."""
    traffic = rows.u8(rows.start) & 15
    path, circuit = rows.u8(rows.start + 1), rows.u16(rows.start + 2)
    lane, header = traffic == TRAFFIC_LANE, rows.start + SUNATM_HEADER
    behind, kind, _ = _logical_link(rows, header)
    behind = np.where(lane, header + LANE_HEADER, behind)
    outcome = unless(
        rows.short(header),
        [
            ((path == 0) & (circuit == SIGNALLING_CIRCUIT), link_kinds.ATM_SIGNALLING),
            ((path == 0) & (circuit == UPKEEP_CIRCUIT), link_kinds.ATM_UPKEEP),
            (~lane & (traffic != TRAFFIC_LLC), link_kinds.ATM_TRAFFIC),
            (behind > rows.end, rows.short(behind)),
        ],
    )
    return behind, np.where(lane, ETHERNET, kind), outcome


def _logical_link(rows: Rows, at: I64) -> Decoded:
    """802.2 at `at`, or the frame that it bridges, past the padding of RFC 2684 §5.2."""
    bridged: Bool = (rows.u24(at) == LLC_SNAP) & (rows.u24(at + 3) == BRIDGED_OUI)
    bridged &= np.isin(rows.u16(at + 6), BRIDGED_ETHERNET) & (at + 8 <= rows.end)
    behind = np.where(bridged, at + 8 + BRIDGE_PAD, at)
    return behind, np.where(bridged, ETHERNET, LLC), rows.short(behind)


def arcnet_linux(rows: Rows) -> Decoded:
    """ARCNET_LINUX: two addresses, an offset, the protocol, and for most a split flag.

    Only what was sent whole is read: the rest of a split packet is in other frames.
    """
    protocol = rows.u8(rows.start + 4)
    old = np.isin(protocol, ARCNET_OLD) | (protocol < ARCNET_NEW)
    exception = ~old & (rows.u8(rows.start + 5) == 0xFF)
    header = np.where(old, ARCNET_OLD_HEADER, ARCNET_NEW_HEADER)
    behind = rows.start + header + np.where(exception, ARCNET_EXCEPTION, 0)
    flag = rows.u8(rows.start + 5 + np.where(exception, ARCNET_EXCEPTION, 0))
    kind = by_table(protocol, ARCNET_KINDS)
    outcome = unless(
        rows.short(rows.start + ARCNET_OLD_HEADER),
        [
            (kind == 0, link_kinds.ARCNET_PROTOCOL),
            (behind > rows.end, rows.short(behind)),
            (~old & (flag != 0), link_kinds.ARCNET_FRAGMENT),
        ],
    )
    return behind, kind, outcome
