"""The beginnings of flows, for the readers of names: few packets out of many. HOT PATH.

Every direction of a TCP flow is hungry until its reader says that it has enough, or until a bound
is reached. Only the first segments of hungry directions and the datagrams of the DNS leave the
columns; how many of them a batch may add is counted by rank inside the batch.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from egress_audit.columns import I64, U8, U32, Bool, PacketBatch
from egress_audit.flows.assembly import LIMIT, Assembly
from egress_audit.flows.table import Assigned

TCP, UDP = 6, 17
RST, SYN = 0x04, 0x02
DNS_PORT = 53
MAX_SEGMENTS = 16
"""Segments of one direction that are looked at while its reader is hungry."""
MAX_DNS_SEGMENTS = 4096
MAX_HEAD = 16 << 10
"""Bytes after which a reader that is still hungry gets no more; 64 KiB for DNS over TCP."""
MAX_HELD = 64 << 20
"""Bytes held for all unfinished heads together."""


@dataclass(slots=True)
class Head:
    """What one direction of a flow begins with, as far as it is known."""

    flow: int
    by_orig: bool
    dns: bool
    """One of the ports is the DNS's."""
    assembly: Assembly
    packets: int = 0
    frame: int = 0
    """Of the segment that came last."""
    ts_ns: int = 0
    cut: bool = False
    """The file lacks bytes of a segment, so what follows them cannot be read."""
    midway: bool = False
    """The reader stopped inside a message, and knows that more must follow."""
    heard: int = 0
    """Names of the stream that were already taken."""

    @property
    def streams(self) -> tuple[bytes, ...]:
        """The contiguous bytes; twice if segments contradict each other, both readings."""
        assembly = self.assembly
        return (assembly.stream, assembly.other) if assembly.other else (assembly.stream,)

    @property
    def side(self) -> int:
        """Twice the flow, plus one for the originator."""
        return self.flow * 2 + self.by_orig

    @property
    def spent(self) -> bool:
        """True once no further segment may be fed to the reader."""
        if self.dns:
            return self.packets >= MAX_DNS_SEGMENTS or len(self.assembly.stream) >= LIMIT
        return self.packets >= MAX_SEGMENTS or len(self.assembly.stream) >= MAX_HEAD


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP payload to or from the DNS port."""

    flow: int
    by_orig: bool
    frame: int
    ts_ns: int
    payload: bytes
    complete: bool


class Heads:
    """The unfinished heads of all flows, and which directions want no more."""

    def __init__(self) -> None:
        self._open: dict[int, Head] = {}
        self._held = 0
        self._sated: Bool = np.zeros(1 << 11, np.bool_)
        self._origin: U32 = np.zeros(1 << 11, np.uint32)
        self._has_origin: Bool = np.zeros(1 << 11, np.bool_)
        self.unread: Counter[str] = Counter()
        """Heads given up, by reason."""
        self.conflicting = 0
        """Heads in which a segment was sent twice with different bytes."""

    def take(self, packets: PacketBatch, assigned: Assigned) -> Iterator[Head]:
        """Heads that grew, one at a time; `settle` must be called on each before the next."""
        side = assigned.flow * 2 + assigned.by_orig
        self._grow(int(side.max(initial=0)) + 2)
        self._note_origins(packets, side)
        for row in self._wanted(packets, side).tolist():
            if not self._sated[side[row]]:
                head = self._fed(packets, row, int(side[row]))
                if head is not None:
                    yield head

    def settle(self, head: Head, *, hungry: bool, unread: str = "") -> None:
        """Says what the reader made of a head: wants more, is done, or could not read it."""
        if hungry and not unread:
            if head.cut:
                unread = "cut by snaplen"
            elif head.spent or self._held > MAX_HELD:
                unread = "longer than is read"
        if hungry and not unread:
            return
        if unread:
            self.unread[unread] += 1
        self._close(head)

    def finish(self) -> None:
        """Counts the heads that are still hungry when the capture ends."""
        for head in list(self._open.values()):
            if not head.dns or head.midway or head.assembly.has_hole:
                hole = head.assembly.has_hole
                self.unread["a segment is missing" if hole else "never completed"] += 1
            self._close(head)

    def _close(self, head: Head) -> None:
        self._sated[head.side] = True
        self.conflicting += bool(head.assembly.other)
        if self._open.pop(head.side, None) is not None:
            self._held -= head.assembly.size

    def _grow(self, needed: int) -> None:
        if needed <= len(self._sated):
            return
        for name in ("_sated", "_origin", "_has_origin"):
            old = getattr(self, name)
            wider = np.zeros(max(needed, 2 * len(old)), old.dtype)
            wider[: len(old)] = old
            setattr(self, name, wider)

    def _note_origins(self, packets: PacketBatch, side: I64) -> None:
        """Keeps where the stream begins that each SYN announces."""
        syn = (packets.proto == TCP) & (packets.tcp_flags & SYN != 0) & (side >= 0)
        rows = np.flatnonzero(syn)
        self._origin[side[rows]] = packets.tcp_seq[rows] + np.uint32(1)
        self._has_origin[side[rows]] = True

    def _wanted(self, packets: PacketBatch, side: I64) -> I64:
        """Rows with payload of hungry directions, at most so many of each, in order of arrival."""
        payload = (packets.proto == TCP) & (packets.payload_len > 0) & (side >= 0)
        payload &= packets.tcp_flags & RST == 0
        rows = np.flatnonzero(payload)
        rows = rows[~self._sated[side[rows]]]
        if not len(rows):
            return rows
        order = rows[np.argsort(side[rows], kind="stable")]
        first = np.append(True, side[order][1:] != side[order][:-1])
        start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        rank = np.arange(len(order)) - start
        limit = np.where(is_dns(packets, order), MAX_DNS_SEGMENTS, MAX_SEGMENTS)
        return np.sort(order[rank < limit])

    def _fed(self, packets: PacketBatch, row: int, side: int) -> Head | None:
        """The head of a side with the payload of one packet added; None if that adds nothing."""
        head = self._open.get(side)
        sequence = int(packets.tcp_seq[row]) + bool(packets.tcp_flags[row] & SYN)
        if head is None:
            known = bool(self._has_origin[side])
            origin = int(self._origin[side]) if known else sequence
            dns = bool(is_dns(packets, np.array([row]))[0])
            head = Head(side >> 1, bool(side & 1), dns, Assembly(origin, known))
            self._open[side] = head
        start, size = int(packets.payload[row]), int(packets.payload_cap[row])
        head.packets += 1
        head.cut |= size < int(packets.payload_len[row])
        head.frame, head.ts_ns = int(packets.frame[row]), int(packets.ts_ns[row])
        before = head.assembly.size
        grew = head.assembly.add(
            sequence % (1 << 32), packets.buffer[start : start + size].tobytes()
        )
        self._held += head.assembly.size - before
        return head if grew or head.spent or head.cut or self._held > MAX_HELD else None


def is_dns(packets: PacketBatch, rows: I64) -> Bool:
    """(n,) True where either port is the DNS's."""
    to_or_from: Bool = (packets.sport[rows] == DNS_PORT) | (packets.dport[rows] == DNS_PORT)
    return to_or_from


def dns_datagrams(packets: PacketBatch, assigned: Assigned) -> Iterator[Datagram]:
    """Every UDP payload to or from port 53, in order."""
    udp: U8 = packets.proto
    rows = np.flatnonzero((udp == UDP) & (packets.payload_len > 0) & (assigned.flow >= 0))
    for row in rows[is_dns(packets, rows)].tolist():
        start, size = int(packets.payload[row]), int(packets.payload_cap[row])
        yield Datagram(
            flow=int(assigned.flow[row]),
            by_orig=bool(assigned.by_orig[row]),
            frame=int(packets.frame[row]),
            ts_ns=int(packets.ts_ns[row]),
            payload=packets.buffer[start : start + size].tobytes(),
            complete=size == int(packets.payload_len[row]),
        )
