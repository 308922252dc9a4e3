"""Streams told apart by their first payloads; whole ClientHellos among these wait to be heard.

Many are heard at a time, as the readers find the caches of the processor full of packets.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled import hellos, library
from egress_audit.names.first_bytes import told_apart
from egress_audit.names.hearing import Heard, Hellos, hellos_of
from egress_audit.names.plain_hello import MAX_REMEMBERED, PlainHello, plain_hello
from egress_audit.names.reading import printable_host

_host_text = lru_cache(MAX_REMEMBERED)(printable_host)


class Beginning(NamedTuple):
    """The first payload of a stream, with which it is done."""

    flow: int
    by_orig: bool
    frame: int
    ts_ns: int
    stream: bytes


class WholeHellos:
    """What waits to be heard."""

    def __init__(self) -> None:
        self._read: list[hellos.PlainHellos] = []
        self._unread: list[Beginning] = []
        self.octets = 0
        """Of the payloads of all that waits."""
        self.count = 0

    def take(self, packets: PacketBatch, side: I64, rows: I64) -> tuple[Bool, I64]:
        """(n,) True for streams that are done: nothing is said in them, ever, or they wait now; and
        bytes with which a hello is whole that is not yet, else 0.

        side: of every packet, twice its flow, plus one for the originator; rows: (n,) with whose
        payloads streams begin.
        """
        done: Bool
        if library.is_in_use():
            kind, needs, plain = hellos.told_apart(packets, side, rows)
            done, whole = kind != hellos.OPEN, kind > hellos.SILENT
            unread = kind == hellos.OTHER_HELLO
            self._read.append(plain)
        else:
            silent, whole, needs = told_apart(packets, rows)
            done, unread = silent | whole, whole
        if unread.any():
            self._keep_unread(packets, side, rows[unread])
        self.octets += int(packets.payload_cap[rows[whole]].sum())
        self.count += int(whole.sum())
        return done, needs

    def taken(self) -> tuple[list[Hellos], list[Beginning]]:
        """The plain hellos that wait, as C read them and as Python does, and what another reader
        must read; nothing waits any more."""
        heard: list[Heard[PlainHello]] = []
        others: list[Beginning] = []
        for beginning in self._unread:
            hello = plain_hello(beginning.stream)
            if hello is None:
                others.append(beginning)
            else:
                heard.append((beginning.flow, beginning.frame, beginning.ts_ns, hello))
        plain = [_with_text(self._read)] if self._read else []
        plain.append(hellos_of(heard))
        self._read, self._unread, self.octets, self.count = [], [], 0, 0
        return plain, others

    def _keep_unread(self, packets: PacketBatch, side: I64, rows: I64) -> None:
        of, starts = side[rows], packets.payload[rows]
        spans = zip(starts.tolist(), (starts + packets.payload_cap[rows]).tolist(), strict=True)
        octets = packets.buffer.data
        streams = [bytes(octets[begin:end]) for begin, end in spans]
        columns = (of >> 1, of & 1 == 1, packets.frame[rows], packets.ts_ns[rows])
        fields = zip(*(column.tolist() for column in columns), streams, strict=True)
        self._unread += [Beginning._make(each) for each in fields]


def _with_text(parts: Sequence[hellos.PlainHellos]) -> Hellos:
    """What C read, side by side. Each host becomes text once, as most are named again and again."""
    columns = zip(*(part[:-1] for part in parts), strict=True)
    flow, frame, ts_ns, outer, sizes = (np.concatenate(column) for column in columns)
    octets, named = b"".join([part.hosts for part in parts]), sizes > 0
    ends = np.cumsum(sizes[named]).tolist()
    hosts = [_host_text(octets[begin:end]) for begin, end in pairwise((0, *ends))]
    return Hellos(flow, frame, ts_ns, outer, named, hosts)
