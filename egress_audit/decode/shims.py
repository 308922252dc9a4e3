"""What stands between a tunnel's header and the packet in it: PPP, MPLS, or nothing. HOT PATH.

Sources: RFC 1661 §2 and 1662 §3.1 (PPP), RFC 3032 §2.1 (MPLS), RFC 4385 §3 (control word).
"""

import numpy as np

from egress_audit.columns import I64, U8, Bool
from egress_audit.decode.link import Rows
from egress_audit.values import dataclass

SEALED, NOTHING, IP, IPV4, IPV6, ETHERNET, PPP, MPLS, WLAN, PRISM, AVS = range(11)
"""What is inside: something that cannot be read; no packet at all; a packet or frame."""
MAX_LABELS = 8
CONTROL_PROTOCOLS = 0x8000
"""From here on PPP's protocol numbers are those of PPP's own control (RFC 1661 §2)."""


@dataclass(slots=True)
class Inside:
    """What some tunnels carry; (n,) each."""

    what: U8
    at: I64
    """Its first byte, into the buffer."""

    def choose(self, where: Bool, what: int, at: I64) -> None:
        """Says of some rows what is inside and where it begins."""
        self.what[where] = what
        self.at[where] = at[where]


def sealed(rows: Rows) -> Inside:
    """Nothing that could be read: what every reader begins with."""
    return Inside(np.full(len(rows.start), SEALED, np.uint8), rows.start.copy())


def behind_ppp(rows: Rows) -> Inside:
    """What a PPP frame holds; its address and protocol fields may be left out or shortened."""
    inside = sealed(rows)
    at = rows.start + np.where(rows.u16(rows.start) == 0xFF03, 2, 0)
    short = rows.u8(at) & 1 == 1
    protocol = np.where(short, rows.u8(at), rows.u16(at))
    at = at + np.where(short, 1, 2)
    there = at <= rows.end
    inside.choose(there & (protocol == 0x0021), IPV4, at)
    inside.choose(there & (protocol == 0x0057), IPV6, at)
    inside.choose(there & (protocol == 0x0281), MPLS, at)
    inside.choose(there & (protocol >= CONTROL_PROTOCOLS), NOTHING, at)
    return inside


def behind_labels(rows: Rows) -> Inside:
    """What stands behind a stack of MPLS labels: IP by its version, or Ethernet."""
    inside = sealed(rows)
    at, more = rows.start.copy(), np.ones(len(rows.start), np.bool_)
    for _ in range(MAX_LABELS):
        bottom = rows.u8(at + 2) & 1 == 1
        at = at + np.where(more, 4, 0)
        more &= ~bottom
    there = ~more & (at < rows.end)
    version = rows.u8(at) >> 4
    inside.choose(there & (version == 4), IPV4, at)
    inside.choose(there & (version == 6), IPV6, at)
    inside.choose(there & (version == 0), ETHERNET, at + 4)
    return inside
