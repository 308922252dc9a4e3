"""MPLS: the stack of labels, and what the first bits behind it tell. HOT PATH.

No label says what it leads to; routers know. Sources: RFC 3032 §2.1 (label stack), RFC 4928 §3
(first nibble), RFC 4385 §3 and §5 (control word, associated channel), RFC 4448 §4 (Ethernet).
"""

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_rows import ETHERNET, IPV4, IPV6, Decoded, Rows, unless

MAX_LABELS = 16
"""Deeper stacks than any network builds: each further label costs a pass over the rows."""
CHANNEL_KINDS = {0x0021: IPV4, 0x0057: IPV6}
"""Associated channels that hold a packet (RFC 4385 §6, numbers of PPP)."""
PLAUSIBLE = (IPV4, IPV6, 0x0806, 0x8100, 0x88A8, 0x8847, 0x8848, 0x8864, 0x88CC, 0x8863)
"""EtherTypes by which a frame is known that no label announces."""
LONGEST_LENGTH = 1500
CONTROL_WORD = 4


def mpls(rows: Rows) -> Decoded:
    """Labels to the bottom of the stack, then IP, or the frame of a pseudowire.

    A nibble of 0 begins a control word, or the address of a frame without one: whichever of the
    two leaves a type that frames have is taken, the control word first.
    """
    at, outcome = _bottom(rows)
    nibble = rows.u8(at) >> 4
    outcome = unless(outcome, [(at + 1 > rows.end, rows.short(at + 1))])
    channel = nibble == 1
    kind = np.select([nibble == 4, nibble == 6], [rows.all(IPV4), rows.all(IPV6)], ETHERNET)
    kind = np.where(channel, _channel(rows, at), kind)
    worded = (nibble == 0) & _is_frame(rows, at + CONTROL_WORD)
    bare = (kind == ETHERNET) & ~worded & _is_frame(rows, at)
    outcome = unless(
        outcome,
        [
            (channel & (at + CONTROL_WORD > rows.end), rows.short(at + CONTROL_WORD)),
            (kind == 0, link_kinds.MPLS_CHANNEL),
            ((kind == ETHERNET) & ~worded & ~bare, link_kinds.MPLS_PAYLOAD),
        ],
    )
    return at + np.where(channel | worded, CONTROL_WORD, 0), kind, outcome


def _bottom(rows: Rows) -> tuple[I64, I64]:
    """First byte behind each stack, and the outcome of stacks without a bottom."""
    at, outcome = rows.start.copy(), rows.all(ledger.PACKET)
    above = rows.all(1) == 1
    for _ in range(MAX_LABELS):
        last = rows.u8(at + 2) & 1 == 1
        at = np.where(above, at + 4, at)
        outcome = unless(outcome, [(above, rows.short(at))])
        above &= ~last & (outcome == ledger.PACKET)
        if not above.any():
            break
    return at, unless(outcome, [(above, link_kinds.NESTED)])


def _channel(rows: Rows, at: I64) -> I64:
    """IP where the type of an associated channel is that of a packet, else 0."""
    sort = rows.u16(at + 2)
    kind = rows.all(0)
    for number, ip in CHANNEL_KINDS.items():
        kind[sort == number] = ip
    return kind


def _is_frame(rows: Rows, at: I64) -> Bool:
    """True where an Ethernet frame may begin: a known type, or the length of what is there."""
    ethertype = rows.u16(at + 12)
    fits = (ethertype <= LONGEST_LENGTH) & (at + 14 + ethertype <= rows.end) & (ethertype >= 3)
    found: Bool = (at + 14 <= rows.end) & (np.isin(ethertype, PLAUSIBLE) | fits)
    return found
