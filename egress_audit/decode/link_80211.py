"""802.11 frames, and the headers that radios put before them. HOT PATH.

Sources: IEEE 802.11-2020 §9.2.3, §9.2.4 (frame control, addresses, QoS and HT control) and
§9.3.2 (data frames); radiotap.org (header, present words, fields TSFT and flags);
tcpdump.org/linktypes (PRISM, AVS).
"""

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_80211_upkeep import (
    CHECK,
    HT_CONTROL,
    PROTECTED,
    upkeep,
)
from egress_audit.decode.link_rows import (
    IEEE802_11,
    LLC,
    WLAN_PADDED,
    Decoded,
    Rows,
    measured_header,
    unless,
)

DATA, EXTENSION = 2, 3
NO_DATA, QOS = 4, 8
"""Bits of the subtype of a data frame."""
RESERVED_NO_DATA = 13
BOTH_SYSTEMS = 0x03
"""Bits of the second byte of frame control: from one distribution system to another."""
AGGREGATE = 0x80
"""Bit of QoS control: the body is an A-MSDU."""
PRISM_HEADER, AVS_LEAST = 144, 8
AVS_COOKIE = 0x80211000
RADIOTAP_LEAST, PRESENT_WORDS = 8, 32
"""PRESENT_WORDS: bounds the walk; no radio fills more than a handful."""
MORE_WORDS = 1 << 31
TIMESTAMP, FLAGS, FLAG_PADDED = 1, 2, 0x20


def ieee80211(rows: Rows) -> Decoded:
    """A frame as it was on the air."""
    return _data(rows, padded=False)


def ieee80211_padded(rows: Rows) -> Decoded:
    """The same, the header filled up to a multiple of four bytes, as some radios hand it over."""
    return _data(rows, padded=True)


def _data(rows: Rows, *, padded: bool) -> Decoded:
    control, flags = rows.u8(rows.start), rows.u8(rows.start + 1)
    sort, subtype = control >> 2 & 3, control >> 4
    qos = subtype & QOS != 0
    ordered = qos & (flags & HT_CONTROL != 0)
    quality = rows.start + np.where(flags & BOTH_SYSTEMS == BOTH_SYSTEMS, 30, 24)
    length = quality - rows.start + np.where(qos, 2, 0) + np.where(ordered, 4, 0)
    behind = rows.start + (length + 3 & ~3 if padded else length)
    aggregate = qos & (rows.u8(quality) & AGGREGATE != 0)
    nothing = subtype & NO_DATA != 0
    outcome = unless(
        rows.short(rows.start + 2),
        [
            (control & 3 != 0, link_kinds.VERSION_80211),
            (sort == EXTENSION, link_kinds.EXTENSION_80211),
            (sort != DATA, upkeep(rows)),
            (nothing & (subtype == RESERVED_NO_DATA), link_kinds.RESERVED_80211),
            (nothing & (behind > rows.end), rows.short(behind)),
            (nothing & (behind + CHECK < rows.end), link_kinds.MORE_THAN_UPKEEP_80211),
            (nothing, link_kinds.NULL_80211),
            (flags & PROTECTED != 0, link_kinds.ENCRYPTED_80211),
            (behind > rows.end, rows.short(behind)),
            (rows.u8(rows.start + 22) & 15 != 0, link_kinds.FRAGMENT_80211),
            (aggregate, link_kinds.AGGREGATE_80211),
        ],
    )
    return behind, rows.all(LLC), outcome


def radiotap(rows: Rows) -> Decoded:
    """Version, length, words that say which fields are present; one of them may say padding."""
    version, length = rows.u8(rows.start), rows.u16_little(rows.start + 2)
    other = (version != 0, ledger.LINK_MALFORMED)
    behind, outcome = measured_header(rows, length, RADIOTAP_LEAST, before=[other])
    return behind, np.where(_says_padded(rows, behind), WLAN_PADDED, IEEE802_11), outcome


def _says_padded(rows: Rows, behind: I64) -> Bool:
    """True where the flags field, which follows the time stamp, says padding."""
    present = rows.u32_little(rows.start + 4)
    at = rows.start + 8
    word, more = present, present & MORE_WORDS != 0
    for _ in range(PRESENT_WORDS):
        if not more.any():
            break
        word = rows.u32_little(at)
        at = np.where(more, at + 4, at)
        more = more & (word & MORE_WORDS != 0) & (at < behind)
    aligned = rows.start + (at - rows.start + 7 & ~7)
    at = np.where(present & TIMESTAMP != 0, aligned + 8, at)
    found: Bool = (present & FLAGS != 0) & (at < behind) & (rows.u8(at) & FLAG_PADDED != 0)
    return found


def prism(rows: Rows) -> Decoded:
    """PRISM: 144 bytes, or an AVS header where its cookie stands."""
    is_avs = rows.u32(rows.start) & 0xFFFFF000 == AVS_COOKIE
    behind, kind, outcome = avs(rows)
    fixed = rows.start + PRISM_HEADER
    outcome = np.where(is_avs, outcome, rows.short(fixed))
    return np.where(is_avs, behind, fixed), kind, outcome


def avs(rows: Rows) -> Decoded:
    """AVS: a cookie, then the length of the header, both in network order."""
    behind, outcome = measured_header(rows, rows.u32(rows.start + 4), AVS_LEAST)
    return behind, rows.all(IEEE802_11), outcome
