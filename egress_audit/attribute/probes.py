"""The positive control, looked for in the frames themselves. HOT PATH.

The recorder says in which frame it saw each probe; here the frame must hold the probe's nonce,
which nobody could know before. A probe counts if its system call was noticed as well.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from egress_audit.columns import PacketBatch
from egress_audit.model.destination import Absent
from egress_audit.model.run import Probe, Run

TIMES = ("before", "after")
DNS_HEADER = 12
"""Bytes before the first label of the first question (RFC 1035 §4.1.1)."""
SHORTEST_NONCE = 8
"""Characters; less could be there by chance."""

Kind = tuple[str, str, int]
"""When, by what, IP version."""


class ProbeSearch:
    """Looks for probes while a capture is read."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._by_frame: dict[int, list[Probe]] = {}
        self._found: set[str] = set()
        for probe in probes:
            if not isinstance(probe.frame, Absent):
                self._by_frame.setdefault(probe.frame, []).append(probe)

    def take(self, packets: PacketBatch) -> None:
        """Looks at the frames of one batch."""
        if not len(packets):
            return
        first, last = int(packets.frame.min()), int(packets.frame.max())
        for frame, probes in self._by_frame.items():
            if first <= frame <= last:
                for row in np.flatnonzero(packets.frame == frame).tolist():
                    self._look(packets, row, probes)

    def _look(self, packets: PacketBatch, row: int, probes: Iterable[Probe]) -> None:
        start, length = int(packets.payload[row]), int(packets.payload_cap[row])
        payload = packets.buffer[start : start + length].tobytes()
        for probe in probes:
            if packets.version[row] == probe.version and holds_nonce(payload, probe):
                self._found.add(probe.nonce)

    def found(self, probe: Probe) -> bool:
        """True for a probe whose nonce is in its frame, and whose call was noticed."""
        return probe.nonce in self._found and probe.noticed


def holds_nonce(payload: bytes, probe: Probe) -> bool:
    """True if the payload holds the probe's nonce: of a name probe, as the first label asked."""
    nonce = probe.nonce.encode("ascii", "replace")
    if len(nonce) < SHORTEST_NONCE:
        return False
    if probe.by == "name":
        return payload[DNS_HEADER:].lower().startswith(bytes([len(nonce)]) + nonce.lower())
    return nonce in payload


def expected_probes(run: Run) -> list[Kind]:
    """What the control consists of: before and after, by address and by name, in the IP versions
    that the sandbox has, and those in which its resolvers can be asked."""
    return [
        (when, by, version)
        for when in TIMES
        for by, ends in (("address", run.own_addresses), ("name", run.resolvers))
        for version in sorted({4, *versions_of(ends)} if by == "address" else versions_of(ends))
    ]


def versions_of(addresses: Iterable[str]) -> set[int]:
    """The IP versions of some addresses, by how they are written."""
    return {6 if ":" in address else 4 for address in addresses}


def missing_probes(run: Run, search: ProbeSearch) -> tuple[str, ...]:
    """The parts of the control that are not there, and the probes that were not found."""
    there = {(probe.when, probe.by, probe.version) for probe in run.probes}
    lost = {(p.when, p.by, p.version) for p in run.probes if not search.found(p)}
    absent = [kind for kind in expected_probes(run) if kind not in there]
    if not run.resolvers:
        absent += [(when, "name", 4) for when in TIMES if (when, "name", 4) not in there]
    return tuple(f"{w} the program, by {by}, IPv{v}" for w, by, v in sorted({*absent, *lost}))
