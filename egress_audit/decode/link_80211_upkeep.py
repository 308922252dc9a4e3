"""802.11 frames that keep the network up: which of them end at the link, and which may say more.

A management frame is made of elements that the standard defines, and of those of vendors, which
every access point sends and which are passed over. Action frames of vendors are another matter:
some protocols (ESP-NOW, Wi-Fi Direct) carry the data of programs in nothing else. Sources: IEEE
802.11-2020 §9.2.4.1.3 (types and subtypes), §9.3.1 (control frames), §9.3.3.2 (management
frames), §9.4.1.11 (categories of action), §9.6.7.1 (public action).
"""

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_rows import Rows, unless

MANAGEMENT, CONTROL = 0, 1
PROTECTED, HT_CONTROL = 0x40, 0x80
"""Bits of the second byte of frame control."""
CHECK = 4
"""A frame check sequence may stand at the end of any frame."""

MANAGEMENT_HEADER, HT_CONTROL_FIELD = 24, 4
RESERVED_MANAGEMENT = (7, 15)
ACTIONS = (13, 14)
VENDOR_CATEGORIES = (126, 127)
PUBLIC_CATEGORIES, PUBLIC_VENDOR = (4, 9), 9
"""Public action, plain and protected; the action in them that is a vendor's."""

ROBUST = (10, 11, 12, *ACTIONS)
"""Disassociation, authentication, deauthentication and actions: no others are encrypted."""
SNAP, BEHIND_SNAP, SNAP_WITHIN = 0xAAAA03, 0, 16
"""802.2 as IP has it, and how far into a body it stands behind the optional fields of a data frame:
one bit makes a frame with data one of management."""

RESERVED_CONTROL = (0, 1)
SHORTEST_CONTROL = 10
CONTROL_LENGTHS = {10: 16, 11: 16, 12: 10, 13: 10, 14: 16, 15: 16}
"""PS-Poll, RTS, CTS, Ack, CF-End, and CF-End with Ack have one length each."""


def upkeep(rows: Rows) -> I64:
    """Outcomes of management and control frames; PACKET for frames of other types."""
    first = rows.u8(rows.start)
    outcome = np.zeros(len(rows.start), np.int64)
    for number, read in ((MANAGEMENT, _management), (CONTROL, _control)):
        chosen = np.flatnonzero(first >> 2 & 3 == number)
        if len(chosen):
            outcome[chosen] = read(rows.inside(chosen, rows.start[chosen]))
    return outcome


def _management(rows: Rows) -> I64:
    subtype, flags = rows.u8(rows.start) >> 4, rows.u8(rows.start + 1)
    body = rows.start + MANAGEMENT_HEADER + np.where(flags & HT_CONTROL != 0, HT_CONTROL_FIELD, 0)
    category = rows.u8(body)
    vendor = np.isin(category, VENDOR_CATEGORIES)
    vendor |= np.isin(category, PUBLIC_CATEGORIES) & (rows.u8(body + 1) == PUBLIC_VENDOR)
    action = np.isin(subtype, ACTIONS)
    return unless(
        rows.short(body),
        [
            (np.isin(subtype, RESERVED_MANAGEMENT), link_kinds.RESERVED_80211),
            (action & (flags & PROTECTED != 0), link_kinds.ENCRYPTED_80211),
            (action, rows.short(body + 2)),
            (action & vendor, link_kinds.VENDOR_80211),
            (~np.isin(subtype, ROBUST) & (flags & PROTECTED != 0), link_kinds.ENCRYPTED_80211),
            (_has_packet(rows, rows.start + MANAGEMENT_HEADER), link_kinds.MORE_THAN_UPKEEP_80211),
            (subtype >= 0, link_kinds.MANAGEMENT_80211),
        ],
    )


def _has_packet(rows: Rows, body: I64) -> Bool:
    """(n,) True for bodies that begin as those of frames with data, which no others do."""
    found = np.zeros(len(body), np.bool_)
    for further in range(0, SNAP_WITHIN, 2):
        at = body + further
        snap = (rows.u24(at) == SNAP) & (rows.u24(at + 3) == BEHIND_SNAP)
        found |= snap & (at + 6 <= rows.end)
    return found


def _control(rows: Rows) -> I64:
    subtype, size = rows.u8(rows.start) >> 4, rows.end - rows.start
    more = np.zeros(len(size), np.bool_)
    outcome = rows.short(rows.start + SHORTEST_CONTROL)
    for number, length in CONTROL_LENGTHS.items():
        of_length = subtype == number
        outcome = unless(outcome, [(of_length, rows.short(rows.start + length))])
        more |= of_length & (size > length + CHECK)
    return unless(
        outcome,
        [
            (np.isin(subtype, RESERVED_CONTROL), link_kinds.RESERVED_80211),
            (more, link_kinds.MORE_THAN_UPKEEP_80211),
            (outcome == ledger.PACKET, link_kinds.CONTROL_80211),
        ],
    )
