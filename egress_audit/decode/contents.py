"""What stands behind a tunnel's header: a packet, a frame, nothing, or a secret. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, U8, Bool
from egress_audit.decode.link_rows import Rows
from egress_audit.values import dataclass

SEALED, NOTHING, IP, IPV4, IPV6, ETHERNET, PPP, MPLS, WLAN, PRISM, AVS = range(11)
"""What is inside: something that cannot be read; no packet at all; a packet or frame."""


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
