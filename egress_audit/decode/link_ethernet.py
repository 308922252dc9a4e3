"""Ethernet, and the tags that stand between its addresses and what it carries. HOT PATH.

Sources: IEEE 802.3 §3.2.6, 802.1Q (tags, I-TAG, E-TAG), 802.1AE §9 (MACsec), IEC 62439-3 (HSR),
RFC 6325 §3 (TRILL), tcpdump.org/linktypes (DSA_TAG_*, BRCM_PREPEND, NETANALYZER); for Cisco's
ISL, VN-Tag, FabricPath and metadata header the dissectors of Wireshark.
"""

import numpy as np

from egress_audit.columns import I64
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_rows import (
    ETHERNET,
    LLC,
    SHORTEST_PACKET,
    Decoded,
    Header,
    Rows,
    lasts_to_end,
    unless,
)

FIRST_ETHERTYPE = 0x0600
"""Below it stands a length, and an 802.2 header follows (IEEE 802.3 §3.2.6)."""
ISL_HEADER = 26
ISL_GROUPS = (0x01000C00, 0x0C000C00)
"""First four bytes of the addresses that ISL sends to; the fifth is zero."""
SECTAG, SECTAG_SCI = 6, 14
"""Security tag behind its EtherType, without and with the secure channel identifier."""
SCI_PRESENT, ENCRYPTED_OR_CHANGED = 0x20, 0x0C


def ethernet_header(rows: Rows) -> Decoded:
    """Two addresses, then an EtherType, or a length before 802.2; ISL wraps a frame whole."""
    network, ethertype, outcome = _typed(rows, rows.start + 12)
    length = np.flatnonzero((ethertype == LLC) & (outcome == ledger.PACKET))
    if len(length):
        first = rows.start[length]
        isl = np.isin(rows.u32(first), ISL_GROUPS) & (rows.u8(first + 4) == 0)
        wrapped = length[isl & (rows.u24(first + 14) == 0xAAAA03)]
        network[wrapped] = rows.start[wrapped] + ISL_HEADER
        ethertype[wrapped] = ETHERNET
        outcome[wrapped] = rows.short(network)[wrapped]
    return network, ethertype, outcome


def _typed(rows: Rows, at: I64) -> Decoded:
    """What the EtherType at `at` says follows; a length says 802.2."""
    ethertype = rows.u16(at)
    kind = np.where(ethertype < FIRST_ETHERTYPE, LLC, ethertype)
    return at + 2, kind, rows.short(at + 2)


def tag_of(length: int) -> Header:
    """The header that skips a tag of `length` bytes and goes on at the EtherType behind it."""

    def tag(rows: Rows) -> Decoded:
        return _typed(rows, rows.start + length)

    return tag


def frame_behind(length: int) -> Header:
    """The header that skips `length` bytes and goes on with a whole Ethernet frame."""

    def prefix(rows: Rows) -> Decoded:
        behind = rows.start + length
        return behind, rows.all(ETHERNET), rows.short(behind)

    return prefix


def trill(rows: Rows) -> Decoded:
    """TRILL: six bytes, options by the word, then the frame that is carried."""
    words = rows.u16(rows.start) >> 6 & 31
    behind = rows.start + 6 + 4 * words
    return behind, rows.all(ETHERNET), rows.short(behind)


def macsec(rows: Rows) -> Decoded:
    """A security tag; what follows is readable only if it is neither encrypted nor changed."""
    control = rows.u8(rows.start)
    length = np.where(control & SCI_PRESENT != 0, SECTAG_SCI, SECTAG)
    network, ethertype, typed = _typed(rows, rows.start + length)
    outcome = rows.short(rows.start + 1)
    secret = control & ENCRYPTED_OR_CHANGED != 0
    outcome = unless(outcome, [(secret, link_kinds.ENCRYPTED_MACSEC), (typed != 0, typed)])
    return network, ethertype, outcome


DOCSIS_HEADER = 6
PRIVACY_ELEMENTS = (3, 4, 7)
"""Baseline privacy: upstream, downstream, upstream with another layout."""
TIMING, MANAGEMENT, REQUEST, QUEUE_DEPTH = 0, 1, 2, 4
"""Sorts of MAC frames that carry nobody's packet; fragments and concatenations do."""
MANAGEMENT_ADDRESSES, MANAGEMENT_LLC = 14, 0x000003
"""Bytes up to and with the length of a management message, and its 802.2 behind them."""


def docsis(rows: Rows) -> Decoded:
    """DOCSIS: frame control, length of the extended header, then an Ethernet frame.

    Source: CableLabs CM-SP-MULPIv3.1 §6.2 (frame control; .4 MAC frames), §6.2.5 (extended
    header), §6.4.1 (management messages).
    """
    control = rows.u8(rows.start)
    extended = np.where(control & 1 != 0, rows.u8(rows.start + 1), 0)
    behind = rows.start + DOCSIS_HEADER + extended
    element, enabled = rows.u8(rows.start + 4) >> 4, rows.u8(rows.start + 6) & 0x80 != 0
    left, sort = rows.end - behind, control >> 1 & 31
    message = behind + MANAGEMENT_ADDRESSES
    mac, managed = control >> 6 == 3, np.isin(sort, (TIMING, MANAGEMENT))
    upkeep = lasts_to_end(rows, message, rows.u16(message - 2))
    upkeep &= managed & (rows.u24(message) == MANAGEMENT_LLC)
    upkeep |= np.isin(sort, (REQUEST, QUEUE_DEPTH)) & (left < SHORTEST_PACKET)
    secret = (extended >= 3) & np.isin(element, PRIVACY_ELEMENTS) & enabled
    outcome = unless(
        rows.short(rows.start + DOCSIS_HEADER),
        [
            (mac & (behind > rows.end), rows.short(behind)),
            (mac & managed & (message + 3 > rows.end), rows.short(message + 3)),
            (mac & upkeep, link_kinds.DOCSIS_MANAGEMENT),
            (control >> 1 != 0, link_kinds.DOCSIS_FRAME),
            (behind > rows.end, rows.short(behind)),
            (secret, link_kinds.ENCRYPTED_DOCSIS),
        ],
    )
    return behind, rows.all(ETHERNET), outcome
