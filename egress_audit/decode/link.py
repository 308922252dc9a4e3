"""From a frame to the start of its IP header, for each link type. HOT PATH.

Every decoder works on all frames of its link type at once. Sources: IEEE 802.3 and 802.1Q;
RFC 1042 (SNAP); tcpdump.org/linktypes (NULL, LOOP, LINUX_SLL, LINUX_SLL2, RAW).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from egress_audit.columns import I64, U8, Bool, FrameBatch
from egress_audit.decode import ledger

IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
MAX_VLAN_TAGS = 8
FIRST_ETHERTYPE = 0x0600
"""Below it stands a length, and an 802.2 header follows (IEEE 802.3 §3.2.6)."""
SLL_802_2 = 0x0004
"""What the cooked headers have for a protocol where an 802.2 header follows."""
STP_DSAP = 0x42
SNAP = 0xAAAA03


@dataclass(slots=True)
class LinkColumns:
    """Where the network layer begins; one row a frame."""

    network: I64
    """First byte behind the link header, into the buffer."""
    outcome: I64
    """`ledger.PACKET` for what should be IP (not looked at yet), else why it is not."""
    version: U8
    """4 or 6 as the link header says; 0 if it leaves that to the packet."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The frames of one link type: where each begins and ends in the buffer."""

    buffer: U8
    start: I64
    end: I64
    cut: Bool
    """The file holds less of the frame than was on the wire."""

    def u16(self, at: I64) -> I64:
        """Big-endian 16-bit values at `at`; garbage where `at` lies past the frame's end."""
        near = np.minimum(at, len(self.buffer) - 2)
        value: I64 = self.buffer[near].astype(np.int64) << 8 | self.buffer[near + 1]
        return value

    def u32(self, at: I64) -> I64:
        """Big-endian 32-bit values at `at`."""
        return self.u16(at) << 16 | self.u16(at + 2)

    def short(self, at: I64) -> I64:
        """Outcome of frames that end before `at`; PACKET for the others."""
        why = np.where(self.cut, ledger.TRUNCATED, ledger.LINK_MALFORMED)
        outcome: I64 = np.where(at > self.end, why, ledger.PACKET)
        return outcome


def network_layers(batch: FrameBatch) -> LinkColumns:
    """Decodes the link header of every frame of the batch."""
    count = len(batch)
    columns = LinkColumns(batch.offset.copy(), np.zeros(count, np.int64), np.zeros(count, np.uint8))
    for linktype in np.unique(batch.linktype).tolist():
        chosen = np.flatnonzero(batch.linktype == linktype)
        decoder = DECODERS.get(linktype)
        if decoder is None:
            columns.outcome[chosen] = ledger.LINKTYPE | linktype
            continue
        start, caplen = batch.offset[chosen], batch.caplen[chosen]
        rows = Rows(batch.buffer, start, start + caplen, caplen < batch.wirelen[chosen])
        network, ethertype, outcome = decoder(rows)
        columns.network[chosen] = network
        columns.outcome[chosen] = np.where(
            outcome == ledger.PACKET, _outcome_of(ethertype), outcome
        )
        columns.version[chosen] = np.where(ethertype == IPV6, 6, np.where(ethertype == IPV4, 4, 0))
    return columns


def _outcome_of(ethertype: I64) -> I64:
    """PACKET for IP and for ANY_IP, else the EtherType as the reason."""
    is_ip = (ethertype == IPV4) | (ethertype == IPV6) | (ethertype == ANY_IP)
    return np.where(is_ip, ledger.PACKET, ledger.ETHERTYPE | ethertype)


ANY_IP = -1
"""Stands for an EtherType where the link type says IP and the packet says which."""

Decoded = tuple[I64, I64, I64]
"""Start of the network layer, EtherType, outcome so far: each (rows,)."""


def ethernet(rows: Rows) -> Decoded:
    """Ethernet II, 802.3 with SNAP, and any stack of VLAN tags."""
    ethertype = rows.u16(rows.start + 12)
    return _behind_tags(rows, rows.start + 14, ethertype, ethertype < FIRST_ETHERTYPE)


