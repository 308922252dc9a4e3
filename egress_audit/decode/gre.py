"""GRE and what is like it: PPTP, ERSPAN, EtherIP, MPLS in IP, L2TPv3 over IP. HOT PATH.

Sources: RFC 2784 and 2890 (GRE), RFC 2637 §4.1 (PPTP), draft-foschiano-erspan-03 (ERSPAN),
draft-wilson-wrec-wccp-v2-01 §4.12 (WCCP), RFC 3378 (EtherIP), RFC 4023 (MPLS), RFC 3931 §4.1
(L2TPv3).
"""

import numpy as np

from egress_audit.columns import I64
from egress_audit.decode.contents import (
    ETHERNET,
    IP,
    IPV4,
    IPV6,
    MPLS,
    NOTHING,
    PPP,
    SEALED,
    Inside,
    sealed,
)
from egress_audit.decode.link_rows import Rows

CHECKSUM, ROUTING, KEY, SEQUENCE, ACKNOWLEDGEMENT = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
ERSPAN_1_2, ERSPAN_3, WCCP, PPP_TYPE = 0x88BE, 0x22EB, 0x883E, 0x880B
INSIDE_OF = {
    0x0800: IPV4,
    0x86DD: IPV6,
    0x6558: ETHERNET,
    PPP_TYPE: PPP,
    0x8847: MPLS,
    0x8848: MPLS,
}
"""Protocol type → what is inside (IANA EtherTypes)."""
COOKIES = (4, 8, 12, 16)
"""Where the frame of an L2TPv3 session may begin behind its id: only its ends know which cookie
and sublayer they agreed on (RFC 3931 §4.1)."""


def by_ethertype(inside: Inside, ethertype: I64, at: I64) -> None:
    """Notes what EtherTypes say is inside."""
    for number, what in INSIDE_OF.items():
        inside.choose(ethertype == number, what, at)


def gre(rows: Rows) -> Inside:
    """GRE of version 0 and of version 1, which is PPTP's."""
    flags, kind = rows.u16(rows.start), rows.u16(rows.start + 2)
    version = flags & 7
    at = rows.start + 4
    for flag in (CHECKSUM, KEY, SEQUENCE):
        at = at + np.where(flags & flag != 0, 4, 0)
    inside = sealed(rows)
    by_ethertype(inside, kind, at)
    _erspan(rows, inside, kind, flags & SEQUENCE != 0, at)
    redirected = kind == WCCP
    if redirected.any():
        plain = rows.u8(at) >> 4 == 4
        inside.choose(redirected, IPV4, at + np.where(plain, 0, 4))
    # A keep-alive is a header and nothing else.
    inside.choose((at >= rows.end) & ~rows.cut, NOTHING, at)
    inside.what[(flags & ROUTING != 0) | (version > 1)] = SEALED
    if (version == 1).any():
        _pptp(rows, inside, flags, kind)
    return inside


def _pptp(rows: Rows, inside: Inside, flags: I64, kind: I64) -> None:
    """Enhanced GRE: the key holds length and call; what ends with its header only answers. Length
    and sequence number are not asked, since a packet stands there whatever they say."""
    enhanced = flags & 7 == 1
    inside.what[enhanced] = SEALED
    good = enhanced & (kind == PPP_TYPE) & (flags & KEY != 0)
    at = rows.start + 8 + np.where(flags & SEQUENCE != 0, 4, 0)
    at = at + np.where(flags & ACKNOWLEDGEMENT != 0, 4, 0)
    inside.choose(good, PPP, at)
    inside.choose(good & (at >= rows.end) & ~rows.cut, NOTHING, at)


def _erspan(rows: Rows, inside: Inside, kind: I64, numbered: I64, at: I64) -> None:
    """Mirrored frames: type I has no header of its own, II eight bytes, III twelve or twenty."""
    old, new = kind == ERSPAN_1_2, kind == ERSPAN_3
    if old.any():
        inside.choose(old, ETHERNET, at + np.where(numbered, 8, 0))
    if new.any():
        last = rows.u16(at + 10)
        behind = at + 12 + np.where(last & 1 != 0, 8, 0)
        kind = last >> 10 & 31
        inside.choose(new & (kind == 0), ETHERNET, behind)
        inside.choose(new & (kind == 2), IP, behind)


def etherip(rows: Rows) -> Inside:
    """Two bytes of version 3, then a frame."""
    inside = sealed(rows)
    inside.choose(rows.u16(rows.start) == 0x3000, ETHERNET, rows.start + 2)
    return inside


def mpls(rows: Rows) -> Inside:
    """Labels from the first byte on."""
    inside = sealed(rows)
    inside.what[:] = MPLS
    return inside


def l2tpv3(rows: Rows) -> Inside:
    """A session id and a frame somewhere behind it; id 0 is control."""
    inside = sealed(rows)
    session = rows.start
    for distance in reversed(COOKIES):
        at = session + distance
        kind, first = rows.u16(at + 12), rows.u8(at + 14)
        fits = (kind == 0x0800) & (first >> 4 == 4) | (kind == 0x86DD) & (first >> 4 == 6)
        fits |= (kind == 0x0806) & (rows.u16(at + 14) == 1)
        inside.choose(fits & (at + 15 < rows.end), ETHERNET, at)
        ppp = (rows.u16(at) == 0xFF03) & (at + 4 <= rows.end)
        inside.choose(ppp, PPP, at)
    inside.choose(rows.u32(session) == 0, NOTHING, session + 4)
    return inside
