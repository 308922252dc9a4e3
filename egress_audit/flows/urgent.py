"""TCP flows with urgent data, of which receivers read different streams. HOT PATH.

Most systems take the last urgent byte out of the stream and hand it over beside it, some leave it
where it stood, and they differ in which byte it is: what a server read the capture does not tell.

Source: RFC 9293 §3.8.5, RFC 6093 §2 and §3.
"""

import numpy as np

from egress_audit.columns import Bool, PacketBatch
from egress_audit.flows.growing import grown
from egress_audit.flows.table import Assigned
from egress_audit.flows.tcp_state import ACK, RST
from egress_audit.model.protocols import TCP

URG = 0x20
URGENT = "urgent data"
"""Why what a stream says is not known, in the words of the report."""


class Urgent:
    """The flows in which a segment points to urgent data."""

    def __init__(self) -> None:
        self._told: Bool = np.zeros(1 << 11, np.bool_)

    def take(self, packets: PacketBatch, assigned: Assigned) -> list[int]:
        """The flows of a batch that have such a segment for the first time.

        With payload or not, since the pointer may come before its byte. Nobody heeds one without
        ACK (RFC 9293 §3.10.7.4), as scanners send it.
        """
        rows = np.flatnonzero(packets.tcp_flags & (URG | ACK | RST) == URG | ACK)
        rows = rows[(packets.proto[rows] == TCP) & (assigned.flow[rows] >= 0)]
        if not len(rows):
            return []
        flows = np.unique(assigned.flow[rows])
        self._told = grown(self._told, int(flows[-1]) + 1)
        new = flows[~self._told[flows]]
        self._told[new] = True
        found: list[int] = new.tolist()
        return found
