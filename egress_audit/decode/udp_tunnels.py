"""Tunnels over UDP: where in their payload the packet begins. HOT PATH.

Sources: RFC 7348 (VXLAN), draft-ietf-nvo3-vxlan-gpe-12 (VXLAN-GPE), RFC 8926 (Geneve), 3GPP
TS 29.281 §5 (GTP-U) and TS 09.60 §6, §7.1 (its version 0), RFC 4380 §5.1.1 (Teredo), RFC 2661
§3.1 and RFC 3931 §4.1.2 (L2TP), RFC 3948 (ESP and IKE), RFC 9300 §5 (LISP), RFC 9301 §5.1 and §5.8
(its control), draft-ietf-intarea-gue-09 (GUE), draft-massar-v6ops-ayiya-02, RFC 7450 §5.1 (AMT),
RFC 8489 §5 (STUN), RFC 8656 §12.4 and §18 (TURN); packet-bat.c of Wireshark (the gateway of
B.A.T.M.A.N.).
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
from egress_audit.decode.gre import by_ethertype, l2tpv3
from egress_audit.decode.link_rows import Rows

MAX_EXTENSIONS = 8
"""Extension headers of GTP-U that are followed; two is what is in use."""
T_PDU = 255
GTP_SIGNALS = (1, 2, 26, 31, 253, 254)
"""Echo, error indication, supported extension headers, tunnel status, end marker."""

GTP_2 = 2
"""The version of control that has no packets (TS 29.274 §5)."""
GTP_0_HEADER = 20
GTP_0_SIGNALS = (*range(1, 8), *range(16, 31), *range(32, 38), *range(48, 53))
"""Path, tunnel, location and mobility management."""

LISP_ENCAPSULATED = 8

AMT_PACKETS = {4: 12, 5: 12, 6: 2}
"""Query, update and data of AMT → bytes before the packet."""

STUN_COOKIE = 0x2112, 0xA442
STUN_CLASS = 0x0110
"""The two bits of a message's type that are not of its method."""
TURN_METHODS = (3, 4, 6, 7, 8, 9)
"""Allocate, Refresh, Send, Data, CreatePermission, ChannelBind."""
FIRST_CHANNEL, LAST_CHANNEL, CHANNEL_HEADER, UNIT = 0x4000, 0x4FFF, 4, 4


def vxlan(rows: Rows) -> Inside:
    """Eight bytes, of which the flag I must be set, then a frame."""
    inside = sealed(rows)
    valid = (rows.u8(rows.start) & 0x08 != 0) & (rows.u8(rows.start + 7) == 0)
    inside.choose(valid, ETHERNET, rows.start + 8)
    return inside


def vxlan_gpe(rows: Rows) -> Inside:
    """VXLAN whose header may say what is inside."""
    inside = sealed(rows)
    flags, said = rows.u8(rows.start), rows.u8(rows.start + 3)
    valid = (flags & 0x08 != 0) & (flags & 0x30 == 0)
    at = rows.start + 8
    typed = valid & (flags & 0x04 != 0)
    inside.choose(valid & ~typed, ETHERNET, at)
    for number, what in ((1, IPV4), (2, IPV6), (3, ETHERNET), (5, MPLS)):
        inside.choose(typed & (said == number), what, at)
    return inside


def geneve(rows: Rows) -> Inside:
    """Version 0, options in words of four bytes, an EtherType."""
    inside = sealed(rows)
    first, at = rows.u8(rows.start), rows.start + 8
    by_ethertype(inside, rows.u16(rows.start + 2), at + (first & 0x3F) * 4)
    valid = (first >> 6 == 0) & (rows.u8(rows.start + 1) & 0x3F == 0)
    inside.what[~valid] = SEALED
    return inside


def gtp_u(rows: Rows) -> Inside:
    """Version 1: a packet behind optional fields and extension headers, or a signal."""
    inside = sealed(rows)
    flags, kind = rows.u8(rows.start), rows.u8(rows.start + 1)
    valid = (flags >> 4 == 3) & (rows.u16(rows.start + 2) <= rows.end - rows.start - 8)
    valid |= (flags >> 4 == 3) & rows.cut
    optional = flags & 7 != 0
    at = rows.start + np.where(optional, 12, 8)
    more = valid & (flags & 4 != 0) & (rows.u8(rows.start + 11) != 0)
    for _ in range(MAX_EXTENSIONS):
        if not more.any():
            break
        size = rows.u8(at) * 4
        good = (size > 0) & (at + size <= rows.end)
        valid &= good | ~more
        at = at + np.where(more & good, size, 0)
        more &= good & (rows.u8(at - 1) != 0)
    inside.choose(valid & ~more & (kind == T_PDU), IP, at)
    inside.choose(valid & np.isin(kind, GTP_SIGNALS), NOTHING, at)
    return inside


def gtp_c(rows: Rows) -> Inside:
    """Control of GTP carries no packet, but what receives it would take one."""
    inside = gtp_u(rows)
    packet = (rows.u8(rows.start) >> 5 != GTP_2) & (rows.u8(rows.start + 1) == T_PDU)
    inside.choose(~packet, NOTHING, rows.start)
    return inside


def gtp_0(rows: Rows) -> Inside:
    """Version 0: a packet behind 20 bytes, or a signal; without its protocol bit it is GTP', which
    carries records for a bill."""
    inside = sealed(rows)
    flags, kind = rows.u8(rows.start), rows.u8(rows.start + 1)
    left = rows.end - rows.start - GTP_0_HEADER
    valid = (flags >> 4 == 1) & ((rows.u16(rows.start + 2) <= left) | rows.cut)
    at = rows.start + GTP_0_HEADER
    inside.choose(valid & (kind == T_PDU), IP, at)
    inside.choose(valid & np.isin(kind, GTP_0_SIGNALS), NOTHING, rows.start)
    inside.choose((flags & 0x10 == 0) & (kind != T_PDU), NOTHING, rows.start)
    return inside