def _behind_tags(rows: Rows, network: I64, ethertype: I64, llc: Bool) -> Decoded:
    """What stands behind the VLAN tags, if any, that begin at `network`.

    ethertype: of the first tag, or of what stands there instead; llc: it is no EtherType but says
    that an 802.2 header follows.
    """
    outcome = rows.short(network)
    for _ in range(MAX_VLAN_TAGS):
        tagged = np.isin(ethertype, VLAN_TAGS) & (outcome == ledger.PACKET)
        if not tagged.any():
            break
        network = network + np.where(tagged, 4, 0)
        outcome = np.where(tagged, rows.short(network), outcome)
        ethertype = np.where(tagged, rows.u16(network - 2), ethertype)
        llc = np.where(tagged, ethertype < FIRST_ETHERTYPE, llc)
    llc &= outcome == ledger.PACKET
    if llc.any():
        return _llc(rows, network, ethertype, outcome, llc)
    return network, ethertype, outcome


def _llc(rows: Rows, network: I64, ethertype: I64, outcome: I64, llc: Bool) -> Decoded:
    """802.2 behind a length: SNAP leads on to an EtherType, spanning tree is known, else not."""
    outcome = np.where(llc, rows.short(network + 3), outcome)
    header = rows.u16(network) << 8 | rows.buffer[np.minimum(network + 2, len(rows.buffer) - 1)]
    alive = llc & (outcome == ledger.PACKET)
    snap = alive & (header == SNAP)
    outcome = np.where(snap, rows.short(network + 8), outcome)
    ethernet_oui = (
        rows.u16(network + 3) << 8 | rows.buffer[np.minimum(network + 5, len(rows.buffer) - 1)]
    )
    snap &= (outcome == ledger.PACKET) & (ethernet_oui == 0)
    spanning_tree = alive & (header >> 16 == STP_DSAP)
    unknown = alive & ~snap & (outcome == ledger.PACKET)
    outcome = np.where(unknown, np.where(spanning_tree, ledger.STP, ledger.LLC), outcome)
    ethertype = np.where(snap, rows.u16(network + 6), ethertype)
    return np.where(snap, network + 8, network), ethertype, outcome


def raw_ip(rows: Rows) -> Decoded:
    """RAW: the packet stands alone, its first nibble says which IP."""
    return rows.start, np.full(len(rows.start), ANY_IP), rows.short(rows.start)


def raw_ipv4(rows: Rows) -> Decoded:
    """LINKTYPE_IPV4."""
    return rows.start, np.full(len(rows.start), IPV4), rows.short(rows.start)


def raw_ipv6(rows: Rows) -> Decoded:
    """LINKTYPE_IPV6."""
    return rows.start, np.full(len(rows.start), IPV6), rows.short(rows.start)


def linux_sll(rows: Rows) -> Decoded:
    """LINUX_SLL: 16 bytes, the protocol in the last two."""
    return _cooked(rows, rows.start + 14, rows.start + 16)


def linux_sll2(rows: Rows) -> Decoded:
    """LINUX_SLL2: 20 bytes, the protocol in the first two."""
    return _cooked(rows, rows.start, rows.start + 20)


def _cooked(rows: Rows, protocol: I64, network: I64) -> Decoded:
    ethertype = rows.u16(protocol)
    return _behind_tags(rows, network, ethertype, ethertype == SLL_802_2)


FAMILY_IPV4 = 2
FAMILIES_IPV6 = (10, 23, 24, 28, 30)
"""AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS."""


def loop(rows: Rows) -> Decoded:
    """LOOP: four bytes of address family in network order."""
    return _family(rows, rows.u32(rows.start))


def null(rows: Rows) -> Decoded:
    """NULL: four bytes of address family in the byte order of the machine that captured.

    Families are small numbers, so the order that makes it smaller is the right one.
    """
    family = rows.u32(rows.start)
    foreign = family.astype(np.uint32).byteswap().astype(np.int64)
    return _family(rows, np.minimum(family, foreign))


def _family(rows: Rows, family: I64) -> Decoded:
    outcome = rows.short(rows.start + 4)
    v4, v6 = family == FAMILY_IPV4, np.isin(family, FAMILIES_IPV6)
    other = ~v4 & ~v6 & (outcome == ledger.PACKET)
    outcome = np.where(other, ledger.FAMILY | family, outcome)
    return rows.start + 4, np.where(v6, IPV6, IPV4), outcome


DECODERS: dict[int, Callable[[Rows], Decoded]] = {
    0: null,
    1: ethernet,
    12: raw_ip,
    14: raw_ip,
    101: raw_ip,
    108: loop,
    113: linux_sll,
    228: raw_ipv4,
    229: raw_ipv6,
    276: linux_sll2,
}
"""LINKTYPE_ → decoder. What is not here is counted by number."""
