"""What carries copies of packets: TZSP from access points, Jmirror, PIM Register. HOT PATH.

Sources: TaZmen Sniffer Protocol and Juniper's packet mirror as Wireshark dissects them
(packet-tzsp.c: header, tags, encapsulations; packet-jmirror.c: header); RFC 7761 §4.9 and §4.9.3
(PIM, Register).
"""

import numpy as np

from egress_audit.decode.contents import AVS, ETHERNET, IP, NOTHING, PRISM, WLAN, Inside, sealed
from egress_audit.decode.link_rows import Rows

TZSP_VERSION, TZSP_HEADER = 1, 4
RECEIVED, TO_SEND, KEEP_ALIVE, PORT_OPENER = 0, 1, 4, 5
TZSP_FRAMES = {1: ETHERNET, 18: WLAN, 119: PRISM, 127: AVS}
PADDING_TAG, END_TAG = 0, 1
"""Tags of one byte; every other has a length behind it."""
MAX_TAGS = 32
"""Tags that are followed; devices send ten or so."""

JMIRROR_HEADER = 8
"""Numbers of the interception and of its session."""

REGISTER = 0x21
"""Version 2, type 1."""
REGISTER_HEADER, NULL_REGISTER = 8, 0x40
NULL_MOST = {4: 20, 6: 48}
"""A Null-Register holds an IP header, of IPv6 with one of PIM behind it."""


def tzsp(rows: Rows) -> Inside:
    """A frame behind tags; a sign of life; or a datagram that has its port by chance, which is no
    tunnel: 37008 lies where systems take the ports of their own questions from."""
    inside = sealed(rows)
    size, kind = rows.end - rows.start, rows.u8(rows.start + 1)
    encapsulation = rows.u16(rows.start + 2)
    known = (rows.u8(rows.start) == TZSP_VERSION) & (kind <= PORT_OPENER)
    known &= encapsulation < 256
    inside.choose((size >= TZSP_HEADER) & ~known, NOTHING, rows.start)
    inside.choose((size < TZSP_HEADER) & ~rows.cut, NOTHING, rows.start)
    alive = known & ((kind == KEEP_ALIVE) | (kind == PORT_OPENER)) & (size <= TZSP_HEADER + 1)
    inside.choose(alive & ~rows.cut, NOTHING, rows.start)
    at, more = rows.start + TZSP_HEADER, known & ((kind == RECEIVED) | (kind == TO_SEND))
    ended = np.zeros(len(at), np.bool_)
    for _ in range(MAX_TAGS):
        more &= at < rows.end
        if not more.any():
            break
        tag = rows.u8(at)
        step = np.where((tag == PADDING_TAG) | (tag == END_TAG), 1, 2 + rows.u8(at + 1))
        at = np.where(more, at + step, at)
        ended |= more & (tag == END_TAG)
        more &= ~ended
    for number, what in TZSP_FRAMES.items():
        inside.choose(ended & (encapsulation == number), what, at)
    return inside


def jmirror(rows: Rows) -> Inside:
    """Two numbers, then a packet."""
    inside = sealed(rows)
    inside.choose(rows.start + JMIRROR_HEADER < rows.end, IP, rows.start + JMIRROR_HEADER)
    return inside


def pim_register(rows: Rows) -> Inside:
    """A Register holds a packet, or to keep the way open a header only; what else PIM says goes to
    its neighbours and holds none."""
    inside = sealed(rows)
    first, at = rows.u8(rows.start), rows.start + REGISTER_HEADER
    register = first == REGISTER
    inside.choose(~register, NOTHING, rows.start)
    inside.choose(register, IP, at)
    null = register & (rows.u8(rows.start + 4) & NULL_REGISTER != 0)
    for version, most in NULL_MOST.items():
        only = null & (rows.u8(at) >> 4 == version) & (rows.end - at <= most) & ~rows.cut
        inside.choose(only & (at < rows.end), NOTHING, at)
    return inside