def teredo(rows: Rows) -> Inside:
    """IPv6, behind an authentication and an origin header or none."""
    inside = sealed(rows)
    at = rows.start
    secured = rows.u16(at) == 0x0001
    at = at + np.where(secured, 13 + rows.u8(at + 2) + rows.u8(at + 3), 0)
    at = at + np.where(rows.u16(at) == 0, 8, 0)
    inside.choose(rows.u8(at) >> 4 == 6, IPV6, at)
    return inside


def l2tp(rows: Rows) -> Inside:
    """Version 2 with PPP, or version 3 with what its ends agreed on; control carries no packet."""
    flags, at = rows.u16(rows.start), rows.start + 2
    inside = sealed(rows)
    version = flags & 0xF
    if (version == 3).any():
        inside = l2tpv3(Rows(rows.buffer, rows.start + 4, rows.end, rows.cut))
        inside.what[version != 3] = SEALED
    at = at + np.where(flags & 0x4000 != 0, 2, 0) + 4
    at = at + np.where(flags & 0x0800 != 0, 4, 0)
    at = at + np.where(flags & 0x0200 != 0, 2 + rows.u16(at), 0)
    inside.choose((version == 2) & (flags & 0x8000 == 0), PPP, at)
    inside.choose(np.isin(version, (2, 3)) & (flags & 0x8000 != 0), NOTHING, rows.start + 2)
    return inside


def esp_in_udp(rows: Rows) -> Inside:
    """Encrypted; a single byte 0xFF only keeps the way open (RFC 3948 §2.3)."""
    inside = sealed(rows)
    alone = rows.end - rows.start == 1
    inside.choose(alone & (rows.u8(rows.start) == 0xFF), NOTHING, rows.start)
    return inside


def lisp(rows: Rows) -> Inside:
    """Eight bytes, then a packet."""
    inside = sealed(rows)
    inside.choose(np.ones(len(rows.start), np.bool_), IP, rows.start + 8)
    return inside


def lisp_control(rows: Rows) -> Inside:
    """A control message, which may come in a packet of its own behind four bytes."""
    inside = sealed(rows)
    kind, secured = rows.u8(rows.start) >> 4, rows.u8(rows.start) & 0x08 != 0
    inside.choose((kind > 0) & (kind < LISP_ENCAPSULATED), NOTHING, rows.start)
    inside.choose((kind == LISP_ENCAPSULATED) & ~secured, IP, rows.start + 4)
    return inside


def batman(rows: Rows) -> Inside:
    """What batmand and its gateway tell each other: a byte that says what, and maybe a packet."""
    inside = sealed(rows)
    kind = rows.u8(rows.start)
    inside.choose(kind == 1, IP, rows.start + 1)
    inside.choose((kind > 1) & (kind <= 4), NOTHING, rows.start)
    return inside


def gue(rows: Rows) -> Inside:
    """Variant 0: a header that says its length and the protocol; 1: a packet at once."""
    inside = sealed(rows)
    first, said = rows.u8(rows.start), rows.u8(rows.start + 1)
    at = rows.start + 4 + (first & 0x1F) * 4
    data = first & 0xE0 == 0
    inside.choose(data & (said == 4), IPV4, at)
    inside.choose(data & (said == 41), IPV6, at)
    inside.choose(data & (said == 137), MPLS, at)
    inside.choose(first >> 6 == 1, IP, rows.start)
    return inside


def ayiya(rows: Rows) -> Inside:
    """Eight bytes, identity, signature, then what the header names."""
    inside = sealed(rows)
    identity: I64 = np.left_shift(1, rows.u8(rows.start) >> 4)
    signature = (rows.u8(rows.start + 1) >> 4) * 4
    at = rows.start + 8 + identity + signature
    said, operation = rows.u8(rows.start + 3), rows.u8(rows.start + 2) & 0xF
    inside.choose(said == 41, IPV6, at)
    inside.choose(said == 4, IPV4, at)
    inside.choose((said == 59) & (operation != 1), NOTHING, at)
    return inside


def amt(rows: Rows) -> Inside:
    """What a host and a relay of multicast tell each other; a packet behind some of it."""
    inside = Inside(np.full(len(rows.start), NOTHING, np.uint8), rows.start.copy())
    for kind, size in AMT_PACKETS.items():
        at = rows.start + size
        packet = (at < rows.end) & np.isin(rows.u8(at) >> 4, (4, 6))
        inside.choose(packet & (rows.u8(rows.start) == kind), IP, at)
    inside.choose(rows.u8(rows.start) >> 4 != 0, SEALED, rows.start)
    return inside


def turn(rows: Rows) -> Inside:
    """What is told to a relay, which passes datagrams on to whomever it is told, as a proxy does.

    STUN alone, which only asks for one's own address, and whatever else there is carry nothing.
    """
    inside = Inside(np.full(len(rows.start), NOTHING, np.uint8), rows.start.copy())
    kind, left = rows.u16(rows.start), rows.end - rows.start
    cookie = rows.u16(rows.start + 4), rows.u16(rows.start + 6)
    stun = (cookie[0] == STUN_COOKIE[0]) & (cookie[1] == STUN_COOKIE[1])
    asked = stun & np.isin(kind & ~STUN_CLASS, TURN_METHODS)
    behind = left - CHANNEL_HEADER - rows.u16(rows.start + 2)
    channel = (kind >= FIRST_CHANNEL) & (kind <= LAST_CHANNEL)
    channel &= ((behind >= 0) & (behind < UNIT)) | rows.cut
    inside.choose(asked | channel, SEALED, rows.start)
    return inside
