"""Datagrams that are put together from fragments, one fragment at a time.

Sources: RFC 791 §3.2 and RFC 8200 §4.5 (reassembly). Only fragments come here; what one of them
costs depends on its own length, and on nothing that came before.
"""

from collections.abc import Iterator
from dataclasses import field
from typing import Any

import numpy as np

from egress_audit.values import dataclass

LONGEST = 65_535
"""Bytes of a datagram with its headers (RFC 791 §3.1); what claims to be longer is not believed."""
HOLD_NS = {4: 30_000_000_000, 6: 60_000_000_000}
"""How long fragments wait for the others, from the first one seen: as Linux has it for IPv4, and
RFC 8200 §4.5 for IPv6. Identifications come round, so that longer is not better."""
MAX_BYTES = 8 << 20
"""Held for all datagrams of one layer together; one fragment can claim 128 KiB of it."""
OVERHEAD = 1024
"""Bytes that a datagram costs beside its own, rounded up; so it bounds how many there are."""
CAPTURED, CUT = 1, 2
"""What is known of a byte: it is there, or it was on the wire and is not in the file."""

Key = tuple[int, ...]
"""Version, both addresses, protocol (of IPv4 alone: RFC 8200 §4.5) and identification."""
Transport = tuple[int, ...]
"""What the first fragment says of the transport."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment, as its header says."""

    key: Key
    ts_ns: int
    offset: int
    """Of its first byte in the data of the datagram."""
    length: int
    """Bytes on the wire."""
    data: bytes
    """Those of them that were captured."""
    more: bool
    head: bytes
    """The headers before the data."""
    proto: int
    """What the data are, as this fragment says: IPv6 lets each say something else."""


@dataclass(slots=True)
class Late:
    """A later fragment that came before the first one and waits for its ports."""

    row: int
    """In the batch that is being decoded; -1 once that batch is gone."""
    values: tuple[Any, ...] = ()
    """Its columns, then."""


@dataclass(slots=True)
class Datagram:
    """What is there of a datagram."""

    ts_ns: int
    previous: bytes = b""
    """The datagram of the same key that was whole just before: its fragments may come twice."""
    transport: Transport | None = None
    """Once the first fragment was seen."""
    head: bytes = b""
    """The headers of the first fragment, once it was seen."""
    total: int = -1
    """Bytes of data; -1 until the last fragment was seen."""
    proto: int = -1
    """What the data are, as the last fragment says; -1 before there is one."""
    contradicted: bool = False
    """Some byte came twice with different values, or two fragments disagree where the end is, or
    what the data are: by RFC 8200 §4.5 the first fragment tells, and others believe any."""
    counted: bool = False
    """That was counted; for the caller to keep."""
    pieces: int = 0
    """Fragments that were taken, without those that only repeat `previous`."""
    waiting: list[Late] = field(default_factory=list)
    frame: int = 0
    """Of the first fragment, once it was seen."""
    depth: int = 0
    _data: bytearray = field(default_factory=bytearray)
    _other: bytearray | None = None
    """The data once more, from the first contradiction on: of bytes that differ the last ones."""
    _covered: bytearray = field(default_factory=bytearray)
    _found: int = 0

    @property
    def size(self) -> int:
        """Bytes held."""
        copies = 2 if self._other is None else 3
        return OVERHEAD + len(self.previous) + len(self.head) + copies * len(self._data)

    @property
    def whole(self) -> bool:
        """Every byte up to the end was on the wire."""
        return bool(self.head) and self._found >= self.total >= 0 and self._complete

    @property
    def _complete(self) -> bool:
        return self._covered.find(0, 0, self.total) < 0

    @property
    def captured(self) -> bytes:
        """The data up to the first byte that the file lacks."""
        gap = self._covered.find(CUT, 0, self.total)
        return bytes(self._data[: self.total if gap < 0 else gap])

    @property
    def otherwise(self) -> bytes | None:
        """The same as another receiver may read it; None if no byte came with two values."""
        return None if self._other is None else bytes(self._other[: len(self.captured)])

    @property
    def beginning(self) -> bytes:
        """Of a datagram that is not whole, the data up to the first byte that is not there."""
        return bytes(self._data[: len(self._covered.partition(b"\0")[0].partition(b"\2")[0])])

    def add(self, piece: Fragment) -> bool:
        """Takes a fragment; True if nothing but a repetition of the datagram before."""
        end = piece.offset + piece.length
        if not piece.more:
            self.contradicted |= self.total not in (-1, end)
            self.total = end if self.total < 0 else self.total
        if piece.offset == 0 and not self.head:
            self.head = piece.head
        self.contradicted |= self.proto not in (-1, piece.proto)
        self.proto = piece.proto
        self._write(piece, end)
        self.contradicted |= 0 <= self.total < len(self._covered)
        said = self.previous[piece.offset : piece.offset + len(piece.data)]
        repeats = bool(said) and said == piece.data
        self.pieces += not repeats
        return repeats

    def _write(self, piece: Fragment, end: int) -> None:
        """Puts the bytes where nothing is yet; of bytes that came twice the first ones count."""
        parts = (self._data, self._covered, *([] if self._other is None else [self._other]))
        for part in parts:
            part.extend(bytes(max(end - len(part), 0)))
        had = self._covered[piece.offset : end]
        missing = had.count(0)
        self._found += missing
        stop = piece.offset + len(piece.data)
        if missing == piece.length:
            self._data[piece.offset : stop] = piece.data
            self._covered[piece.offset : stop] = bytes([CAPTURED]) * len(piece.data)
            self._covered[stop:end] = bytes([CUT]) * (end - stop)
            if self._other is not None:
                self._other[piece.offset : stop] = piece.data
        elif CUT in had or missing or self._data[piece.offset : stop] != piece.data:
            self._merge(piece, had)

    def _merge(self, piece: Fragment, had: bytearray) -> None:
        """Writes a fragment over others."""
        start, size = piece.offset, len(piece.data)
        covered = np.frombuffer(had, np.uint8).copy()
        old = np.frombuffer(bytes(self._data[start : start + size]), np.uint8)
        new = np.frombuffer(piece.data, np.uint8)
        there = covered[:size] == CAPTURED
        differs = bool((there & (old != new)).any())
        self.contradicted |= differs
        if differs and self._other is None:
            self._other = bytearray(self._data)
        if self._other is not None:
            self._other[start : start + size] = piece.data
        self._data[start : start + size] = np.where(there, old, new).tobytes()
        covered[:size] = CAPTURED
        covered[covered == 0] = CUT
        self._covered[start : start + len(had)] = covered.tobytes()


