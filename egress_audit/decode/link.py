"""From a frame to the start of its IP header, for each link type. HOT PATH.

A header leads to the next: a link type, an EtherType or one of the kinds of `link_rows` names the
function that reads it. Each reads its header in all rows at once; `_followed` goes on with those
that lead to another header, until none does. Source: tcpdump.org/linktypes for the numbers; the
other link_*.py files name theirs.
"""

from functools import partial

import numpy as np

from egress_audit.columns import I64, U8, Bool, FrameBatch, rows_of
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_80211 import avs, ieee80211, ieee80211_padded, prism, radiotap
from egress_audit.decode.link_arp import ARP, RARP, resolution
from egress_audit.decode.link_bsd import (
    enc,
    ipnet,
    loop,
    null,
    pflog,
    raw_ip,
    raw_ipv4,
    raw_ipv6,
    slip,
)
from egress_audit.decode.link_cooked import linux_sll, linux_sll2, nflog, pktap, ppi, user2
from egress_audit.decode.link_ethernet import (
    docsis,
    ethernet_header,
    frame_behind,
    macsec,
    tag_of,
    trill,
)
from egress_audit.decode.link_frame_relay import frame_relay
from egress_audit.decode.link_lan import (
    arcnet_linux,
    atm,
    classical_ip,
    fddi,
    ip_over_fibre_channel,
    ip_over_firewire,
    ip_over_infiniband,
    sun_atm,
    token_ring,
)
from egress_audit.decode.link_llc import llc, nlpid, snap
from egress_audit.decode.link_mpls import mpls
from egress_audit.decode.link_ppp import (
    behind_direction,
    c_hdlc,
    ppp,
    ppp_pppd,
    ppp_protocol,
    pppoe,
)
from egress_audit.decode.link_rows import (
    ANY_IP,
    C_HDLC,
    FIRST_LINKTYPE,
    FRELAY,
    IPV4,
    IPV6,
    LLC,
    NLPID,
    PPP,
    PPP_SERIAL,
    SNAP,
    WLAN_PADDED,
    Decoded,
    Header,
    Rows,
)
from egress_audit.values import dataclass

MAX_HEADERS = 16
"""Link headers behind the first; each costs a pass over the rows that have it."""


@dataclass(slots=True)
class LinkColumns:
    """Where the network layer begins; one row a frame."""

    network: I64
    """First byte behind the link header, into the buffer."""
    outcome: I64
    """`ledger.PACKET` for what should be IP (not looked at yet), else why it is not."""
    version: U8
    """4 or 6 as the link header says; 0 if it leaves that to the packet."""


def network_layers(batch: FrameBatch) -> LinkColumns:
    """Decodes the link header of every frame of the batch."""
    first = int(batch.linktype[0]) if len(batch) else 0
    if first in DECODERS and not (batch.linktype != first).any():
        return LinkColumns(*_of_linktype(first, batch, np.arange(len(batch))))
    outcome = ledger.LINKTYPE | batch.linktype.astype(np.int64)
    columns = LinkColumns(batch.offset.copy(), outcome, np.zeros(len(batch), np.uint8))
    for linktype in DECODERS.keys() & set(np.unique(batch.linktype).tolist()):
        chosen = np.flatnonzero(batch.linktype == linktype)
        found = _of_linktype(linktype, batch, chosen)
        columns.network[chosen], columns.outcome[chosen], columns.version[chosen] = found
    return columns


def _of_linktype(linktype: int, batch: FrameBatch, chosen: I64) -> tuple[I64, I64, U8]:
    """The fields of LinkColumns for frames of one link type. chosen: indexes, ascending."""
    start, caplen = batch.offset.take(chosen), rows_of(batch.caplen, chosen)
    rows = Rows(batch.buffer, start, start + caplen, caplen < rows_of(batch.wirelen, chosen))
    return _with_version(*DECODERS[linktype](rows))


def behind(kind: int, rows: Rows) -> LinkColumns:
    """Where the network layer begins of what begins with another header. kind: one of HEADERS."""
    return LinkColumns(*_with_version(*_followed(HEADERS[kind], rows)))


def _with_version(network: I64, ethertype: I64, outcome: I64) -> tuple[I64, I64, U8]:
    """The fields of LinkColumns for what a decoder found."""
    ipv4, ipv6 = ethertype == IPV4, ethertype == IPV6
    version = ipv4.view(np.uint8) * np.uint8(4) + ipv6.view(np.uint8) * np.uint8(6)
    other = np.flatnonzero((version == 0) & (outcome == ledger.PACKET))
    if len(other):
        kind = ethertype[other]
        outcome[other] = np.where(kind == ANY_IP, ledger.PACKET, ledger.ETHERTYPE | kind)
    return network, outcome, version


