"""Pseudo link layers that say the address family, and packets that stand alone. HOT PATH.

Sources: tcpdump.org/linktypes (RAW, IPV4, IPV6, NULL, LOOP, ENC, PFLOG, IPNET, SLIP and the pages
each leads to); RFC 1144 §3.2.3 for what a compressed SLIP packet begins with.
"""

import numpy as np

from egress_audit.columns import I64
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_rows import ANY_IP, IPV4, IPV6, Decoded, Rows, unless

FAMILY_IPV4 = 2
FAMILIES_IPV6 = (10, 23, 24, 28, 30)
"""AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS."""
IPNET_IPV6 = 26
"""AF_INET6 of Solaris."""
ENC_HEADER, IPNET_HEADER, SLIP_HEADER = 12, 24, 16
PFLOG_LEAST = 45
"""What the length field of a PFLOG header counts in its first version, without padding."""


def raw_ip(rows: Rows) -> Decoded:
    """RAW: the packet stands alone, its first nibble says which IP."""
    return rows.start, rows.all(ANY_IP), rows.short(rows.start)


def raw_ipv4(rows: Rows) -> Decoded:
    """LINKTYPE_IPV4."""
    return rows.start, rows.all(IPV4), rows.short(rows.start)


def raw_ipv6(rows: Rows) -> Decoded:
    """LINKTYPE_IPV6."""
    return rows.start, rows.all(IPV6), rows.short(rows.start)


def loop(rows: Rows) -> Decoded:
    """LOOP: four bytes of address family in network order."""
    return _by_family(rows, rows.u32(rows.start), rows.start + 4)


def null(rows: Rows) -> Decoded:
    """NULL: four bytes of address family in the byte order of the machine that captured."""
    return _by_family(rows, _either_order(rows.u32(rows.start)), rows.start + 4)


def enc(rows: Rows) -> Decoded:
    """ENC: family as in NULL, index of the security association, flags; then the plain packet."""
    return _by_family(rows, _either_order(rows.u32(rows.start)), rows.start + ENC_HEADER)


def pflog(rows: Rows) -> Decoded:
    """PFLOG: length of the header without its padding to four bytes, then the family."""
    length = rows.u8(rows.start)
    behind = rows.start + (np.maximum(length, PFLOG_LEAST) + 3 & ~3)
    network, ethertype, outcome = _by_family(rows, rows.u8(rows.start + 1), behind)
    readable = rows.short(rows.start + 2) == ledger.PACKET
    lying = readable & (length < PFLOG_LEAST)
    return network, ethertype, np.where(lying, ledger.LINK_MALFORMED, outcome)


def ipnet(rows: Rows) -> Decoded:
    """IPNET of Solaris: version, family, and where the packet was seen; 24 bytes."""
    family = rows.u8(rows.start + 1)
    known = np.where(family == IPNET_IPV6, FAMILIES_IPV6[0], family)
    return _by_family(rows, known, rows.start + IPNET_HEADER)


def slip(rows: Rows) -> Decoded:
    """SLIP: direction, then 15 bytes that begin as the packet did on the wire.

    What they begin with says whether its TCP/IP headers are compressed (0x80), or whole but for
    the protocol, in whose place stands a connection number (0x70).
    """
    sort = rows.u8(rows.start + 1)
    compressed = (sort >= 0x80) | (sort >> 4 == 7)
    outcome = rows.short(rows.start + SLIP_HEADER)
    outcome = unless(outcome, [(compressed, link_kinds.COMPRESSED_SLIP)])
    return rows.start + SLIP_HEADER, rows.all(ANY_IP), outcome


def _either_order(family: I64) -> I64:
    """Families are small numbers, so the order that makes it smaller is the right one."""
    foreign = family.astype(np.uint32).byteswap().astype(np.int64)
    return np.minimum(family, foreign)


def _by_family(rows: Rows, family: I64, network: I64) -> Decoded:
    v4, v6 = family == FAMILY_IPV4, np.isin(family, FAMILIES_IPV6)
    outcome = unless(rows.short(network), [(~v4 & ~v6, ledger.FAMILY | family)])
    return network, np.where(v6, IPV6, IPV4), outcome
