"""Frame Relay: the address of its virtual circuit, then what RFC 2427 or Cisco put. HOT PATH.

Sources: ITU-T Q.922 §3.3 (address), RFC 2427 §3 and §4; tcpdump.org/linktypes (FRELAY).
"""

import numpy as np

from egress_audit.decode import ledger
from egress_audit.decode.link_rows import NLPID, Decoded, Rows, unless

UNNUMBERED, PAD = 0x03, 0x00
LONGEST_ADDRESS = 4


def frame_relay(rows: Rows) -> Decoded:
    """Two to four bytes of address, of which the last is odd; then control and NLPID.

    Where control is not that of an unnumbered frame stands an EtherType, as Cisco has it.
    """
    length = rows.all(0)
    for place in range(LONGEST_ADDRESS, 1, -1):
        ended = rows.u8(rows.start + place - 1) & 1 == 1
        length = np.where(ended & (rows.start + place <= rows.end), place, length)
    early = rows.u8(rows.start) & 1 == 1
    length = np.where(early, 0, length)
    longest = rows.start + LONGEST_ADDRESS
    at = rows.start + np.where(length == 0, 2, length)
    unnumbered = rows.u8(at) == UNNUMBERED
    padded = unnumbered & (rows.u8(at + 1) == PAD)
    behind = at + np.where(unnumbered & ~padded, 1, 2)
    outcome = unless(
        rows.short(rows.start + 2),
        [
            ((length == 0) & ~early & (longest > rows.end), rows.short(longest)),
            (length == 0, ledger.LINK_MALFORMED),
            (behind > rows.end, rows.short(behind)),
        ],
    )
    return behind, np.where(unnumbered, NLPID, rows.u16(at)), outcome