def _followed(header: Header, rows: Rows) -> Decoded:
    """What the first header leads to, once every header behind it has been read."""
    at, kind, outcome = header(rows)
    for _ in range(MAX_HEADERS):
        going = _unfinished(kind, outcome)
        if not len(going):
            return at, kind, outcome
        # One header of each row in a pass: what it leads to waits for the next.
        kinds = kind[going]
        for known in HEADERS.keys() & _distinct(kinds):
            chosen = going[kinds == known]
            inside = rows.inside(chosen, at[chosen])
            at[chosen], kind[chosen], outcome[chosen] = HEADERS[known](inside)
        strange = kinds <= FIRST_LINKTYPE
        if strange.any():
            unknown = going[strange & ~np.isin(kinds, KINDS)]
            outcome[unknown] = ledger.LINKTYPE | FIRST_LINKTYPE - kind[unknown]
    going = _unfinished(kind, outcome)
    outcome[going[kind[going] < ANY_IP]] = link_kinds.NESTED
    return at, kind, outcome


def _distinct(kinds: I64) -> set[int]:
    """The values in a column of one row or more; most often there is one."""
    first: int = kinds[0].item()
    if (kinds == first).all():
        return {first}
    # Asked for nothing else, np.unique would import numpy.ma: 8 ms.
    return set(np.unique(kinds, return_counts=True)[0].tolist())


def _unfinished(kind: I64, outcome: I64) -> I64:
    """Indexes of the rows that lead to another link header. IP, the common case, is sorted out
    before the table is asked."""
    other = np.flatnonzero((kind != IPV4) & (kind != IPV6))
    if not len(other):
        return other
    other = other[outcome[other] == ledger.PACKET]
    kind = kind[other]
    # A negative index would count from the end of the table.
    known = IS_KIND[np.maximum(kind, LEAST_KIND) - LEAST_KIND] | (kind <= FIRST_LINKTYPE)
    unfinished: I64 = other[known]
    return unfinished


LINK_HEADERS: dict[int, Header] = {
    0: null,
    1: ethernet_header,
    6: token_ring,
    8: slip,
    9: ppp,
    10: fddi,
    12: raw_ip,
    14: raw_ip,
    50: ppp,
    51: pppoe,
    100: atm,
    101: raw_ip,
    104: c_hdlc,
    105: ieee80211,
    106: classical_ip,
    107: frame_relay,
    108: loop,
    109: enc,
    113: linux_sll,
    117: pflog,
    119: prism,
    122: ip_over_fibre_channel,
    123: sun_atm,
    127: radiotap,
    129: arcnet_linux,
    138: ip_over_firewire,
    143: docsis,
    149: user2,
    163: avs,
    166: ppp_pppd,
    192: ppi,
    204: behind_direction(PPP_SERIAL),
    205: behind_direction(C_HDLC),
    206: behind_direction(FRELAY),
    226: ipnet,
    228: raw_ipv4,
    229: raw_ipv6,
    239: nflog,
    240: frame_behind(4),
    241: frame_behind(12),
    242: ip_over_infiniband,
    258: pktap,
    276: linux_sll2,
    281: tag_of(16),
    282: frame_behind(4),
    284: tag_of(16),
    285: tag_of(20),
}
"""LINKTYPE_ → its header. What is not here is counted by number."""

HEADERS: dict[int, Header] = {
    **{FIRST_LINKTYPE - number: header for number, header in LINK_HEADERS.items()},
    LLC: llc,
    SNAP: snap,
    NLPID: nlpid,
    PPP: ppp_protocol,
    WLAN_PADDED: ieee80211_padded,
    **dict.fromkeys((0x8100, 0x88A8, 0x9100), tag_of(2)),
    **dict.fromkeys((0x8926, 0x892F), tag_of(4)),
    **dict.fromkeys((0x893F, 0x8909), tag_of(6)),
    **dict.fromkeys((0x8847, 0x8848), mpls),
    ARP: resolution(ARP),
    RARP: resolution(RARP),
    0x22F3: trill,
    0x880B: ppp_protocol,
    0x8864: pppoe,
    0x88E5: macsec,
    0x88E7: frame_behind(4),
    0x8903: frame_behind(2),
}
"""EtherType or kind of `link_rows` → the header that it announces."""

KINDS = np.array(sorted(HEADERS), np.int64)
LEAST_KIND = FIRST_LINKTYPE
IS_KIND: Bool = np.isin(np.arange(LEAST_KIND, 1 << 16), KINDS)
"""Whether a kind has a header: EtherTypes, and the kinds below them, from LEAST_KIND on."""

DECODERS = {number: partial(_followed, header) for number, header in LINK_HEADERS.items()}
"""LINKTYPE_ → decoder: rows in, network layer out."""