class Reassembly:
    """The datagrams of one layer that are not whole yet."""

    def __init__(self) -> None:
        self._open: dict[Key, Datagram] = {}
        """Oldest first."""
        self._held = 0
        self.given_up: list[Datagram] = []
        """Those that were not whole in time; for the caller to empty."""

    def take(self, piece: Fragment) -> tuple[Datagram, bool]:
        """The datagram with one more fragment in it, and whether the fragment only repeats."""
        self._forget_old(piece.ts_ns)
        datagram = self._open.get(piece.key)
        if datagram is not None and is_over(piece.key, datagram, piece.ts_ns):
            self._drop(piece.key)
            datagram = None
        if datagram is None:
            datagram = self._open[piece.key] = Datagram(piece.ts_ns)
        else:
            self._held -= datagram.size
        repeats = datagram.add(piece)
        self._held += datagram.size
        while self._held > MAX_BYTES and len(self._open) > 1:
            self._drop(next(iter(self._open)))
        return datagram, repeats

    def close(self, piece: Fragment, done: Datagram) -> bytes:
        """The captured data of a datagram that this fragment made whole, which ends with that."""
        if self._open.pop(piece.key, None) is not None:
            self._held -= done.size
        data = done.captured
        after = Datagram(piece.ts_ns, previous=data, transport=done.transport)
        self._open[piece.key] = after
        self._held += after.size
        return data

    def rest(self) -> list[Datagram]:
        """All that are not whole, when the capture has ended."""
        return [*self.given_up, *self._open.values()]

    def waiting(self) -> Iterator[Late]:
        """The later fragments that wait for a first one."""
        for datagram in self._open.values():
            yield from datagram.waiting

    def _forget_old(self, ts_ns: int) -> None:
        while self._open:
            key, datagram = next(iter(self._open.items()))
            if not is_over(key, datagram, ts_ns):
                return
            self._drop(key)

    def _drop(self, key: Key) -> None:
        datagram = self._open.pop(key)
        self._held -= datagram.size
        if datagram.waiting or datagram.head:
            self.given_up.append(datagram)


def is_over(key: Key, datagram: Datagram, ts_ns: int) -> bool:
    """True once a datagram of this key has waited long enough; also if time ran backwards."""
    return abs(ts_ns - datagram.ts_ns) > HOLD_NS[key[0]]
